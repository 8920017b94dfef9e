"""Coverage figures against a plain count in Python."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.actor import machine
from khien.core.errors import NotFound
from khien.core.server import databases
from khien.core.session import Session, begin
from khien.coverage import snapshot, store
from khien.coverage.store import Question
from khien.vaccination import actions
from khien.vaccination.rules.dose_checks import DoseEntry
from tests.register import NORTH, SOUTH, add_country, add_person, add_vaccines, set_today

SHOWN = [(NORTH, NORTH), (SOUTH, SOUTH)]
SERIES = {"alpha": 2, "beta": 2, "solo": 1}


@pytest.fixture
def country(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(snapshot, "folder", lambda: tmp_path / "coverage")
    add_country(session)
    add_vaccines(session)
    set_today(session, dt.date(2021, 12, 1))
    return session


def give(session: Session, person_id: int, day: dt.date, product: str = "alpha", evidence: str = "paper") -> int | None:
    entry = DoseEntry(uuid4(), person_id, product, day, evidence=evidence, already_given=True)
    return actions.record_dose(by=session.actor, entry=entry).dose_id


def test_before_the_first_snapshot_there_is_a_clear_answer(country: Session) -> None:
    with pytest.raises(NotFound, match="khien coverage build"):
        store.by_unit(country, Question(dt.date(2021, 9, 1)), SHOWN)


def test_a_dose_counts_the_moment_it_is_recorded_and_stops_when_corrected(country: Session) -> None:
    add_person(country, 1)
    add_person(country, 2)
    snapshot.build(by=country.actor)
    question = Question(dt.date(2021, 12, 1))
    assert store.by_unit(country, question, SHOWN)[0].dose1 == 0
    made = give(country, 1, dt.date(2021, 9, 1))
    north, south = store.by_unit(country, question, SHOWN)
    assert (north.people, north.dose1, north.complete, north.share("dose1")) == (2, 1, 0, 0.5)
    assert (south.people, south.share("dose1")) == (0, None)
    assert made is not None
    actions.correct_dose(by=country.actor, person_id=1, dose_id=made, client_id=uuid4(), reason="Nhầm người")
    assert store.by_unit(country, question, SHOWN)[0].dose1 == 0


def test_people_who_are_being_loaded_are_waited_for(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before they were there would say so until the next night."""
    monkeypatch.setattr(snapshot, "folder", lambda: tmp_path / "coverage")
    actor = machine("test", "*")
    with begin(actor, role="khien_loader") as session:
        add_country(session)
        add_person(session, 1)
    with databases.connect_admin(fresh_database) as load, ThreadPoolExecutor(1) as beside:
        load.execute("BEGIN; LOCK TABLE person")
        building = beside.submit(snapshot.build, by=actor)
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'person'::regclass"
        while load.execute(waits).fetchone() == (0,):
            assert not building.done()
        load.execute(
            "INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit, changed_at)"
            " SELECT 2, name, name_key, birth_date, sex, home_unit, present_unit, now() - interval '1 hour' FROM person"
        )
        load.execute("COMMIT")
        assert building.result(timeout=60).people == 2


def test_a_declared_dose_never_counts(country: Session) -> None:
    add_person(country, 1)
    give(country, 1, dt.date(2021, 9, 1), evidence="declared")
    snapshot.build(by=country.actor)
    assert store.by_unit(country, Question(dt.date(2021, 12, 1)), SHOWN)[0].dose1 == 0


people = st.lists(
    st.tuples(
        st.sampled_from([NORTH, SOUTH]),
        st.dates(dt.date(1930, 1, 1), dt.date(2021, 8, 1)),
        st.one_of(st.none(), st.dates(dt.date(2021, 8, 1), dt.date(2021, 12, 1))),
        st.lists(
            st.tuples(st.dates(dt.date(2021, 8, 1), dt.date(2021, 11, 30)), st.sampled_from(sorted(SERIES))),
            max_size=4, unique_by=lambda d: d[0],
        ),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people, st.dates(dt.date(2021, 8, 1), dt.date(2021, 12, 1)), st.integers(0, 60), st.booleans())
def test_the_figures_are_those_of_a_plain_count(
    country: Session, group: list, on: dt.date, min_age: int, late: bool
) -> None:
    with country.connection.transaction(force_rollback=True):
        kept = []
        if late:  # the snapshot is older than everything
            snapshot.build(by=country.actor)
        for n, (unit, born, died, doses) in enumerate(group, 1):
            add_person(country, n, unit=unit, birth_date=born, died_on=died)
            given_doses = sorted(d for d in doses if died is None or d[0] <= died)
            for day, product in given_doses:
                give(country, n, day, product)
            kept.append((unit, born, died, given_doses))
        if not late:
            snapshot.build(by=country.actor)
        found = store.by_unit(country, Question(on, min_age=min_age), SHOWN)
    for figures in found:
        alive = [
            doses for unit, born, died, doses in kept
            if unit == figures.unit_id and age(born, on) >= min_age and (died is None or died > on)
        ]  # fmt: skip
        assert figures.people == len(alive)
        assert figures.dose1 == sum(any(day <= on for day, _ in doses) for doses in alive)
        assert figures.complete == sum(complete(doses, on) for doses in alive)
        assert figures.complete <= figures.dose1 <= figures.people


def age(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def complete(doses: list, on: dt.date) -> bool:
    return any(day <= on and nth >= SERIES[product] for nth, (day, product) in enumerate(doses, 1))
