"""Coverage of a day that is past counts people where they lived, or were, on that day."""

from __future__ import annotations

import datetime as dt
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.core.session import Session
from khien.coverage import snapshot, store
from khien.coverage.store import Question
from khien.population import actions as population
from khien.population.rules.residence import Spell, present_place
from khien.vaccination import actions
from khien.vaccination.rules.dose_checks import DoseEntry
from tests.register import NORTH, SOUTH, add_country, add_person, add_vaccines, set_today
from tests.residences import residences
from tests.zones.people import reside, resident

SHOWN = [(NORTH, NORTH), (SOUTH, SOUTH)]
TODAY = dt.date(2021, 12, 1)


@pytest.fixture
def country(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(snapshot, "folder", lambda: tmp_path / "coverage")
    add_country(session)
    add_vaccines(session)
    set_today(session, TODAY)
    return session


def september(day: int) -> dt.date:
    return dt.date(2021, 9, day)


def vaccinate(session: Session, person_id: int, day: dt.date) -> None:
    entry = DoseEntry(uuid4(), person_id, "alpha", day, evidence="paper", already_given=True)
    actions.record_dose(by=session.actor, entry=entry)


def ask(session: Session, on: dt.date, *, present: bool = False) -> list[tuple[int, int]]:
    """People and those with a dose, in the north and in the south."""
    return [(c.people, c.dose1) for c in store.by_unit(session, Question(on, present=present), SHOWN)]


def five_people(session: Session) -> None:
    """1 stays. 2 moves south on the 10th, with a dose of the 5th. 3 stays in the south from the 5th to the 19th, with a
    dose of the 12th. 4 is born on the 8th. 5 dies on the 12th."""
    resident(session, 1)
    resident(session, 2)
    vaccinate(session, 2, september(5))
    resident(session, 3)
    vaccinate(session, 3, september(12))
    resident(session, 4, birth_date=september(8))
    resident(session, 5)


def what_happened(session: Session) -> None:
    by = session.actor
    population.move(by=by, person_id=2, kind="permanent", unit_id=SOUTH, from_day=september(10))
    population.move(by=by, person_id=3, kind="stay", unit_id=SOUTH, from_day=september(5), until_day=september(20))
    population.record_death(by=by, person_id=5, died_on=september(12))


@pytest.mark.parametrize("built", ["before", "after"])
def test_everybody_counts_where_they_lived_on_the_day(country: Session, built: str) -> None:
    five_people(country)
    if built == "before":  # the snapshot knows of no move: what happened is laid over it
        snapshot.build(by=country.actor)
    what_happened(country)
    if built == "after":
        assert snapshot.build(by=country.actor).people == 5
    # Living in the north: 1, 2, 3, 5 at first.
    assert ask(country, september(1)) == [(4, 0), (0, 0)]
    assert ask(country, september(9)) == [(5, 1), (0, 0)]  # 4 is born, 2 has a dose
    assert ask(country, september(10)) == [(4, 0), (1, 1)]  # 2 has moved and takes the dose along
    assert ask(country, september(12)) == [(3, 1), (1, 1)]  # 5 has died, 3 has a dose
    assert ask(country, TODAY) == [(3, 1), (1, 1)]


@pytest.mark.parametrize("built", ["before", "after"])
def test_everybody_counts_where_they_were_on_the_day(country: Session, built: str) -> None:
    five_people(country)
    if built == "before":
        snapshot.build(by=country.actor)
    what_happened(country)
    if built == "after":
        snapshot.build(by=country.actor)
    assert ask(country, september(4), present=True) == [(4, 0), (0, 0)]
    assert ask(country, september(5), present=True) == [(3, 1), (1, 0)]  # 3 is in the south, 2 has a dose
    assert ask(country, september(12), present=True) == [(2, 0), (2, 2)]  # 1, 4; 2, 3
    assert ask(country, september(20), present=True) == [(3, 1), (1, 1)]  # 3 is back


def test_a_past_residence_that_is_entered_late_counts_at_once(country: Session) -> None:
    resident(country, 1)
    snapshot.build(by=country.actor)
    changed = country.value("SELECT changed_at FROM person")
    country.execute("UPDATE person SET changed_at = changed_at - interval '1 day'")  # long before the snapshot
    population.move(
        by=country.actor, person_id=1, kind="stay", unit_id=SOUTH, from_day=september(5), until_day=september(9)
    )
    assert country.value("SELECT changed_at FROM person") > changed
    assert ask(country, september(5), present=True) == [(0, 0), (1, 0)]
    assert ask(country, TODAY, present=True) == [(1, 0), (0, 0)]


def test_doses_a_day_are_of_those_who_lived_there_on_the_day_asked(country: Session) -> None:
    five_people(country)
    what_happened(country)
    snapshot.build(by=country.actor)
    south = (SOUTH, SOUTH)
    assert store.by_day(country, Question(september(9)), south) == []
    assert store.by_day(country, Question(september(10)), south) == [(september(5), 1)]


def test_between_and_before_residences_the_nearest_known_one_counts(country: Session) -> None:
    add_person(country, 1, unit=SOUTH)
    reside(country, 1, NORTH, start="2021-09-10", end="2021-09-12")
    reside(country, 1, SOUTH, start="2021-09-15")
    snapshot.build(by=country.actor)
    lived = {day: ask(country, september(day)).index((1, 0)) for day in (1, 10, 12, 14, 15)}
    assert lived == {1: 0, 10: 0, 12: 0, 14: 0, 15: 1}


def test_doses_of_a_merged_record_count_for_the_one_that_is_kept_and_come_back(country: Session) -> None:
    resident(country, 1)
    resident(country, 2)
    vaccinate(country, 2, september(5))
    snapshot.build(by=country.actor)
    assert ask(country, TODAY) == [(2, 1), (0, 0)]
    population.merge_persons(by=country.actor, person_id=2, into=1)
    assert ask(country, TODAY) == [(1, 1), (0, 0)]
    snapshot.build(by=country.actor)
    assert ask(country, TODAY) == [(1, 1), (0, 0)]
    vaccinate(country, 1, september(20))
    assert store.by_unit(country, Question(TODAY), SHOWN)[0].complete == 1
    snapshot.build(by=country.actor)
    population.unmerge(by=country.actor, person_id=2)
    assert ask(country, TODAY) == [(2, 2), (0, 0)]
    assert store.by_unit(country, Question(TODAY), SHOWN)[0].complete == 0


def test_a_day_to_come_is_refused(country: Session) -> None:
    snapshot.build(by=country.actor)
    for on in (TODAY + dt.timedelta(1), dt.date.max):
        with pytest.raises(BadInput, match="up to today, 2021-12-01"):
            store.by_unit(country, Question(on), SHOWN)
        with pytest.raises(BadInput):
            store.by_day(country, Question(on), SHOWN[0])


numbers = count(2_000_000)
days = st.integers(-40, 40).map(lambda n: september(15) + dt.timedelta(days=n))


def home_of(spells: tuple[Spell, ...], on: dt.date) -> int:
    """The permanent residence that began last, else the first one, else what the record says (the north)."""
    permanent = [s for s in spells if s.kind == "permanent"]
    begun = [s for s in permanent if s.start <= on]
    return (begun[-1:] or permanent[:1] or [Spell("permanent", NORTH, on)])[0].unit


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(residences((NORTH, SOUTH), days), min_size=1, max_size=6),
    st.lists(days, min_size=2, max_size=4),
    st.booleans(),
)
def test_any_day_is_as_the_rules_say(
    country: Session, people: list[tuple[Spell, ...]], asked: list[dt.date], changed: bool
) -> None:
    with country.connection.transaction(force_rollback=True):
        if changed:
            snapshot.build(by=country.actor)
        for spells in people:
            home = home_of(spells, dt.date.max)
            number = add_person(country, next(numbers), unit=home)
            for spell in spells:
                reside(country, number, spell.unit, spell.kind, spell.start, spell.end)
        if not changed:
            snapshot.build(by=country.actor)
        for on in asked:
            lived = [home_of(spells, on) for spells in people]
            were = [present_place(s, on).unit or home for s, home in zip(people, lived, strict=True)]
            assert [n for n, _dosed in ask(country, on)] == [lived.count(NORTH), lived.count(SOUTH)]
            assert [n for n, _dosed in ask(country, on, present=True)] == [were.count(NORTH), were.count(SOUTH)]
