"""Numbering in pre-order, names in time, kinds of succession."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.territory import sources
from khien.territory.placing import believable, distance_km, middle, place
from khien.territory.rules import Period, Unit, name_on, number, succession_kinds, with_change

ALWAYS = Period(None)


@st.composite
def trees(draw: st.DrawFn) -> list[Unit]:
    """A tree of units in any order of siblings, parents before children."""
    size = draw(st.integers(1, 40))
    parents = [None] + [draw(st.integers(0, n - 1)) for n in range(1, size)]
    codes = draw(st.permutations([f"{n:03}" for n in range(size)]))
    levels: list[int] = []
    for parent in parents:
        levels.append(0 if parent is None else levels[parent] + 1)
    return [Unit(c, level, p, "x", c, ALWAYS) for c, level, p in zip(codes, levels, parents, strict=True)]


@given(trees(), st.integers(1, 9))
def test_a_subtree_is_a_range(units: list[Unit], block: int) -> None:
    numbered = number(units, block * 1_000_000)
    assert [n.unit_id for n in numbered] == list(range(block * 1_000_000, block * 1_000_000 + len(units)))
    above = {n.unit_id: n.parent_id for n in numbered}
    for one in numbered:
        below = set()
        for other in above:
            up: int | None = other
            while up is not None and up != one.unit_id:
                up = above[up]
            if up is not None:
                below.add(other)
        assert below == set(range(one.unit_id, one.last_id + 1))
    siblings: dict[int | None, list[str]] = {}
    for one in numbered:
        siblings.setdefault(one.parent_id, []).append(one.unit.code)
    assert all(codes == sorted(codes) for codes in siblings.values())


def test_a_tree_has_one_root_and_no_circle() -> None:
    root, lost = Unit("a", 0, None, "x", "a", ALWAYS), Unit("b", 1, 1, "x", "b", ALWAYS)
    for wrong in ([], [root, root], [root, lost]):
        with pytest.raises(ValueError):
            number(wrong, 1)


def test_a_change_of_kind_keeps_the_unit() -> None:
    stood = Period(dt.date(2021, 1, 1), dt.date(2025, 7, 1))
    unit = Unit("1", 3, 0, "phuong", "Phường Hồng Tiến", stood)
    changed = with_change(unit, dt.date(2022, 4, 10), before=("Xã Hồng Tiến", "xa"), after=None)
    assert name_on(changed, dt.date(2022, 4, 9)).kind == "xa"
    assert name_on(changed, dt.date(2022, 4, 10)).name == "Phường Hồng Tiến"
    assert name_on(changed, dt.date(2030, 1, 1)).name == "Phường Hồng Tiến"
    assert with_change(unit, dt.date(2020, 1, 1), before=("Xã Hồng Tiến", "xa"), after=None) == unit


def test_kinds_of_succession() -> None:
    pairs = [("a", "x"), ("b", "y"), ("c", "y"), ("d", "y"), ("d", "z"), ("e", "w")]
    assert succession_kinds(pairs, {("e", "w"): False}) == {
        ("a", "x"): "same", ("b", "y"): "merged", ("c", "y"): "merged",
        ("d", "y"): "split", ("d", "z"): "split", ("e", "w"): "renamed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Thị xã Sơn Tây", "thi-xa"), ("Thị trấn Sa Pa", "thi-tran"), ("XÃ  Hòa", "xa"), ("Đặc khu Phú Quốc", "dac-khu")],
)
def test_kind_is_read_off_the_name(name: str, kind: str) -> None:
    assert sources.kind_of(name) == kind


def test_a_namesake_far_away_is_not_believed() -> None:
    here, there = (10.75, 106.7), (21.0, 105.8)
    assert believable(here, [here], 25, None) == (here, True)
    assert believable(there, [here], 25, here) == (here, False)
    assert believable(None, [here], 25, here) == (here, False)
    assert 1_100 < distance_km(here, there) < 1_160
    assert middle([]) is None


def test_a_unit_without_a_point_stands_amid_its_siblings() -> None:
    units = [Unit("0", 0, None, "x", "", ALWAYS), *(Unit(str(n), 3, 0, "x", "", ALWAYS) for n in range(1, 4))]
    placed = place(units, {(3, "1"): ((10.0, 100.0), True), (3, "2"): ((12.0, 102.0), True)})
    assert (placed[3].lat, placed[3].lon, placed[3].placed) == (11.0, 101.0, False)
    assert (placed[0].lat, placed[0].placed) == (11.0, True)
