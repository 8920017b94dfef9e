"""Adverse events: due dates, signals, history; and declared doses that wait for their proof."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session
from khien.vaccination import actions
from khien.vaccination import store as doses
from khien.vaccination.rules.adverse_events import LotCount, add_working_days, deadlines, signals
from khien.vaccination.rules.dose_checks import DoseEntry
from khien.vaccination.store import events as store
from tests.register import add_country, add_person, add_vaccines, set_today

ZONE = store.VIET_NAM
DAY = dt.date(2021, 9, 10)  # a Friday


@pytest.fixture
def clinic(session: Session) -> Session:
    add_country(session)
    add_vaccines(session)
    add_person(session, 1)
    set_today(session, DAY)
    return session


def dose_of(session: Session, **more: object) -> int:
    told = {"client_id": uuid4(), "person_id": 1, "product": "alpha", "given_on": DAY, "lot_number": "A1", "site": "S1"}
    made = actions.record_dose(by=session.actor, entry=DoseEntry(**(told | more)))  # type: ignore[arg-type]
    assert made.dose_id is not None
    return made.dose_id


def report(session: Session, dose_id: int, **more: object) -> int:
    told = {"client_id": uuid4(), "person_id": 1, "dose_id": dose_id, "symptoms": "Sốt 39 độ", "onset_at": session.now}
    return actions.report_event(by=session.actor, **(told | more))  # type: ignore[arg-type]


def test_a_severe_reaction_is_due_within_24_hours_and_concluded_in_five_working_days() -> None:
    known = dt.datetime(2021, 9, 10, 3, 0, tzinfo=dt.UTC)  # Friday 10:00 in Viet Nam
    due = {d.id: d.due.astimezone(ZONE) for d in deadlines(known, True, store.event_rules(), ZONE)}
    assert due["report"] == dt.datetime(2021, 9, 11, 10, 0, tzinfo=ZONE)
    assert due["conclude"] == dt.datetime(2021, 9, 18, 0, 0, tzinfo=ZONE)  # the end of Friday the 17th
    [monthly] = deadlines(known, False, store.event_rules(), ZONE)
    assert monthly.due.astimezone(ZONE) == dt.datetime(2021, 10, 1, tzinfo=ZONE)
    assert monthly.document


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 40))
def test_working_days_are_counted_one_by_one(day: dt.date, count: int) -> None:
    end = add_working_days(day, count)
    between = [day + dt.timedelta(n) for n in range(1, (end - day).days + 1)]
    assert sum(d.weekday() < 5 for d in between) == count
    assert end.weekday() < 5


def test_an_event_goes_down_the_work_list_to_its_conclusion(clinic: Session) -> None:
    event_id = report(clinic, dose_of(clinic), seriousness=["hospitalisation"])
    [row] = store.work_list(clinic)
    assert (row["deadline"].id, row["late"]) == ("report", False)
    actions.update_event(by=clinic.actor, person_id=1, event_id=event_id, reported=True)
    assert store.work_list(clinic)[0]["deadline"].id == "conclude"
    with pytest.raises(BadInput):
        actions.update_event(by=clinic.actor, person_id=1, event_id=event_id, close=True)
    actions.conclude_event(by=clinic.actor, person_id=1, event_id=event_id, causality="A1", conclusion="Phản vệ độ II")
    assert store.work_list(clinic) == []
    assert clinic.value("SELECT count(*) FROM adverse_event_version") == 2


def test_a_report_that_is_not_sent_in_time_is_late(clinic: Session) -> None:
    report(clinic, dose_of(clinic), seriousness=["death"])
    set_today(clinic, DAY + dt.timedelta(2))
    assert store.work_list(clinic)[0]["late"]


def test_what_was_mild_may_become_serious_and_the_old_state_is_kept(clinic: Session) -> None:
    event_id = report(clinic, dose_of(clinic))
    assert store.work_list(clinic)[0]["deadline"].id == "monthly"
    actions.update_event(by=clinic.actor, person_id=1, event_id=event_id, seriousness=["life_threatening"])
    assert store.work_list(clinic)[0]["deadline"].id == "report"
    assert clinic.value("SELECT body->>'seriousness' FROM adverse_event_version") == "[]"


def test_a_replayed_report_is_one_event(clinic: Session) -> None:
    dose_id, message = dose_of(clinic), uuid4()
    first = report(clinic, dose_id, client_id=message)
    assert report(clinic, dose_id, client_id=message) == first
    with pytest.raises(Refused) as refusal:
        report(clinic, dose_id, client_id=message, symptoms="Khác")
    assert refusal.value.rule == "client_id_reused"


def test_bad_reports_are_refused_by_name(clinic: Session) -> None:
    dose_id = dose_of(clinic)
    with pytest.raises(Refused) as refusal:
        report(clinic, dose_id, onset_at=clinic.now - dt.timedelta(days=2))
    assert refusal.value.rule == "before_dose"
    with pytest.raises(Refused) as refusal:
        report(clinic, dose_id, onset_at=clinic.now + dt.timedelta(hours=1))
    assert refusal.value.rule == "in_the_future"
    for change, field in (({"symptoms": " "}, "symptoms"), ({"seriousness": ["bad"]}, "seriousness")):
        with pytest.raises(BadInput) as wrong:
            report(clinic, dose_id, **change)
        assert [f.field for f in wrong.value.faults] == [field]
    with pytest.raises(NotFound):
        report(clinic, dose_id + 1000)
    with pytest.raises(NotAllowed):
        actions.conclude_event(
            by=machine("vaccination", "event.report"), person_id=1, event_id=1, causality="A1", conclusion="x"
        )


def test_a_lot_with_many_events_stands_out_and_a_rare_event_does_not() -> None:
    counts = [LotCount("x", "bad", 10_000, 40), LotCount("x", "good", 90_000, 90), LotCount("x", "new", 100, 1)]
    told = {s.lot_number: s for s in signals(counts, above=1.0, events=3, confidence=0.95)}
    bad = told["bad"]
    assert bad.expected == pytest.approx(91 / 90_100 * 10_000)
    assert bad.ratio == pytest.approx((40.5 / 10_000) / (91.5 / 90_100))
    assert bad.low is not None and bad.high is not None
    assert 2.7 < bad.low < bad.ratio < bad.high < 5.9
    assert [s.lot_number for s in told.values() if s.stands_out] == ["bad"]
    assert signals([LotCount("x", "only", 10, 9)], above=1.0, events=3, confidence=0.95)[0].ratio is None


def test_signals_count_events_of_doses_that_stand(clinic: Session) -> None:
    report(clinic, dose_of(clinic))
    [signal] = [s for s in store.lot_signals(clinic) if s.lot_number == "A1"]
    assert (signal.doses, signal.events) == (1, 1)


def test_a_declared_dose_waits_until_it_is_proved(clinic: Session) -> None:
    dose_id = dose_of(clinic, evidence="declared", site=None, lot_number=None)
    assert [d["dose_id"] for d in store.declared_doses(clinic)] == [dose_id]
    message = uuid4()
    for result in ("recorded", "replayed"):
        done = actions.verify_dose(
            by=clinic.actor, client_id=message, person_id=1, dose_id=dose_id, evidence="paper",
            reason="Giấy xác nhận bản chính", changes={"lot_number": "A1"},
        )  # fmt: skip
        assert done.result == result
    assert store.declared_doses(clinic) == []
    [standing] = [d for d in doses.doses_of_person(clinic, 1) if d["superseded_by"] is None]
    assert (standing["evidence"], standing["lot_number"]) == ("paper", "A1")


def test_a_dose_of_a_site_needs_no_proof(clinic: Session) -> None:
    with pytest.raises(BadInput):
        actions.verify_dose(
            by=clinic.actor, client_id=uuid4(), person_id=1, dose_id=dose_of(clinic), evidence="paper", reason="x"
        )
