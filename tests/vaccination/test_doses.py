"""Recording and correcting doses against a real database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest

from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session, begin
from khien.vaccination import actions, store
from khien.vaccination.rules.dose_checks import DoseEntry
from tests.register import SOUTH, add_country, add_person, add_vaccines, set_today

DAY = dt.date(2021, 9, 10)


@pytest.fixture
def clinic(session: Session) -> Session:
    add_country(session)
    add_vaccines(session)
    add_person(session, 1)
    set_today(session, dt.date(2021, 9, 15))
    return session


def dose(**changes: object) -> DoseEntry:
    entry = DoseEntry(client_id=uuid4(), person_id=1, product="alpha", given_on=DAY, lot_number="A1", site="S1")
    return replace(entry, **changes)  # type: ignore[arg-type]


def standing(session: Session, person_id: int = 1) -> list[dict]:
    rows = store.doses_of_person(session, person_id)
    return [r for r in rows if r["superseded_by"] is None and r["status"] == "completed"]


def test_a_dose_is_recorded_once_however_often_it_is_sent(clinic: Session) -> None:
    entry = dose()
    first = actions.record_dose(by=clinic.actor, entry=entry)
    again = actions.record_dose(by=clinic.actor, entry=entry)
    assert (first.result, again.result) == ("recorded", "replayed")
    assert first.dose_id == again.dose_id
    assert len(standing(clinic)) == 1


def test_a_message_number_used_for_another_dose_is_refused(clinic: Session) -> None:
    entry = dose()
    actions.record_dose(by=clinic.actor, entry=entry)
    with pytest.raises(Refused) as refusal:
        actions.record_dose(by=clinic.actor, entry=replace(entry, given_on=DAY - dt.timedelta(1)))
    assert refusal.value.rule == "client_id_reused"


# What is broken, what changes in the entry or the register, whether the desk refuses it, whether it is recorded once it
# was given all the same, and whether it then counts.
CASES = [
    ("in_the_future", {"given_on": dt.date(2021, 9, 16)}, {}, False, False),
    ("before_birth", {"given_on": dt.date(2021, 9, 10)}, {"birth_date": dt.date(2021, 9, 11)}, True, False),
    ("after_death", {}, {"died_on": dt.date(2021, 9, 9)}, True, False),
    ("unknown_lot", {"lot_number": "NO"}, {}, True, True),
    ("lot_not_arrived", {"given_on": dt.date(2021, 2, 20)}, {}, True, True),
    ("lot_expired", {"product": "beta", "lot_number": "OLD"}, {}, True, False),
    ("lot_blocked", {"product": "beta", "lot_number": "BAD"}, {}, True, True),
    ("product_not_licensed", {"product": "beta", "lot_number": "B0", "given_on": dt.date(2021, 5, 1)}, {}, True, True),
]


@pytest.mark.parametrize(("rule", "entry", "person", "recordable", "counts"), CASES, ids=[c[0] for c in CASES])
def test_the_impossible_is_refused_and_what_was_given_is_never_lost(
    clinic: Session, rule: str, entry: dict, person: dict, recordable: bool, counts: bool
) -> None:
    clinic.execute(
        "INSERT INTO lot (product, lot_number, arrived_on, expires_on, blocked_on) VALUES"
        " ('beta', 'OLD', '2021-01-01', '2021-09-01', NULL), ('beta', 'BAD', '2021-01-01', '2022-01-01', '2021-09-09'),"
        " ('beta', 'B0', '2021-01-01', '2022-01-01', NULL)"
    )
    for column, value in person.items():
        clinic.connection.execute(f"UPDATE person SET {column} = %s", [value])
    with pytest.raises(Refused) as refusal:
        actions.record_dose(by=clinic.actor, entry=dose(**entry))
    assert refusal.value.rule == rule
    assert refusal.value.document
    assert refusal.value.text("vi") != refusal.value.text("en")
    outcome = actions.record_doses(by=clinic.actor, entries=[dose(**entry, already_given=True)])[0]
    assert (outcome.result == "recorded") is recordable
    if recordable:
        [kept] = standing(clinic)
        assert kept["flags"] == [rule]
        assert kept["counts"] is counts


def test_a_second_dose_on_the_same_day_is_flagged(clinic: Session) -> None:
    actions.record_dose(by=clinic.actor, entry=dose())
    with pytest.raises(Refused) as refusal:
        actions.record_dose(by=clinic.actor, entry=dose())
    assert refusal.value.rule == "same_day"


def test_each_entry_of_a_batch_stands_on_its_own(clinic: Session) -> None:
    good, future, nobody, no_vaccine, no_site = (
        dose(), dose(given_on=dt.date(2030, 1, 1)), dose(person_id=404), dose(product="gamma"), dose(site="S9"),
    )  # fmt: skip
    outcomes = actions.record_doses(by=clinic.actor, entries=[good, future, nobody, no_vaccine, no_site, good])
    assert [o.result for o in outcomes] == ["recorded", "refused", "unknown", "unknown", "unknown", "replayed"]
    assert [o.fault.field for o in outcomes if o.fault] == ["person", "product", "site"]
    assert outcomes[0].dose_id == outcomes[5].dose_id


def test_a_correction_supersedes_and_keeps_the_old_entry(clinic: Session) -> None:
    made = actions.record_dose(by=clinic.actor, entry=dose())
    assert made.dose_id is not None
    message = uuid4()
    right = {"given_on": DAY - dt.timedelta(days=1)}
    for result in ("recorded", "replayed"):
        done = actions.correct_dose(
            by=clinic.actor,
            person_id=1,
            dose_id=made.dose_id,
            client_id=message,
            reason="Nhập nhầm ngày",
            changes=right,
        )
        assert done.result == result
    assert [d["given_on"] for d in standing(clinic)] == [right["given_on"]]
    assert len(store.doses_of_person(clinic, 1)) == 2
    with pytest.raises(NotFound):  # corrected already
        actions.correct_dose(
            by=clinic.actor, person_id=1, dose_id=made.dose_id, client_id=uuid4(), reason="Lần hai", changes=right
        )


def test_a_dose_entered_in_error_stands_no_longer_but_stays_in_the_history(clinic: Session) -> None:
    made = actions.record_dose(by=clinic.actor, entry=dose())
    assert made.dose_id is not None
    actions.correct_dose(by=clinic.actor, person_id=1, dose_id=made.dose_id, client_id=uuid4(), reason="Nhầm người")
    assert standing(clinic) == []
    assert len(store.doses_of_person(clinic, 1)) == 2


def test_a_correction_needs_a_reason(clinic: Session) -> None:
    made = actions.record_dose(by=clinic.actor, entry=dose())
    assert made.dose_id is not None
    with pytest.raises(BadInput):
        actions.correct_dose(by=clinic.actor, person_id=1, dose_id=made.dose_id, client_id=uuid4(), reason="  ")


def test_people_of_another_area_do_not_exist_for_a_station(clinic: Session) -> None:
    from khien.core.actor import Actor

    add_person(clinic, 2, unit=SOUTH)
    station = Actor(7, "station", "vaccination", frozenset({"dose.record", "dose.read"}), "{[900000001,900000002)}")
    assert actions.record_doses(by=station, entries=[dose(person_id=2)])[0].result == "unknown"
    assert actions.record_doses(by=station, entries=[dose(person_id=1)])[0].result == "recorded"
    with begin(station) as own:
        assert store.doses_of_person(own, 2) == []


def test_without_the_permission_nothing_is_recorded(clinic: Session) -> None:
    from khien.core.actor import machine

    with pytest.raises(NotAllowed):
        actions.record_dose(by=machine("vaccination"), entry=dose())


def test_every_dose_has_its_log_row(clinic: Session) -> None:
    actions.record_dose(by=clinic.actor, entry=dose())
    found = clinic.row("SELECT person_id, detail FROM access_log WHERE action = 'dose.record' AND person_id = 1")
    assert found is not None
    assert list(found["detail"]) == ["dose"]
