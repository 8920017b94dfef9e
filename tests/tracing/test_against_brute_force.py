"""The search in the database finds what the slow way finds: open intervals, midnight, time zones, zero overlaps."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Rollback

from khien.core.session import Session
from khien.tracing import actions, backward
from khien.tracing.contact import told_exposures
from khien.tracing.rules import exposure
from khien.tracing.rules.window import exposure_window
from tests.register import set_today
from tests.tracing import brute
from tests.tracing.brute import Visit
from tests.tracing.town import ALL, add_home, add_people, add_places, add_visits, at, report

PEOPLE = 6
PLACES = {"m": "market", "w": "work"}
RATES = {"m": 0.08, "w": 0.10, "household": 0.20}
SHARES = (-3, [0.02, 0.08, 0.13, 0.17, 0.17, 0.14, 0.10, 0.07, 0.05, 0.03, 0.02, 0.01, 0.01], 0.08)
ONSET = dt.date(2021, 8, 15)
MOMENT = at(20, 10)
_ZONES = [dt.timezone(dt.timedelta(hours=h)) for h in (0, 7, -5)]


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    # A coarse grid, so that visits touch, coincide and cross midnight often.
    came = at(11) + dt.timedelta(minutes=30 * draw(st.integers(0, 48 * 9)))
    length = draw(st.sampled_from([None, 0, 5, 30, 60, 65, 240, 270, 1440, 1500, 3 * 1440]))
    zone = draw(st.sampled_from(_ZONES))
    left = None if length is None else (came + dt.timedelta(minutes=length)).astimezone(zone)
    return Visit(draw(st.integers(1, PEOPLE)), draw(st.sampled_from(sorted(PLACES))), came.astimezone(zone), left)


@pytest.fixture
def town(session: Session) -> Session:
    add_people(session, PEOPLE)
    add_home(session, 1, 2, 3)
    set_today(session, dt.date(2021, 8, 20))
    return session


def _unique(told: list[Visit]) -> list[Visit]:
    """One visit a person, place and moment of arrival, as the register keeps it."""
    return list({(v.person, v.place, v.came): v for v in reversed(told)}.values())


def _told(
    person_id: int, degree: int, via_person_id: int | None, seconds: int, first_at: dt.datetime, last_at: dt.datetime,
    exposures: list[dict[str, Any]],
) -> tuple[Any, ...]:  # fmt: skip
    """What is known of a contact, moments as moments however they are written."""
    times = [{**e, **{end: dt.datetime.fromisoformat(e[end]) for end in ("from", "until")}} for e in exposures]
    return degree, via_person_id, seconds, first_at, last_at, times


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(visits(), max_size=24), depth=st.integers(1, 3), cased=st.integers(1, PEOPLE))
def test_same_contacts_as_brute_force(town: Session, told: list[Visit], depth: int, cased: int) -> None:
    told = _unique(told)
    found: dict[int, Any] = {}
    with town.connection.transaction() as inner:
        add_visits(town, add_places(town, **PLACES), told)
        report(cased, ONSET)
        answer = actions.trace(by=ALL, persons=[cased], depth=depth, moment=MOMENT)[0]
        found = {c.person_id: c for c in answer.contacts}
        start, end = answer.window.start, answer.window.end
        kept = town.rows("SELECT person_id, degree, via_person_id, seconds, first_at, last_at, exposures FROM contact")
        raise Rollback(inner)
    assert {k["person_id"]: _told(**k | {"exposures": told_exposures(k["exposures"])}) for k in kept} == {
        p: _told(p, c.degree, c.via_person_id, c.seconds, c.first_at, c.last_at, c.exposures) for p, c in found.items()
    }
    expected = brute.trace(
        cased, start, end, ONSET, MOMENT, depth, dt.timedelta(hours=48), visits=told, homes=[(2, 1), (3, 1)],
        rates=RATES, minutes=0, shares=SHARES,
    )  # fmt: skip
    assert {p: c.degree for p, c in found.items()} == {p: degree for p, (degree, _) in expected.items()}
    for person, (_, one) in expected.items():
        assert found[person].score == pytest.approx(one.score, abs=1e-9)
    for person, (degree, one) in expected.items():
        if degree == 1:  # through whom an F2 is one may be a tie
            assert abs(found[person].seconds - one.seconds) <= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(visits(), max_size=24), cased=st.sets(st.integers(1, PEOPLE), min_size=2, max_size=4))
def test_many_at_once_are_as_each_by_itself(town: Session, told: list[Visit], cased: set[int]) -> None:
    with town.connection.transaction() as inner:
        add_visits(town, add_places(town, **PLACES), _unique(told))
        for person in cased:
            report(person, ONSET)
        together = actions.trace(by=ALL, persons=sorted(cased), moment=MOMENT, keep=False)
        alone = [actions.trace(by=ALL, persons=[p], moment=MOMENT, keep=False)[0] for p in sorted(cased)]
        raise Rollback(inner)
    for one, other in zip(sorted(together, key=lambda t: t.person_id), alone, strict=True):
        assert one.contacts == other.contacts


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(visits(), max_size=24), cased=st.sets(st.integers(1, PEOPLE), min_size=2, max_size=4))
def test_some_sources_at_a_time_find_what_all_at_once_find(town: Session, told: list[Visit], cased: set[int]) -> None:
    limits, found = exposure.limits(), []
    with town.connection.transaction() as inner:
        add_visits(town, add_places(town, **PLACES), _unique(told))
        for person in cased:
            report(person, ONSET)
        for many in (1, 2, 1000):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(exposure, "limits", lambda many=many: {**limits, "sources_at_a_time": many})
                traced = actions.trace(by=ALL, persons=sorted(cased), depth=3, moment=MOMENT, keep=False)
            found.append([one.contacts for one in traced])
        raise Rollback(inner)
    assert found[0] == found[1] == found[2]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(visits(), max_size=24), cased=st.sets(st.integers(1, PEOPLE), min_size=1, max_size=4))
def test_backward_finds_every_case_who_was_there_and_nobody_else(
    town: Session, told: list[Visit], cased: set[int]
) -> None:
    told = _unique(told)
    infected = min(cased)
    case = {"person_id": infected, "onset_on": ONSET, "sampled_on": None}
    with town.connection.transaction() as inner:
        add_visits(town, add_places(town, **PLACES), told)
        for person in cased:
            report(person, ONSET)
        back = backward.suspects(by=ALL, cases=[case], moment=MOMENT)[infected]
        raise Rollback(inner)
    window = exposure_window(ONSET, None, moment=MOMENT)
    met = brute.step(infected, window.start, window.end, None, told, [(2, 1), (3, 1)], RATES, 0, SHARES)
    assert {one.infector for one in back} == set(met) & cased
    for one in back:
        hazard = sum(row["hazard"] for row in one.exposures)
        assert hazard == pytest.approx(met[one.infector].hazard, abs=1e-9)
    assert sum(one.certainty for one in back) <= 1
