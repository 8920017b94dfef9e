"""After units have changed, people of the old ones count in what followed, each exactly once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.session import Session
from khien.coverage import snapshot, store
from khien.coverage.store import Question
from khien.territory import store as territory
from tests.register import add_person, add_vaccines, set_today

OLD, NEW = 910_000_000, 920_000_000  # the two countries: ids of their units follow in pre-order
CHANGE = dt.date(2025, 7, 1)
BEFORE, AFTER = dt.date(2025, 6, 30), dt.date(2025, 8, 1)

# Old: a province (1) with communes 2 to 6, a second one (7) with 8. New: a province (1) with communes 2 to 4.
SAME, MERGED_A, MERGED_B, SPLIT, UNKNOWN, ELSEWHERE = (OLD + n for n in (2, 3, 4, 5, 6, 8))
FOLLOWED_SAME, FOLLOWED_MERGED, PART = (NEW + n for n in (2, 3, 4))
SUCCESSION = [
    (OLD + 1, NEW + 1, "merged"), (OLD + 7, NEW + 1, "merged"),
    (SAME, FOLLOWED_SAME, "same"), (MERGED_A, FOLLOWED_MERGED, "merged"), (MERGED_B, FOLLOWED_MERGED, "merged"),
    (SPLIT, FOLLOWED_MERGED, "split"), (SPLIT, PART, "split"), (ELSEWHERE, PART, "merged"),
]  # fmt: skip


def add_units(session: Session, system: str, first: int, spans: list[tuple[int, int, int]], valid: str) -> None:
    """Units of `spans` (number, last, parent) below a root."""
    session.execute(
        "INSERT INTO unit_system (system, country, first_id, source, version)"
        " VALUES (%(system)s, '', %(first)s, 't', '1')",
        system=system, first=first,
    )  # fmt: skip
    for number, last, parent in spans:
        level = 0 if number == 0 else 1 if parent == 0 else 3
        session.execute(
            "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid) VALUES"
            " (%(id)s, %(last)s, %(system)s, %(code)s, %(level)s, 'xa', %(code)s, %(code)s, %(parent)s, %(valid)s)",
            id=first + number, last=first + last, system=system, code=f"{system}{number}", level=level,
            parent=None if number == 0 else first + parent, valid=valid,
        )  # fmt: skip


@pytest.fixture
def country(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(snapshot, "folder", lambda: tmp_path / "coverage")
    old = [(0, 8, 0), (1, 6, 0), *((n, n, 1) for n in range(2, 7)), (7, 8, 0), (8, 8, 7)]
    add_units(session, "OLD", OLD, old, "[2000-01-01,2025-07-01)")
    add_units(session, "NEW", NEW, [(0, 4, 0), (1, 4, 0), *((n, n, 1) for n in range(2, 5))], "[2025-07-01,)")
    for before, after, kind in SUCCESSION:
        session.execute(
            "INSERT INTO unit_succession (from_id, to_id, on_date, kind, source)"
            " VALUES (%(before)s, %(after)s, %(day)s, %(kind)s, 'test')",
            before=before, after=after, day=CHANGE, kind=kind,
        )  # fmt: skip
    add_vaccines_of(session)
    set_today(session, AFTER)
    return session


def add_vaccines_of(session: Session) -> None:
    session.execute(
        "INSERT INTO unit_system (system, country, first_id, source, version) VALUES ('TEST', '', 900000000, 't', '1')"
    )
    session.execute(
        "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid)"
        " VALUES (900000001, 900000001, 'TEST', 'T1', 3, 'xa', 'x', 'x', NULL, '[2000-01-01,2001-01-01)')"
    )
    add_vaccines(session)


def figures(session: Session, on: dt.date, *units: int) -> list[int]:
    spans = [(u, territory.unit(session, u)["last_id"]) for u in units]
    by = {c.unit_id: c.people for c in store.by_unit(session, Question(on), spans)}
    return [by[u] for u in units]


def test_each_old_unit_is_carried_to_the_smallest_new_one_that_holds_its_people(country: Session) -> None:
    asked = [SAME, MERGED_A, MERGED_B, SPLIT, UNKNOWN, ELSEWHERE, OLD + 7, OLD]
    assert territory.carried(country, asked, AFTER) == {
        SAME: FOLLOWED_SAME, MERGED_A: FOLLOWED_MERGED, MERGED_B: FOLLOWED_MERGED,
        SPLIT: NEW + 1,  # in one part or the other: surely in their province
        UNKNOWN: NEW + 1,  # nothing is known of it, but of its province
        ELSEWHERE: PART, OLD + 7: NEW + 1, OLD: NEW,
    }  # fmt: skip
    assert territory.carried(country, asked, BEFORE) == {}
    assert territory.carried(country, [FOLLOWED_SAME, FOLLOWED_MERGED, PART], BEFORE) == {
        FOLLOWED_SAME: SAME, FOLLOWED_MERGED: OLD + 1,  # from several of one province
        PART: OLD,  # from communes of two provinces
    }  # fmt: skip


def test_people_of_the_old_units_count_in_the_new_ones_and_nobody_is_guessed_into_a_part(country: Session) -> None:
    homes = [SAME, SAME, MERGED_A, MERGED_B, SPLIT, SPLIT, SPLIT, UNKNOWN, ELSEWHERE, FOLLOWED_MERGED]
    for number, home in enumerate(homes, 1):
        add_person(country, number, unit=home)
    snapshot.build(by=country.actor)
    province, *parts = figures(country, AFTER, NEW + 1, FOLLOWED_SAME, FOLLOWED_MERGED, PART)
    assert (province, parts) == (10, [2, 3, 1])  # the three of the split commune and the unknown one in no part
    assert figures(country, BEFORE, OLD, SAME, MERGED_A, SPLIT, OLD + 1) == [10, 2, 1, 3, 9]
    with_parts = store.by_unit(
        country, Question(AFTER), [(NEW + 1, NEW + 4), *((u, u) for u in range(NEW + 2, NEW + 5))]
    )
    whole, listed = with_parts[0], with_parts[1:]
    assert store.rest(whole, listed).people == 4


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(homes=st.lists(st.sampled_from([*range(OLD + 2, OLD + 7), OLD + 8, *range(NEW + 2, NEW + 5)]), max_size=12))
def test_every_person_is_counted_once_on_any_day(country: Session, homes: list[int]) -> None:
    """However people are spread over old and new units, the country has all of them and no unit more than its parts and
    those who cannot be told apart."""
    country.execute("SAVEPOINT these")
    for number, home in enumerate(homes, 1):
        add_person(country, number, unit=home)
    snapshot.build(by=country.actor)
    for day, root in ((BEFORE, OLD), (AFTER, NEW)):
        carried = territory.carried(country, homes, day)
        placed = [carried.get(home, home) for home in homes]
        units = list(range(root, root + (9 if root == OLD else 5)))
        lasts = [territory.unit(country, u)["last_id"] for u in units]
        expected = [sum(u <= home <= last for home in placed) for u, last in zip(units, lasts, strict=True)]
        assert figures(country, day, *units) == expected
        assert expected[0] == len(homes)
    country.execute("ROLLBACK TO SAVEPOINT these")
