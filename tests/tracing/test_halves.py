"""Two sessions that each follow half of the first degree find together what one finds alone, or leave it to one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Rollback

from khien.core import config, pool
from khien.core.actor import machine
from khien.core.session import Session, begin
from khien.tracing import actions, store
from khien.tracing.contact import Contact
from khien.tracing.found import Found, whole
from khien.tracing.rules import exposure
from tests.register import set_today
from tests.tracing.brute import Visit
from tests.tracing.test_against_brute_force import MOMENT, ONSET, PEOPLE, PLACES, visits
from tests.tracing.test_bounds import crowd
from tests.tracing.town import ALL, add_home, add_people, add_places, add_visits, at, report

LIMITS = dict(exposure.limits())


@pytest.fixture
def town(session: Session) -> Session:
    add_people(session, PEOPLE)
    add_home(session, 1, 2, 3)
    set_today(session, dt.date(2021, 8, 20))
    return session


@contextmanager
def same(session: Session) -> Iterator[Session]:
    """In place of a second session, which would not see what the test has not committed."""
    yield session


def traced(cases: list[int], *, halves: bool, **limits: int) -> list[actions.Traced]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exposure, "limits", lambda: {**LIMITS, "halves_from": 1, **limits})
        if halves:
            patched.setattr(store, "beside", same)
        return actions.trace(by=ALL, persons=cases, depth=2, moment=MOMENT, keep=False)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(visits(), max_size=24), cased=st.sets(st.integers(1, PEOPLE), min_size=1, max_size=3))
def test_halves_find_what_one_search_finds(town: Session, told: list[Visit], cased: set[int]) -> None:
    told = list({(v.person, v.place, v.came): v for v in told}.values())
    with town.connection.transaction() as inner:
        add_visits(town, add_places(town, **PLACES), told)
        for person in cased:
            report(person, ONSET)
        halves, alone = (traced(sorted(cased), halves=halves) for halves in (True, False))
        raise Rollback(inner)
    assert [one.contacts for one in halves] == [one.contacts for one in alone]
    assert [sorted(map(str, one.cuts)) for one in halves] == [sorted(map(str, one.cuts)) for one in alone]


def crowds(session: Session) -> None:
    """A case who met two people, each of whom met many two days later."""
    places = add_places(session, home="work", low="market", high="market")
    crowd(session, places["low"], 30, first=1000)
    crowd(session, places["high"], 30, first=2000)
    together = [Visit(person, "home", at(14, 8), at(14, 9)) for person in (4, 5, 6)]
    later = [Visit(5, "low", at(16, 18), at(16, 20)), Visit(6, "high", at(16, 18), at(16, 20))]
    add_visits(session, places, together + later)
    report(4, ONSET)


def searches(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Which searches are made: None for one alone, else the half."""
    made: list[int | None] = []
    ask = store._traced
    monkeypatch.setattr(store, "_traced", lambda session, asked: made.append(asked["half"]) or ask(session, asked))
    return made


def test_a_share_that_is_too_much_work_is_left_to_one_search(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    crowds(town)
    made, limits = searches(monkeypatch), {"most_exposures": 50, "exposures_a_case": 0}
    halves = traced([4], halves=True, **limits)
    assert sorted(made, key=str) == [0, 1, None]
    assert halves == traced([4], halves=False, **limits)
    assert [cut["cut"] for cut in halves[0].cuts] == ["work"]


def test_where_a_crowd_was_cut_one_search_follows_all(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    places = add_places(town, hall="work")
    crowd(town, places["hall"], 30, day=14)
    crowd(town, places["hall"], 30, day=18)
    add_visits(town, places, [Visit(4, "hall", at(14, 18), at(14, 20))])
    report(4, ONSET)
    made = searches(monkeypatch)
    halves = traced([4], halves=True, most_met=10)
    assert sorted(made, key=str) == [0, 1]
    assert halves == traced([4], halves=False, most_met=10)
    assert [(cut["cut"], cut["total"]) for cut in halves[0].cuts] == [("crowd", 30), ("crowded", 10)]


def test_what_was_derived_just_now_is_not_looked_for_elsewhere(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    crowds(town)
    made = searches(monkeypatch)
    monkeypatch.setattr(actions.derive, "derive", lambda *_, **__: 1)
    traced([4], halves=True)
    assert made == [None]


def test_where_the_second_session_breaks_one_search_follows_all(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_people(session, PEOPLE)
        crowds(session)
    with pool.connection("khien_app"):
        pass
    with begin(ALL), pool.connection("khien_app"):
        pass  # so that there is a second one
    made, ask = searches(monkeypatch), store._traced

    def broken(session: Session, asked: dict[str, object]) -> list[Found]:
        if asked["half"] == 1:
            with psycopg.connect(config.database_dsn("khien_app"), autocommit=True) as third:
                third.execute("SELECT pg_terminate_backend(%s, 10000)", [session.connection.info.backend_pid])
        return ask(session, asked)

    monkeypatch.setattr(exposure, "limits", lambda: {**LIMITS, "halves_from": 1})
    monkeypatch.setattr(store, "_traced", broken)
    found = actions.trace(by=ALL, persons=[4], depth=2, moment=MOMENT, keep=False)
    assert sorted(made, key=str) == [0, 1, None]
    assert found == traced([4], halves=False)
    assert len(found[0].contacts) > 60


def part(degree: int, *rows: tuple[int, int, float], texts: list[str] | None = None) -> Found:
    """Rows of (through whom, who, score)."""
    via, person, score = (np.array(column) for column in zip(*rows, strict=True))
    some = np.zeros(len(rows))
    return Found(degree, 7, (via, person, score, some, some, some), texts or [str(row) for row in rows])


def test_the_likeliest_way_is_kept_and_of_equal_ones_the_lowest_number() -> None:
    first = [
        part(1, (0, 3, 0.5)),
        part(2, (0, 0, 0), (3, 8, 0.2), (3, 9, 0.4), (5, 10, 0.1), texts=["[]", "a", "b", "c"]),
    ]
    second = [part(2, (0, 0, 0), (4, 8, 0.3), (4, 10, 0.1), texts=["[]", "d", "e"])]
    found = whole(first, second)
    assert found is not None
    assert found[0].contacts() == [Contact(1, 7, None, 3, 0.5, 0, 0, 0, "(0, 3, 0.5)")]
    assert [(c.person_id, c.via_person_id, c.score, c.found) for c in found[1].contacts()] == [
        (9, 3, 0.4, "b"), (8, 4, 0.3, "d"), (10, 4, 0.1, "e"),
    ]  # fmt: skip
    assert whole(first, [part(2, (4, 8, 0.3))]) is None
    assert whole(alone := [part(2, (4, 8, 0.3))], second) == alone
