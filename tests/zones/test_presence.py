"""Where people are: the rule in Python and the set-based SQL agree on any residence; what is kept agrees with both."""

from __future__ import annotations

import datetime as dt
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.actor import machine
from khien.core.session import Session
from khien.population import actions as population
from khien.population.rules.residence import Spell, present_place
from khien.zones import actions, store
from khien.zones.rules.presence import Sighting, place_at
from tests.register import NORTH, SOUTH, add_country, add_person, set_today
from tests.residences import residences
from tests.zones.people import pass_by, reside, resident

UNITS = (900_000_000, NORTH, SOUTH)
DAY = dt.date(2021, 9, 15)
numbers = count(1_000_000)
days = st.integers(-20, 20).map(lambda n: DAY + dt.timedelta(days=n))


def enter(session: Session, people: list[tuple[Spell, ...]]) -> list[int]:
    ids = [next(numbers) for _spells in people]  # new people for each example: residence is never deleted
    for number, spells in zip(ids, people, strict=True):
        for spell in spells:
            reside(session, number, spell.unit, spell.kind, spell.start, spell.end)
    return ids


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(residences(UNITS, days), min_size=1, max_size=8), st.lists(days, min_size=1, max_size=3))
def test_sql_places_people_as_the_rule_does(
    session: Session, people: list[tuple[Spell, ...]], on: list[dt.date]
) -> None:
    add_country(session)
    ids = enter(session, people)
    asked = [(number, day) for number in ids for day in on]
    found = {
        (r["person_id"], r["day"]): (r["unit_id"], r["certainty"], r["reason"])
        for r in session.rows(
            "SELECT * FROM zone_register_place(%(p)s::bigint[], %(d)s::date[])",
            p=[a[0] for a in asked], d=[a[1] for a in asked],
        )
    }  # fmt: skip
    expected = {}
    spells_of = dict(zip(ids, people, strict=True))
    for number, day in asked:
        place = present_place(spells_of[number], day)
        expected[number, day] = (place.unit, place.certainty, place.reason)
    assert found == expected
    # One day for all persons goes another way through the same function.
    alone = session.rows("SELECT * FROM zone_register_place(%(p)s::bigint[], %(d)s::date[])", p=ids, d=[on[0]])
    assert {(r["person_id"], on[0]): (r["unit_id"], r["certainty"], r["reason"]) for r in alone} == {
        key: value for key, value in expected.items() if key[1] == on[0]
    }


NOON = dt.datetime(2021, 9, 15, 5, tzinfo=dt.UTC)  # 12:00 in Viet Nam
sightings = st.lists(
    st.builds(Sighting, st.sampled_from(UNITS), st.integers(-100, 30).map(lambda h: NOON + dt.timedelta(hours=h))),
    max_size=4, unique_by=lambda s: s.at,
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(residences(UNITS, days), sightings), min_size=1, max_size=8))
def test_sql_weighs_passages_as_the_rule_does(
    session: Session, people: list[tuple[tuple[Spell, ...], list[Sighting]]]
) -> None:
    add_country(session)
    ids = enter(session, [spells for spells, _seen in people])
    for number, (_spells, seen) in zip(ids, people, strict=True):
        for one in seen:
            pass_by(session, number, one.unit, one.at)
    query = "SELECT * FROM zone_presence(%(p)s::bigint[], %(m)s, 72)"
    found = {
        r["person_id"]: (r["unit_id"], r["certainty"], r["reason"], r["since"])
        for r in session.rows(query, p=ids, m=NOON)
    }
    expected = {}
    for number, (spells, seen) in zip(ids, people, strict=True):
        place = place_at(spells, seen, NOON, 72)
        expected[number] = (place.unit, place.certainty, place.reason, place.since)
    assert found == expected


@pytest.mark.parametrize(
    ("spells", "sighting", "answer"),
    [
        ((Spell("permanent", NORTH, dt.date(2010, 1, 1)),), (SOUTH, 2), (SOUTH, "seen", "passage")),
        ((Spell("permanent", NORTH, dt.date(2010, 1, 1)),), (SOUTH, 80), (NORTH, "registered", "permanent")),
        # A stay registered after the passage knows better; one from the same day does not.
        ((Spell("stay", NORTH, DAY, DAY + dt.timedelta(5)),), (SOUTH, 30), (NORTH, "registered", "stay")),
        ((Spell("stay", NORTH, DAY, DAY + dt.timedelta(5)),), (SOUTH, 2), (SOUTH, "seen", "passage")),
        ((), (SOUTH, 1), (SOUTH, "seen", "passage")),
    ],
)
def test_a_recent_passage_goes_before_what_the_register_knew(
    spells: tuple[Spell, ...], sighting: tuple[int, int], answer: tuple[int, str, str]
) -> None:
    unit, hours = sighting
    place = place_at(spells, [Sighting(unit, NOON - dt.timedelta(hours=hours))], NOON, 72)
    assert (place.unit, place.certainty, place.reason) == answer


def test_present_unit_kept_at_write_time_is_what_the_events_give(session: Session) -> None:
    add_country(session)
    set_today(session, DAY)
    police = machine("residence", "*")
    for number in range(1, 6):
        resident(session, number)
    spell = {"unit_id": SOUTH, "from_day": DAY - dt.timedelta(2), "until_day": DAY + dt.timedelta(3)}
    population.move(by=police, person_id=1, kind="stay", client_id=uuid4(), **spell)  # type: ignore[arg-type]
    population.move(by=police, person_id=2, kind="permanent", unit_id=SOUTH, from_day=DAY)
    population.move(by=police, person_id=3, kind="absence", unit_id=NORTH, from_day=DAY)
    population.move(by=police, person_id=4, kind="stay", **spell)  # type: ignore[arg-type]
    population.end_residence(by=police, person_id=4, kind="stay", on=DAY)
    assert store.stale_presence(session, DAY) == 0
    kept = {r["person_id"]: r["present_unit"] for r in session.rows("SELECT person_id, present_unit FROM person")}
    assert kept == {1: SOUTH, 2: SOUTH, 3: NORTH, 4: NORTH, 5: NORTH}


def test_a_stay_that_ended_without_anybody_typing_is_caught_up(session: Session) -> None:
    add_country(session)
    set_today(session, DAY)
    resident(session, 1)
    population.move(
        by=machine("residence", "*"), person_id=1, kind="stay", unit_id=SOUTH, from_day=DAY,
        until_day=DAY + dt.timedelta(3),
    )  # fmt: skip
    later = DAY + dt.timedelta(3)
    assert store.stale_presence(session, later) == 1
    assert actions.refresh_presence(by=machine("residence", "*"), on=later) == 1
    assert store.stale_presence(session, later) == 0


def test_presence_of_one_person_is_logged(session: Session) -> None:
    add_country(session)
    add_person(session, 1)
    reside(session, 1)
    found = store.presence(session, 1, NOON)
    assert (found.unit, found.certainty, found.since) == (NORTH, "registered", dt.date(2010, 1, 1))
    assert session.value("SELECT count(*) FROM access_log WHERE person_id = 1 AND action = 'zone.people'") == 1
