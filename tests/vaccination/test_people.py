"""What is noted of a person for vaccination, and what it changes."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from khien.core.actor import Actor
from khien.core.errors import BadInput, NotAllowed, NotFound
from khien.core.session import Session, begin
from khien.vaccination import actions
from khien.vaccination.store import people as store
from khien.vaccination.store import schedule
from tests.register import NORTH, SOUTH
from tests.vaccination.test_schedule_of_recorded_doses import clinic

__all__ = ["clinic"]
DAY = dt.date(2021, 9, 15)


def note(session: Session, code: str, since: dt.date = DAY, **more: object) -> None:
    told = {"client_id": uuid4(), "person_id": 1} | more
    actions.note_health_fact(by=session.actor, code=code, since=since, **told)  # type: ignore[arg-type]


def test_an_infection_puts_the_next_dose_off_until_it_is_over(clinic: Session) -> None:
    def recommended() -> str:
        [row] = schedule.courses(clinic, 1, language="vi")
        return str(row["recommended"])

    before = recommended()
    message = uuid4()
    for _copy in range(2):
        note(clinic, "covid-19", dt.date(2021, 9, 1), client_id=message)
    assert recommended() > before
    [fact] = store.health_facts(clinic, 1)
    assert (fact["code"], fact["holds"]) == ("covid-19", True)
    for _again in range(2):
        actions.end_health_fact(by=clinic.actor, person_id=1, fact_id=fact["fact_id"])
    [fact] = store.health_facts(clinic, 1)
    assert (fact["until"], fact["holds"]) == (DAY, False)
    assert recommended() == before


BAD = [
    ({"code": "gossip"}, "code"), ({"code": "covid-19", "since": dt.date(2021, 9, 16)}, "since"),
    ({"code": "pregnancy", "until": DAY}, "until"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), BAD, ids=[field for _change, field in BAD])
def test_what_cannot_be_noted_names_its_field(clinic: Session, change: dict, field: str) -> None:
    with pytest.raises(BadInput) as wrong:
        note(clinic, **change)
    assert [fault.field for fault in wrong.value.faults] == [field]
    assert store.health_facts(clinic, 1) == []


def test_a_contact_is_checked_changed_and_taken_away(clinic: Session) -> None:
    def reach(**told: str) -> dict[str, str]:
        actions.note_contact(by=clinic.actor, person_id=1, **told)
        return store.contact(clinic, 1)

    assert reach(phone="(+84) 912.345-678", email="vidu@example.vn") == {
        "phone": "+84912345678", "email": "vidu@example.vn"
    }  # fmt: skip
    assert reach(phone="0283 829 1234") == {"phone": "02838291234"}
    for told, field in (({"phone": "gọi sau"}, "phone"), ({"email": "a@b\r\nBcc: c@d"}, "email")):
        with pytest.raises(BadInput) as wrong:
            reach(**told)
        assert [fault.field for fault in wrong.value.faults] == [field]


def test_a_station_notes_only_of_its_own_people(clinic: Session) -> None:
    station = Actor(7, "station", "vaccination", frozenset({"desk.work"}), f"{{[{SOUTH},{SOUTH}]}}")
    told = {"by": station, "person_id": 1}
    with pytest.raises(NotFound):
        actions.note_health_fact(client_id=uuid4(), code="pregnancy", since=DAY, **told)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        actions.note_contact(phone="0912345678", **told)  # type: ignore[arg-type]
    with begin(clinic.actor):
        assert store.health_facts(clinic, 1) == []


def test_a_declared_dose_is_all_that_declaring_gives(clinic: Session) -> None:
    citizen = Actor(8, "citizen", "own-record", frozenset({"dose.declare"}), f"{{[{NORTH},{NORTH}]}}")
    told = {"by": citizen, "person_id": 1, "product": "pfizer", "given_on": dt.date(2021, 8, 1)}
    message = uuid4()
    first = actions.declare_dose(client_id=message, **told)  # type: ignore[arg-type]
    assert actions.declare_dose(client_id=message, **told).dose_id == first.dose_id  # type: ignore[arg-type]
    [row] = clinic.rows("SELECT evidence, recorded_by FROM dose WHERE person_id = 1")
    assert row == {"evidence": "declared", "recorded_by": 8}
    with pytest.raises(NotAllowed):
        actions.verify_dose(
            by=citizen, client_id=uuid4(), person_id=1, dose_id=first.dose_id or 0, evidence="paper", reason="Giấy"
        )
    stranger = Actor(9, "citizen", "own-record", frozenset({"dose.declare"}), "{}")
    with pytest.raises(NotFound):
        actions.declare_dose(client_id=uuid4(), **{**told, "by": stranger})  # type: ignore[arg-type]
