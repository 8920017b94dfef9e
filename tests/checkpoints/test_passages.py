"""Passages: idempotent by client id, kept when the person is not known, seen by the police of both communes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.checkpoints.actions import add_checkpoint
from khien.checkpoints.movement import actions, store
from khien.checkpoints.rules.passages import PassageEntry, plate
from khien.core.actor import NATION, Actor
from khien.core.errors import BadInput, NotAllowed, NotFound
from khien.core.session import Session, begin
from tests.register import NORTH, SOUTH, add_country, add_person, set_today

DAY = dt.date(2021, 9, 15)
NUMBER = "079190000011"


def officer(area: int = NORTH, *more: str) -> Actor:
    permissions = frozenset({"passage.record", "passage.read", *more})
    return Actor(7, "Officer", "movement-control", permissions, f"{{[{area},{area}]}}")


@pytest.fixture
def place(session: Session) -> Iterator[dict[str, Any]]:
    add_country(session)
    set_today(session, DAY)
    add_person(session, 11, unit=SOUTH, name="Trần Văn Thử")
    add_person(session, 12, unit=NORTH, name="Lê Thị Mẫu")
    session.execute(
        "INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '079190000011', 11),"
        " ('personal_number', '079190000012', 12)"
    )
    checkpoint = add_checkpoint(by=session.actor, code="T-1", name="Chốt Cầu Bắc", unit_id=NORTH)
    yield {"session": session, "checkpoint": checkpoint, "now": session.now}


def by_number(place: dict[str, Any], **more: Any) -> PassageEntry:
    born = dt.date(1990, 1, 15)
    entry = PassageEntry(
        uuid4(),
        place["now"],
        "in",
        number=NUMBER,
        name="TRAN VAN THU",
        born_first=born,
        born_last=born,
        from_unit=SOUTH,
    )
    return replace(entry, **more)


def record(place: dict[str, Any], *entries: PassageEntry) -> list[str]:
    done = actions.record_passages(by=officer(), checkpoint_id=place["checkpoint"], entries=entries)
    return [o.result for o in done]


def rows(place: dict[str, Any]) -> int:
    return place["session"].value("SELECT count(*) FROM passage")


def test_a_traveller_from_elsewhere_is_recorded_once_however_often_it_is_sent(place: dict[str, Any]) -> None:
    entry = by_number(place, plate="51a-123.45", companions=2)
    assert record(place, entry, entry) == ["recorded", "replayed"]
    assert record(place, entry) == ["replayed"]
    found = place["session"].row("SELECT * FROM passage")
    assert (found["person_id"], found["plate"], found["to_unit"], found["unit_id"]) == (11, "51A12345", NORTH, NORTH)
    assert rows(place) == 1


def test_another_passage_under_the_same_message_number_is_a_conflict(
    place: dict[str, Any],
) -> None:
    entry = by_number(place)
    assert record(place, entry) == ["recorded"]
    assert record(place, replace(entry, direction="out")) == ["conflict"]
    assert record(place, replace(entry, passed_at=entry.passed_at - dt.timedelta(minutes=1))) == ["conflict"]
    with pytest.raises(BadInput):
        actions.record_passage(by=officer(), checkpoint_id=place["checkpoint"], entry=replace(entry, direction="out"))
    assert rows(place) == 1


def test_somebody_the_register_does_not_know_is_kept_for_reconciliation(place: dict[str, Any]) -> None:
    wrong_name = by_number(place, name="Nguyễn Văn Khác")
    assert record(place, wrong_name) == ["unmatched"]
    assert record(place, wrong_name) == ["replayed"]
    with begin(officer()) as session:
        window = {"since": place["now"] - dt.timedelta(hours=1), "until": place["now"] + dt.timedelta(hours=1)}
        kept = store.unmatched(session, place["checkpoint"], **window)
    assert [k["noted"]["number"] for k in kept] == [NUMBER]
    assert rows(place) == 0


def test_clocks_that_are_wrong_and_broken_entries_are_told_and_the_rest_is_recorded(place: dict[str, Any]) -> None:
    now = place["now"]
    ahead = by_number(place, passed_at=now + dt.timedelta(hours=1))
    old = by_number(place, passed_at=now - dt.timedelta(days=8))
    nobody = PassageEntry(uuid4(), now, "in")
    sideways = by_number(place, direction="sideways")
    good = by_number(place, passed_at=now - dt.timedelta(days=2))
    assert record(place, ahead, old, nobody, sideways, good) == ["refused"] * 4 + ["recorded"]


def test_a_person_id_out_of_sight_names_nobody(place: dict[str, Any]) -> None:
    stranger = PassageEntry(uuid4(), place["now"], "in", person_id=11)
    neighbour = PassageEntry(uuid4(), place["now"], "in", person_id=12)
    assert record(place, stranger, neighbour) == ["unmatched", "recorded"]


def test_both_communes_police_get_a_notice_and_the_checkpoint_its_list(place: dict[str, Any]) -> None:
    record(place, by_number(place, plate="51A-12345"))
    since = place["now"] - dt.timedelta(hours=1)
    for unit, kind in ((NORTH, "arrives"), (SOUTH, "leaves")):
        with begin(officer(unit)) as session:
            notices = store.notices(session, since=since)
        assert [(n["kind"], n["name"], n["unit_id"]) for n in notices] == [(kind, "Trần Văn Thử", unit)]
    police = officer(NORTH, "residence.write")
    noticed = {"person_id": 11, "unit_id": NORTH, "kind": "arrives", "noticed_at": place["now"]}
    actions.settle_notice(by=police, **noticed, state="seen")
    with pytest.raises(NotFound):
        actions.settle_notice(by=police, **{**noticed, "unit_id": SOUTH, "kind": "leaves"}, state="seen")
    with begin(officer()) as session:
        assert store.notices(session, since=since) == store.notices(session, since=since, state="not_found") == []
        assert [n["person_id"] for n in store.notices(session, since=since, state="seen", most=1)] == [11]
        window = {"since": since, "until": since + dt.timedelta(hours=2)}
        listed = store.passages(session, place["checkpoint"], **window, plate="51a 123.45", name="thu")
        assert [(p["name"], p["number_tail"]) for p in listed] == [("Trần Văn Thử", "011")]
        assert store.passages(session, place["checkpoint"], **window, plate="59X1") == []
        assert [(h["came_in"], h["went_out"]) for h in store.per_hour(session, place["checkpoint"], **window)] == [
            (1, 0)
        ]
    assert "passage.read" in {
        r["action"] for r in place["session"].rows("SELECT action FROM access_log WHERE person_id = 11")
    }


def test_another_communes_officer_has_no_such_checkpoint(place: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        actions.record_passages(by=officer(SOUTH), checkpoint_id=place["checkpoint"], entries=[by_number(place)])
    nobody = Actor(8, "Reader", "movement-control", frozenset({"passage.read"}), NATION)
    with pytest.raises(NotAllowed):
        actions.record_passages(by=nobody, checkpoint_id=place["checkpoint"], entries=[by_number(place)])


def test_months_are_made_when_they_are_needed(place: dict[str, Any]) -> None:
    set_today(place["session"], dt.date(2031, 3, 15))  # months are of UTC: not a day at their edge
    place["now"] = place["session"].now
    assert record(place, by_number(place)) == ["recorded"]
    assert place["session"].value("SELECT tableoid::regclass::text FROM passage") == "passage_2031_03"


@given(st.text(max_size=20))
def test_a_plate_is_normal_after_once_or_none_at_all(text: str) -> None:
    try:
        normal = plate(text)
    except ValueError:
        return
    assert plate(normal) == normal


def test_a_message_number_is_the_senders(place: dict[str, Any]) -> None:
    client_id = UUID(int=5)
    assert record(place, by_number(place, client_id=client_id)) == ["recorded"]
    assert record(place, by_number(place, client_id=client_id, name="Ai Đó Khác")) == ["conflict"]


def test_the_nation_sees_flow_and_silence_and_no_person(place: dict[str, Any]) -> None:
    add_checkpoint(by=place["session"].actor, code="T-SILENT", name="Chốt Vắng", unit_id=SOUTH)
    record(place, by_number(place), by_number(place, passed_at=place["now"] - dt.timedelta(minutes=5)))
    window = {"since": place["now"] - dt.timedelta(hours=24), "until": place["now"] + dt.timedelta(minutes=10)}
    analyst = Actor(9, "Analyst", "statistics", frozenset({"checkpoint.figures"}), NATION)
    with begin(analyst) as session:
        rows = {r["code"]: r for r in store.figures(session, **window)}
        hours = store.figures_by_hour(session, **window)
    assert (rows["T-1"]["passages"], rows["T-1"]["state"], rows["T-1"]["median_gap"]) == (2, "slow", 300)
    assert (rows["T-SILENT"]["passages"], rows["T-SILENT"]["state"]) == (0, "silent")
    assert sum(h["came_in"] for h in hours if h["code"] == "T-1") == 2
    assert not {"name_key", "person_id"} & set(rows["T-1"])
    with begin(officer()) as session, pytest.raises(NotAllowed):
        store.figures(session, **window)
