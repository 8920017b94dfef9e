"""A campaign from the order to the list of people."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from khien.core.actor import Actor
from khien.core.errors import BadInput, NotFound, Refused
from khien.core.session import Session
from khien.vaccination import actions, sending
from khien.vaccination.store import campaign as store
from tests.register import COUNTRY, NORTH, SOUTH, add_country, add_person, set_today

DAY = dt.date(2021, 9, 15)


@pytest.fixture
def province(session: Session) -> Session:
    """Four households in the north: an old couple, a family of three, one alone, one in the army; one in the south."""
    add_country(session)
    actions.load_products(by=session.actor)
    session.execute(
        "INSERT INTO site (code, name, unit_id) VALUES ('S1', 'Trạm Bắc', 900000001), ('S2', 'Trạm Nam', 900000002)"
    )
    actions.receive_lot(
        by=session.actor, product="pfizer", lot_number="P1", arrived_on=dt.date(2021, 7, 1),
        expires_on=dt.date(2021, 12, 31),
    )  # fmt: skip
    homes = {
        10: [(1, 1940), (2, 1945)], 20: [(3, 1980), (4, 1982), (5, 2012)], 30: [(6, 1970)], 40: [(7, 1990)],
        50: [(8, 1975)],
    }  # fmt: skip
    for household, members in homes.items():
        unit = SOUTH if household == 50 else NORTH
        session.execute("INSERT INTO household VALUES (%(h)s, %(u)s, %(a)s)", h=household, u=unit, a=f"Số {household}")
        for person_id, year in members:
            add_person(session, person_id, unit=unit, birth_date=dt.date(year, 3, 1))
            session.execute(
                "INSERT INTO household_member VALUES (%(p)s, %(h)s, 'other', '[2000-01-01,)')", p=person_id, h=household
            )
    set_today(session, DAY)
    return session


def open_campaign(session: Session, client_id: UUID | None = None) -> int:
    return actions.open_campaign(
        by=session.actor, client_id=client_id or uuid4(), name="Chiến dịch", programme="covid_19_vn_2021",
        vaccine_group="COVID-19", unit_id=COUNTRY, starts_on=dt.date(2021, 9, 1), ends_on=dt.date(2021, 12, 31),
    )  # fmt: skip


def open_session(session: Session, campaign_id: int, places: int = 100, **more: object) -> int:
    told = {"site": "S1", "day": DAY, "product": "pfizer", "places": places, "client_id": uuid4()} | more
    return actions.open_session(by=session.actor, campaign_id=campaign_id, **told)  # type: ignore[arg-type]


def called(session: Session, session_id: int) -> list[int]:
    return [row["person_id"] for row in store.call_list(session, session_id)]


def test_everybody_due_in_the_commune_is_called_households_together(province: Session) -> None:
    session_id = open_session(province, open_campaign(province))
    assert actions.call_people(by=province.actor, session_id=session_id) == 6  # not the child, not the south
    assert called(province, session_id) == [1, 2, 6, 3, 4, 7] or set(called(province, session_id)) == {1, 2, 3, 4, 6, 7}
    rows = store.call_list(province, session_id)
    assert [r["household_id"] for r in rows][:2] == [10, 10]
    assert {r["priority"] for r in rows if r["person_id"] in (1, 2)} == {9}  # over 65: group 9 of Decision 3355
    assert actions.call_people(by=province.actor, session_id=session_id) == 0


def test_the_foremost_group_brings_its_household_and_nobody_is_called_without_a_place(province: Session) -> None:
    campaign_id = open_campaign(province)
    actions.set_priorities(
        by=province.actor, programme="covid_19_vn_2021", group_number=3, people=[4, 404], source="Ban chỉ huy"
    )
    session_id = open_session(province, campaign_id, places=3)
    actions.call_people(by=province.actor, session_id=session_id)
    # the soldier's household of two; the old couple would need two places and has one
    assert set(called(province, session_id)) == {3, 4}


def test_nobody_is_called_twice_or_after_refusing(province: Session) -> None:
    campaign_id = open_campaign(province)
    first, second = open_session(province, campaign_id), open_session(province, campaign_id)
    actions.call_people(by=province.actor, session_id=first)
    actions.note_call(by=province.actor, session_id=first, person_id=6, state="refused", reason="Chờ vắc xin khác")
    assert actions.call_people(by=province.actor, session_id=second) == 0
    with pytest.raises(BadInput):
        actions.note_call(by=province.actor, session_id=first, person_id=1, state="refused")
    with pytest.raises(NotFound):
        actions.note_call(by=province.actor, session_id=first, person_id=8, state="unreachable")


def test_a_mobile_team_goes_to_the_old_and_the_bedridden(province: Session) -> None:
    actions.note_health_fact(
        by=province.actor, client_id=uuid4(), person_id=6, code="bedridden", since=dt.date(2021, 1, 1)
    )
    session_id = open_session(province, open_campaign(province), kind="mobile")
    actions.call_people(by=province.actor, session_id=session_id)
    assert set(called(province, session_id)) == {1, 6}


def test_the_door_to_door_list_names_who_has_had_no_dose(province: Session) -> None:
    campaign_id = open_campaign(province)
    province.execute(
        "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)"
        " VALUES (6, gen_random_uuid(), 'pfizer', '2021-07-20', now())"
    )
    rows = store.door_to_door(province, campaign_id, NORTH)
    assert [(r["household_id"], r["person_id"]) for r in rows] == [(10, 1), (10, 2), (20, 3), (20, 4), (40, 7)]
    assert rows[0]["address"] == "Số 10"


def test_what_a_province_was_allocated_is_not_given_out_twice(province: Session) -> None:
    campaign_id = open_campaign(province)

    def give(doses: int, client_id: UUID | None = None, **where: object) -> None:
        actions.allocate(
            by=province.actor, client_id=client_id or uuid4(), campaign_id=campaign_id, product="pfizer", doses=doses,
            **where,  # type: ignore[arg-type]
        )  # fmt: skip

    give(100, unit_id=COUNTRY)
    message = uuid4()
    for _copy in range(2):
        give(60, message, unit_id=NORTH)
    give(50, site="S1")
    with pytest.raises(Refused) as refusal:
        give(11, site="S1")
    assert refusal.value.rule == "allocation_short"
    assert "10" in refusal.value.text("vi")
    give(40, site="S2")
    with pytest.raises(Refused):
        give(1, unit_id=SOUTH)


class Broken:
    def send(self, message: sending.Message) -> None:
        raise OSError("no mail server")


def test_invitations_are_sent_once_and_failures_again(province: Session, tmp_path: Path) -> None:
    session_id = open_session(province, open_campaign(province))
    actions.call_people(by=province.actor, session_id=session_id)
    province.execute("INSERT INTO contact_point VALUES (7, 'email', 'vidu@example.vn')")
    failed = actions.send_invitations(by=province.actor, session_id=session_id, through=Broken())
    assert failed == {"sent": 0, "failed": 6}
    through = sending.sender(f"file:{tmp_path}")
    assert actions.send_invitations(by=province.actor, session_id=session_id, through=through) == {
        "sent": 6, "failed": 0
    }  # fmt: skip
    assert actions.send_invitations(by=province.actor, session_id=session_id, through=through) == {
        "sent": 0, "failed": 0
    }  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "invitations.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [m["email"] for m in lines if m["email"]] == ["vidu@example.vn"]
    assert all("15/09/2021" in m["subject"] for m in lines)
    assert {m["address"] for m in lines} >= {"Số 10, Xã Bắc"}


def test_replays_make_nothing_new(province: Session) -> None:
    message = uuid4()
    assert open_campaign(province, message) == open_campaign(province, message)
    campaign_id, again = open_campaign(province), uuid4()
    assert open_session(province, campaign_id, client_id=again) == open_session(province, campaign_id, client_id=again)


BAD = [
    ({"site": "NO"}, "site"), ({"product": "NO"}, "product"), ({"places": 0}, "places"), ({"kind": "boat"}, "kind"),
    ({"lot_number": "NO"}, "lot_number"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), BAD, ids=[field for _change, field in BAD])
def test_bad_input_names_its_field(province: Session, change: dict, field: str) -> None:
    with pytest.raises(BadInput) as wrong:
        open_session(province, open_campaign(province), **change)
    assert [f.field for f in wrong.value.faults] == [field]


def test_a_session_outside_the_campaign_is_refused_by_rule(province: Session) -> None:
    with pytest.raises(Refused) as refusal:
        open_session(province, open_campaign(province), day=dt.date(2022, 1, 1))
    assert (refusal.value.rule, bool(refusal.value.document)) == ("day_outside_campaign", True)


def test_a_station_plans_only_at_its_own_sites_and_sees_the_campaign_above_it(province: Session) -> None:
    campaign_id = open_campaign(province)
    rights = frozenset({"campaign.manage", "campaign.read"})
    station = Actor(7, "station", "vaccination", rights, "{[900000001,900000002)}")
    told = {"client_id": uuid4(), "campaign_id": campaign_id, "day": DAY, "product": "pfizer", "places": 5}
    with pytest.raises(BadInput):
        actions.open_session(by=station, site="S2", **told)  # type: ignore[arg-type]
    assert actions.open_session(by=station, site="S1", **told)  # type: ignore[arg-type]
