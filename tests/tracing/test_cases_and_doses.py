"""A confirmed case puts the person's next dose off by itself, where the programme says so; refuted, it never did."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest

from khien.core.actor import machine
from khien.core.errors import NotAllowed
from khien.core.session import Session
from khien.tracing import actions
from khien.tracing.actions import CaseEntry
from khien.vaccination import due
from khien.vaccination.actions import note_health_fact, withdraw_infection
from khien.vaccination.store import desk, schedule
from khien.vaccination.store import people as store
from tests.register import NORTH
from tests.tracing.town import ALL
from tests.vaccination.test_schedule_of_recorded_doses import clinic

__all__ = ["clinic"]
DAY = dt.date(2021, 9, 15)
ONSET = dt.date(2021, 9, 10)
LATER = dt.date(2022, 3, 10)  # six months after the onset: Decision 4355
DESK = {"programme": "covid_19_vn_2021", "vaccine_group": "COVID-19", "product": "pfizer"}


def case(**more: object) -> CaseEntry:
    return replace(CaseEntry(uuid4(), 1, onset_on=ONSET), **more)  # type: ignore[arg-type]


def next_dose(session: Session) -> dt.date:
    """As the desk sees it. The person's record and the list of who is due say the same."""
    earliest = desk.advice(session, DESK, 1).earliest
    assert earliest is not None
    [row] = schedule.courses(session, 1, language="vi")
    assert row["earliest"] == str(earliest)
    due.find_due(session, "covid_19_vn_2021", f"{{[{NORTH},{NORTH}]}}", DAY)
    assert (1 in [one["person_id"] for one in due.due_people(session)]) == (earliest <= DAY)
    return earliest


def log_rows(session: Session) -> int:
    found: int = session.value(
        "SELECT count(*) FROM access_log WHERE action = 'case.report' AND jsonb_exists(detail, 'fact')"
    )
    return found


def test_a_confirmed_case_puts_the_next_dose_off_and_a_replay_changes_nothing(clinic: Session) -> None:
    assert next_dose(clinic) <= DAY
    entry = case()
    for _copy in range(2):
        actions.report_case(by=ALL, entry=entry)
    assert next_dose(clinic) == LATER
    [fact] = store.health_facts(clinic, 1)
    assert (fact["code"], fact["since"], fact["source"]) == ("covid-19", ONSET, "case")
    assert log_rows(clinic) == 1


def test_only_a_confirmed_case_does_and_then_from_its_sample_where_nobody_fell_ill(clinic: Session) -> None:
    number = actions.report_case(by=ALL, entry=case(state="suspected", onset_on=None, sampled_on=ONSET)).case_id
    assert next_dose(clinic) <= DAY
    actions.change_case(by=ALL, person_id=1, case_id=number, state="confirmed")
    assert next_dose(clinic) == LATER
    # it has another onset than was thought, and is over: the interval still runs, from the true day
    actions.change_case(by=ALL, person_id=1, case_id=number, state="recovered", onset_on=dt.date(2021, 9, 8))
    assert next_dose(clinic) == dt.date(2022, 3, 8)
    assert len(store.health_facts(clinic, 1)) == 1


def test_a_refuted_case_never_put_anything_off(clinic: Session) -> None:
    number = actions.report_case(by=ALL, entry=case()).case_id
    actions.change_case(by=ALL, person_id=1, case_id=number, state="refuted", reason="PCR âm tính")
    assert next_dose(clinic) <= DAY
    [fact] = store.health_facts(clinic, 1)
    assert (fact["since"], fact["holds"], fact["withdrawn"]) == (None, False, True)
    assert log_rows(clinic) == 2  # noted and taken back: both stay in the log


def test_what_a_desk_noted_by_itself_is_not_taken_back_with_the_case(clinic: Session) -> None:
    note_health_fact(by=clinic.actor, client_id=uuid4(), person_id=1, code="covid-19", since=ONSET)
    number = actions.report_case(by=ALL, entry=case()).case_id
    actions.change_case(by=ALL, person_id=1, case_id=number, state="refuted", reason="PCR âm tính")
    assert next_dose(clinic) == LATER


def test_a_disease_that_no_programme_asks_about_is_not_noted(clinic: Session) -> None:
    actions.report_case(by=ALL, entry=case(disease="dengue"))
    assert store.health_facts(clinic, 1) == []


def test_who_may_not_report_cases_neither_notes_nor_withdraws_an_infection(clinic: Session) -> None:
    with pytest.raises(NotAllowed):
        withdraw_infection(by=machine("vaccination", "desk.work"), client_id=uuid4(), person_id=1)
