"""Figures behind the grades: cases by report and onset, coverage of exactly the right people, what is in force."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from khien.core.actor import machine
from khien.core.errors import BadInput
from khien.core.session import Session
from khien.zones import actions, grading
from khien.zones.actions import Signed
from tests.register import NORTH, SOUTH, add_country, add_vaccines, set_today
from tests.zones.people import resident, units

DESK = machine("epidemic-control", "*")
ON = dt.date(2021, 11, 26)
HEAD = "commune,reported_on,onset_on,cases\n"


@pytest.fixture(autouse=True)
def country(session: Session) -> None:
    add_country(session)
    add_vaccines(session)
    set_today(session, ON)


def load(tmp_path: Path, text: str) -> int:
    file = tmp_path / "cases.csv"
    file.write_text(HEAD + text, encoding="utf-8")
    return actions.load_cases(by=DESK, path=file)


def graded(session: Session, unit: int = NORTH, **more: str) -> grading.Graded:
    return next(g for g in grading.proposals(session, ON, **more) if g.unit_id == unit)


def dose(session: Session, person_id: int, on: str) -> None:
    session.execute(
        "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)"
        " VALUES (%(p)s, gen_random_uuid(), 'alpha', %(on)s, now())",
        p=person_id, on=on,
    )  # fmt: skip


def test_cases_count_by_report_and_late_ones_apart(session: Session, tmp_path: Path) -> None:
    resident(session, 1)
    changed = load(
        tmp_path,
        "T1,2021-11-26,2021-11-24,3\nT1,2021-11-20,,2\nT1,2021-11-19,2021-11-18,50\nT1,2021-11-25,2021-10-01,7\n"
        "T1,2021-11-25,2021-11-11,1\n",
    )
    assert changed == 5
    cases = graded(session).facts.cases
    assert (cases.counted, cases.late, cases.spike) == (6, 7, 2)
    assert graded(session, basis="fortnight").facts.cases.counted == 56


def test_the_same_file_again_changes_nothing_and_a_correction_replaces(session: Session, tmp_path: Path) -> None:
    assert load(tmp_path, "T1,2021-11-26,,3\n") == 1
    assert load(tmp_path, "T1,2021-11-26,,3\n") == 0
    assert load(tmp_path, "T1,2021-11-26,,5\n") == 1
    assert graded(session).facts.cases.counted == 5


def test_a_bad_file_names_its_faults_and_loads_nothing(session: Session, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load(
            tmp_path,
            "T1,2021-11-26,,3\nT9,2021-11-26,,3\nT1,26/11/2021,,3\nT1,2021-11-26,2021-11-27,x\nT1,2021-11-26,,3\n",
        )
    assert {(f.line, f.field) for f in caught.value.faults} == {
        (3, "commune"), (4, "reported_on"), (5, "cases"), (5, "onset_on"), (6, "commune"),
    }  # fmt: skip
    assert graded(session).facts.cases.counted == 0


def test_coverage_is_of_the_living_residents(session: Session) -> None:
    for number in (1, 2, 3):
        resident(session, number)
    resident(session, 4, birth_date=dt.date(1950, 1, 1))
    resident(session, 5, birth_date=dt.date(1950, 1, 1))
    resident(session, 6, died_on=dt.date(2021, 11, 1))
    resident(session, 7, birth_date=dt.date(2010, 1, 1))
    resident(session, 8, SOUTH)
    for number, day in ((1, "2021-09-01"), (2, "2021-12-01"), (4, "2021-09-01"), (4, "2021-10-01"), (5, "2021-09-01"),
                        (6, "2021-09-01"), (7, "2021-09-01"), (8, "2021-09-01")):  # fmt: skip
        dose(session, number, day)
    facts = graded(session).facts
    assert (facts.population, facts.adults, facts.old) == (6, 3 / 5, 1 / 2)


def test_the_grade_in_force_and_the_capacity_stand_beside(session: Session, tmp_path: Path) -> None:
    resident(session, 1)
    actions.open_zone(by=DESK, name="x", area=units(session, NORTH), grade=3, signed=Signed("QĐ", "CT"))
    assert graded(session).facts.current == 3
    assert graded(session).proposal.grade == 1
    actions.report_capacity(by=DESK, unit_id=NORTH, sufficient=False)
    assert graded(session).proposal.grade == 3
    assert graded(session, SOUTH).facts.current is None
    load(tmp_path, "T1,2021-11-26,2021-08-01,151919\n")
    found = graded(session)
    assert (found.proposal.report, found.proposal.grade) == ("anomalous", 3)
    assert grading.changed(grading.proposals(session, ON)) == []  # nobody lives in the south
