"""Whatever is entered, in whatever order: the places kept at write time are those that the events give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.actor import machine
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session
from khien.population import actions as population
from khien.population import store as register
from khien.population.rules.residence import Kind, present_place
from khien.zones import store
from khien.zones.rules.presence import Sighting, place_at
from tests.register import NORTH, SOUTH, add_country, set_today
from tests.zones.people import pass_by, resident

DAY = dt.date(2021, 9, 15)
NOON = dt.datetime(2021, 9, 15, 5, tzinfo=dt.UTC)  # 12:00 in Viet Nam
POLICE = machine("residence", "*")
PEOPLE = (1, 2, 3)
Step = Callable[[Session], object]

people = st.sampled_from(PEOPLE)
units = st.sampled_from((NORTH, SOUTH))
kinds: st.SearchStrategy[Kind] = st.sampled_from(("permanent", "temporary", "stay", "absence"))
days = st.integers(-50, 20).map(lambda n: DAY + dt.timedelta(days=n))
past = st.integers(-50, 0).map(lambda n: DAY + dt.timedelta(days=n))


@st.composite
def moves(draw: st.DrawFn) -> Step:
    person, kind, unit, first = draw(people), draw(kinds), draw(units), draw(days)
    last = draw(st.none() | st.integers(1, 60).map(lambda n: first + dt.timedelta(days=n)))
    return lambda _s: population.move(
        by=POLICE, person_id=person, kind=kind, unit_id=unit, from_day=first, until_day=last
    )


@st.composite
def ends(draw: st.DrawFn) -> Step:
    person, kind, on = draw(people), draw(st.sampled_from(("temporary", "stay", "absence"))), draw(days)
    return lambda _s: population.end_residence(by=POLICE, person_id=person, kind=kind, on=on)  # type: ignore[arg-type]


@st.composite
def corrections(draw: st.DrawFn) -> Step:
    person, name = draw(people), draw(st.sampled_from(("Trần Văn Mẫu", "Lê Thị Thử")))
    return lambda _s: population.correct_person(by=POLICE, person_id=person, name=name)


@st.composite
def deaths(draw: st.DrawFn) -> Step:
    person, on = draw(people), draw(st.none() | past)
    return lambda _s: population.record_death(by=POLICE, person_id=person, died_on=on)


@st.composite
def merges(draw: st.DrawFn) -> Step:
    person, into = draw(people), draw(people)
    if draw(st.booleans()):
        return lambda _s: population.unmerge(by=POLICE, person_id=person)
    return lambda _s: population.merge_persons(by=POLICE, person_id=person, into=into)


@st.composite
def undone(draw: st.DrawFn) -> Step:
    """A move that is taken back after another one may have come in between."""
    person, unit, first, meanwhile = draw(people), draw(units), draw(days), draw(st.none() | moves())
    last = first + dt.timedelta(days=draw(st.integers(1, 20)))

    def step(session: Session) -> None:
        message = uuid4()
        population.move(
            by=POLICE, person_id=person, kind="stay", unit_id=unit, from_day=first, until_day=last, client_id=message
        )
        if meanwhile:
            meanwhile(session)
        change = session.value(
            "SELECT change_id FROM register_change WHERE person_id = %(p)s ORDER BY at, change_id LIMIT 1", p=person
        )
        if change:
            population.undo_residence(by=POLICE, change_id=change)

    return step


@st.composite
def passages(draw: st.DrawFn) -> Step:
    person, unit, hours = draw(people), draw(units), draw(st.integers(-100, 20))
    return lambda session: pass_by(session, person, unit, NOON + dt.timedelta(hours=hours, seconds=uuid4().int % 3600))


def test_a_longer_stay_takes_a_shorter_one_in_and_gives_it_back_when_undone(session: Session) -> None:
    add_country(session)
    set_today(session, DAY)
    resident(session, 1)

    def stays() -> list[tuple[int, dt.date, dt.date | None]]:
        return [(s.unit, s.start, s.end) for s in register.spells(session, 1) if s.kind == "stay"]

    def stay(unit: int, first: int, last: int, message: UUID | None = None) -> None:
        population.move(
            by=POLICE, person_id=1, kind="stay", unit_id=unit, client_id=message,
            from_day=DAY + dt.timedelta(days=first), until_day=DAY + dt.timedelta(days=last),
        )  # fmt: skip

    stay(SOUTH, -3, 2)
    before, message = stays(), uuid4()
    stay(NORTH, -5, 10, message)
    assert stays() == [(NORTH, DAY - dt.timedelta(days=5), DAY + dt.timedelta(days=10))]
    population.undo_residence(by=POLICE, change_id=message)
    assert stays() == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moves() | moves() | ends() | corrections() | deaths() | merges() | undone() | passages(), max_size=10))
def test_places_kept_are_those_of_the_events(session: Session, steps: list[Step]) -> None:
    with session.connection.transaction(force_rollback=True):
        add_country(session)
        set_today(session, DAY)
        for number in PEOPLE:
            resident(session, number)
        for step in steps:
            with suppress(BadInput, NotFound):  # what the law or the register refuses changes nothing
                step(session)
        assert store.stale_presence(session, DAY) == 0
        for number in PEOPLE:
            spells = register.spells(session, number)
            kept = session.row("SELECT home_unit, present_unit FROM person WHERE person_id = %(p)s", p=number)
            home = [s.unit for s in spells if s.kind == "permanent" and s.covers(DAY)]
            assert kept is not None
            assert kept["present_unit"] == present_place(spells, DAY).unit
            assert kept["home_unit"] in (home or (NORTH, SOUTH))  # without one, that of the last
            seen = session.rows("SELECT to_unit, passed_at FROM passage WHERE person_id = %(p)s", p=number)
            expected = place_at(spells, [Sighting(r["to_unit"], r["passed_at"]) for r in seen], NOON, 72)
            assert store.presence(session, number, NOON) == expected
