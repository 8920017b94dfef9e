"""Reading and writing the register: every action logged, replays harmless, merges reversible."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session
from khien.population import actions, store
from khien.population.rules.partial_date import PartialDate
from tests.register import NORTH, SOUTH, add_country, add_person, set_today

BY = machine("test", "*")
TODAY = dt.date(2021, 9, 1)


@pytest.fixture(autouse=True)
def _country(session: Session) -> None:
    add_country(session)
    set_today(session, TODAY)


def register(session: Session, client_id: uuid.UUID | None = None, name: str = "Lê Thị Thử") -> actions.Registered:
    return actions.register_person(
        by=BY, client_id=client_id or uuid.uuid4(), name=name, birth_date=PartialDate(1990, 5), sex="female",
        unit_id=NORTH, address="Số 2",
    )  # fmt: skip


def actions_logged(session: Session, person_id: int) -> list[str]:
    # The loader's log is the owner's; the actor with the whole nation sees it.
    query = "SELECT action FROM access_log WHERE person_id = %(person_id)s ORDER BY at, lane, seq, n"
    return [row["action"] for row in session.rows(query, person_id=person_id)]


def test_a_new_person_is_found_by_the_provisional_id(session: Session) -> None:
    client_id = uuid.uuid4()
    made = register(session, client_id)
    assert made.provisional_id and store.find_by_identifier(session, made.provisional_id.lower()) == made.person_id
    record = store.person(session, made.person_id)
    assert (record["name"], record["birth_precision"], record["home_name"]) == ("Lê Thị Thử", "m", "Xã Bắc")
    assert [s["from_day"] for s in record["residence"]] == [TODAY]
    assert register(session, client_id) == actions.Registered(made.person_id, None, replayed=True)
    assert actions_logged(session, made.person_id) == ["person.register", "person.read"]


def test_a_correction_keeps_what_stood_there(session: Session) -> None:
    person_id = register(session).person_id
    client_id = uuid.uuid4()
    for _ in range(2):
        actions.correct_person(by=BY, person_id=person_id, name="Lê  Thị Đúng", client_id=client_id)
    record = store.person(session, person_id)
    assert record["name"] == "Lê Thị Đúng"
    assert [v["name"] for v in record["versions"]] == ["Lê Thị Thử"]
    assert actions_logged(session, person_id).count("person.correct") == 1


def test_a_wrong_number_is_corrected_and_free_again(session: Session) -> None:
    first, second = register(session).person_id, register(session, name="Trần Thị Hai").person_id
    actions.add_identifier(by=BY, person_id=first, kind="personal_number", value="001190 000001")
    with pytest.raises(Refused):
        actions.add_identifier(by=BY, person_id=second, kind="personal_number", value="001190000001")
    actions.change_identifier(by=BY, person_id=first, kind="personal_number", old="001190000001", new="001190000002")
    assert store.find_by_identifier(session, "001190000002") == first
    actions.add_identifier(by=BY, person_id=second, kind="personal_number", value="001190000001")
    assert store.find_by_identifier(session, "001190000001") == second
    with pytest.raises(BadInput):
        actions.add_identifier(by=BY, person_id=second, kind="personal_number", value="01190000001")


def test_a_stay_interrupts_and_a_move_ends(session: Session) -> None:
    person_id = register(session).person_id
    actions.move(by=BY, person_id=person_id, kind="stay", unit_id=SOUTH, from_day=TODAY, until_day=dt.date(2021, 9, 10))
    record = store.person(session, person_id)
    assert (record["home_unit"], record["present_unit"]) == (NORTH, SOUTH)
    actions.end_residence(by=BY, person_id=person_id, kind="stay", on=dt.date(2021, 9, 5))
    set_today(session, dt.date(2021, 9, 6))
    actions.move(by=BY, person_id=person_id, kind="permanent", unit_id=SOUTH, from_day=dt.date(2021, 9, 6))
    record = store.person(session, person_id)
    assert (record["home_unit"], record["present_unit"]) == (SOUTH, SOUTH)
    spells = [(s["kind"], s["unit_id"], s["from_day"], s["until_day"]) for s in record["residence"]]
    assert ("permanent", NORTH, TODAY, dt.date(2021, 9, 6)) in spells
    assert ("stay", SOUTH, TODAY, dt.date(2021, 9, 5)) in spells
    with pytest.raises(NotFound):
        actions.end_residence(by=BY, person_id=person_id, kind="temporary", on=TODAY)


def test_death_and_its_withdrawal(session: Session) -> None:
    person_id = register(session).person_id
    with pytest.raises(BadInput):
        actions.record_death(by=BY, person_id=person_id, died_on=dt.date(2021, 9, 2))
    actions.record_death(by=BY, person_id=person_id, died_on=TODAY)
    assert store.person(session, person_id)["died_on"] == TODAY
    actions.record_death(by=BY, person_id=person_id, died_on=None)
    assert store.person(session, person_id)["died_on"] is None


def test_cards(session: Session) -> None:
    person_id = register(session).person_id
    day = dt.date(2021, 6, 1)
    for _ in range(2):
        actions.issue_card(by=BY, person_id=person_id, kind="cccd_chip", card_number="001190000001", issued_on=day)
    actions.cancel_card(by=BY, person_id=person_id, card_number="001190000001", issued_on=day)
    [card] = store.person(session, person_id, masked=True)["cards"]
    assert (card["card_number"], card["cancelled_on"]) == ("*********001", TODAY)
    assert actions_logged(session, person_id).count("card.issue") == 1


def test_a_merge_is_undone_without_a_trace_in_the_rows(session: Session) -> None:
    kept, double = register(session).person_id, register(session, name="Lê Thị Thử").person_id
    actions.add_identifier(by=BY, person_id=double, kind="cmnd", value="012345678")
    counts = "SELECT (SELECT count(*) FROM dose) + (SELECT count(*) FROM residence) + (SELECT count(*) FROM identifier)"
    before = session.value(counts)
    actions.merge_persons(by=BY, person_id=double, into=kept)
    actions.merge_persons(by=BY, person_id=double, into=kept)
    assert store.find_by_identifier(session, "012345678") == kept
    assert "012345678" in [i["value"] for i in store.person(session, kept)["identifiers"]]
    assert [p["person_id"] for p in store.search(session, "thử")] == [kept]
    with pytest.raises(Refused):
        actions.merge_persons(by=BY, person_id=kept, into=add_person(session, 990_000_001))
    actions.unmerge(by=BY, person_id=double)
    assert store.find_by_identifier(session, "012345678") == double
    assert session.value(counts) == before


def test_search_is_in_vietnamese_order_by_pages(session: Session) -> None:
    names = ["Lê Văn Ân", "Lê Văn An", "Trần An", "Lê Văn Ẩn", "Nguyễn Thị Anh"]
    for n, name in enumerate(names):
        add_person(session, 990_000_010 + n, name=name)
    found = store.search(session, "an", page=3)
    assert [p["name"] for p in found] == ["Lê Văn An", "Trần An", "Nguyễn Thị Anh"]
    more = store.search(session, "an", page=3, after=store.After(found[-1]["sort"], found[-1]["person_id"]))
    assert [p["name"] for p in more] == ["Lê Văn Ân", "Lê Văn Ẩn"]
    assert [p["name"] for p in store.search(session, "tran AN")] == ["Trần An"]
    assert store.search(session, "an", birth_year=1991) == []
    assert store.search(session, "an", unit_id=SOUTH) == []


def test_who_may_not_does_not(session: Session) -> None:
    with pytest.raises(NotAllowed):
        actions.record_death(by=machine("test", "person.read"), person_id=1, died_on=TODAY)
    with pytest.raises(NotFound):
        store.person(session, 1)
