"""Where a person is, and what the Law on Residence says: tables that a commune officer can read."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.population.rules.residence import Spell, close, cut, insert, present_place, terms
from khien.population.rules.residence_checks import (
    absence_must_be_declared,
    add_months,
    check_spell,
    renewal_window,
    stay_notice_due,
)

D = dt.date
HOME = Spell("permanent", 1, D(2000, 1, 1))
ROOM = Spell("temporary", 2, D(2021, 1, 1), D(2022, 1, 1))
HOTEL = Spell("stay", 3, D(2021, 9, 1), D(2021, 9, 10))


def away(unit: int) -> Spell:
    return Spell("absence", unit, D(2021, 8, 1), D(2022, 8, 1))


@pytest.mark.parametrize(
    ("spells", "on", "unit", "certainty", "reason"),
    [
        ([HOME], D(2021, 9, 5), 1, "registered", "permanent"),
        ([HOME, ROOM], D(2021, 9, 5), 2, "registered", "temporary"),
        ([HOME, ROOM, HOTEL], D(2021, 9, 5), 3, "registered", "stay"),
        ([HOME, ROOM, HOTEL], D(2021, 9, 10), 2, "registered", "temporary"),
        ([HOME, ROOM, away(1)], D(2021, 9, 5), 2, "registered", "temporary"),
        ([HOME, ROOM, away(2)], D(2021, 9, 5), 1, "presumed", "permanent"),
        ([HOME, away(1)], D(2021, 9, 5), 1, "unknown", "absent"),
        ([ROOM], D(2023, 1, 1), 2, "presumed", "last_known"),
        ([], D(2023, 1, 1), None, "unknown", "none"),
    ],
)
def test_where_a_person_is(spells: list[Spell], on: D, unit: int | None, certainty: str, reason: str) -> None:
    found = present_place(spells, on)
    assert (found.unit, found.certainty, found.reason) == (unit, certainty, reason)


@pytest.mark.parametrize(
    ("new", "others", "rules"),
    [
        (Spell("temporary", 2, D(2021, 9, 1), D(2021, 10, 1)), [HOME], []),
        (Spell("temporary", 2, D(2021, 9, 1), D(2021, 9, 30)), [HOME], ["temporary_too_short"]),
        (Spell("temporary", 2, D(2021, 9, 1), D(2023, 9, 1)), [HOME], []),
        (Spell("temporary", 2, D(2021, 9, 1), D(2023, 9, 2)), [HOME], ["temporary_too_long"]),
        (Spell("temporary", 2, D(2021, 9, 1)), [HOME], ["temporary_open"]),
        (Spell("temporary", 1, D(2021, 9, 1), D(2022, 9, 1)), [HOME], ["temporary_in_home_commune"]),
        (Spell("temporary", 4, D(2021, 9, 1), D(2022, 9, 1)), [ROOM], ["residence_overlap"]),
        (Spell("stay", 3, D(2021, 9, 1), D(2021, 9, 30)), [HOME], []),
        (Spell("stay", 3, D(2021, 9, 1), D(2021, 10, 1)), [HOME], ["stay_too_long"]),
        (Spell("stay", 3, D(2021, 9, 1)), [HOME], ["stay_open"]),
        (Spell("stay", 1, D(2021, 9, 1), D(2021, 9, 5)), [HOME], ["stay_at_own_place"]),
        (away(1), [HOME], []),
        (away(9), [HOME], ["absence_from_elsewhere"]),
        (Spell("permanent", 5, D(2021, 9, 1)), [HOME], ["residence_overlap"]),
    ],
)
def test_what_the_law_says(new: Spell, others: list[Spell], rules: list[str]) -> None:
    assert [f.rule for f in check_spell(new, others)] == rules


@pytest.mark.parametrize(
    ("arrived", "due"),
    [
        ("2021-09-01T10:00", "2021-09-01T23:00"),
        ("2021-09-01T23:00", "2021-09-02T08:00"),
        ("2021-09-30T23:59", "2021-10-01T08:00"),
    ],
)
def test_notice_of_a_stay(arrived: str, due: str) -> None:
    zone = dt.timezone(dt.timedelta(hours=7))
    moment = dt.datetime.fromisoformat(arrived).replace(tzinfo=zone)
    assert stay_notice_due(moment.astimezone(dt.UTC)) == dt.datetime.fromisoformat(due).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("group", "leaves", "start", "end", "must"),
    [
        ("supervised", "commune", D(2021, 9, 1), D(2021, 9, 2), True),
        ("obliged", "commune", D(2021, 9, 1), D(2022, 1, 1), False),
        ("obliged", "district", D(2021, 9, 1), D(2021, 12, 1), True),
        ("obliged", "district", D(2021, 9, 1), D(2021, 11, 30), False),
        ("obliged", "district", D(2025, 9, 1), D(2026, 9, 1), False),
        ("obliged", "province", D(2025, 9, 1), D(2026, 9, 1), True),
        ("other", "commune", D(2021, 9, 1), D(2022, 8, 31), False),
        ("other", "commune", D(2021, 9, 1), D(2022, 9, 1), True),
        ("other", "province", D(2021, 9, 1), None, True),
    ],
)
def test_duty_to_declare_an_absence(group, leaves, start: D, end: D | None, must: bool) -> None:  # type: ignore[no-untyped-def]
    assert (absence_must_be_declared(start, end, group=group, leaves=leaves) is not None) is must


def test_renewal_and_terms() -> None:
    assert renewal_window(ROOM) == (D(2021, 12, 17), D(2021, 12, 31))
    assert renewal_window(HOME) is None
    assert add_months(D(2021, 11, 30), 3) == D(2022, 2, 28)
    assert terms(D(1999, 1, 1)).number("temporary_minimum") == 30
    with pytest.raises(BadInput):
        Spell("stay", 1, D(2021, 9, 2), D(2021, 9, 2))


def test_moves() -> None:
    moved = Spell("permanent", 5, D(2010, 1, 1))
    assert insert([HOME], moved) == (Spell("permanent", 1, D(2000, 1, 1), D(2010, 1, 1)), moved)
    late = Spell("permanent", 7, D(2005, 1, 1))
    assert [(s.unit, s.start.year, s.end and s.end.year) for s in insert(insert([HOME], moved), late)] == [
        (1, 2000, 2005), (7, 2005, 2010), (5, 2010, None),
    ]  # fmt: skip
    assert close([HOME, ROOM], "temporary", D(2021, 6, 1))[1].end == D(2021, 6, 1)


DAYS = [D(2021, 1, 1) + dt.timedelta(days=i) for i in range(60)]


@st.composite
def spells(draw: st.DrawFn) -> Spell:
    start = draw(st.integers(0, 50))
    end = draw(st.one_of(st.none(), st.integers(start + 1, 59)))
    kind = draw(st.sampled_from(["temporary", "stay", "absence", "permanent"]))
    return Spell(kind, draw(st.integers(1, 3)), DAYS[start], end and DAYS[end])


@given(spells(), spells())
def test_cutting_leaves_exactly_the_other_days(one: Spell, other: Spell) -> None:
    parts = cut(one, other.start, other.end)
    for day in DAYS:
        assert any(p.covers(day) for p in parts) == (one.covers(day) and not other.covers(day))


@given(st.lists(spells(), max_size=8))
def test_inserting_never_overlaps(many: list[Spell]) -> None:
    known: tuple[Spell, ...] = ()
    for new in many:
        known = insert(known, new)
    for i, one in enumerate(known):
        assert not any(one.kind == b.kind and one.overlaps(b) for b in known[i + 1 :])
