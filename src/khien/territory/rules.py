"""Administrative units as facts: how they are numbered, named through time, and followed by others.

A unit's id is its place in a pre-order walk of its system, so that `unit_id..last_id` is the whole subtree.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

LEVELS = {0: "country", 1: "province", 2: "district", 3: "commune", 4: "hamlet"}


@dataclass(frozen=True, slots=True)
class Period:
    """First day (None: always) and the day after the last (None: still)."""

    start: dt.date | None
    end: dt.date | None = None

    def holds(self, day: dt.date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def range(self) -> str:
        """As a PostgreSQL daterange literal."""
        return f"[{self.start or ''},{self.end or ''})"


@dataclass(frozen=True, slots=True)
class Name:
    """What a unit was called, and of which kind it was, during a period."""

    name: str
    kind: str
    valid: Period


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of one system, not yet numbered. `parent` is the position of its parent in the list; None is the root.

    `lat`, `lon` in degrees WGS 84; `placed` False says that the point is not known but guessed from its neighbours.
    `names` holds every name in time where the unit had several, else nothing.
    """

    code: str
    level: int
    parent: int | None
    kind: str
    name: str
    valid: Period
    lat: float | None = None
    lon: float | None = None
    area_km2: float | None = None
    placed: bool = True
    names: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class System:
    """A whole list: one tree of units.

    `country` is the ISO 3166-1 numeric code, by which the country's outline is found; empty if unknown.
    `base` is the id of the root; None takes the next free block.
    """

    name: str
    units: tuple[Unit, ...]
    source: str
    country: str = ""
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    unit_id: int
    last_id: int
    parent_id: int | None
    unit: Unit = field(repr=False)


@dataclass(frozen=True, slots=True)
class Succession:
    """`before` was followed, wholly or in part, by `after` on a day. Both are (level, code)."""

    before: tuple[int, str]
    after: tuple[int, str]
    kind: str
    on: dt.date
    source: str


def number(units: Sequence[Unit], base: int) -> list[Numbered]:
    """The units in pre-order, ids from `base`; siblings by code, then by first day.

    The root must be the only unit without parent, and there must be no circle (ValueError).
    """
    children: dict[int | None, list[int]] = defaultdict(list)
    for position, unit in enumerate(units):
        children[unit.parent].append(position)
    for below in children.values():
        below.sort(key=lambda p: (units[p].code, units[p].valid.start or dt.date.min))
    if len(children[None]) != 1:
        raise ValueError("a system has one root")
    ids: dict[int, int] = {}
    last: dict[int, int] = {}
    order: list[int] = []
    walk: list[tuple[int, bool]] = [(children[None][0], False)]
    while walk:
        position, done = walk.pop()
        if done:
            last[position] = base + len(order) - 1
            continue
        ids[position] = base + len(order)
        order.append(position)
        walk.append((position, True))
        walk.extend((p, False) for p in reversed(children[position]))
    if len(order) != len(units):
        raise ValueError("some units hang below themselves")
    return [Numbered(ids[p], last[p], None if (up := units[p].parent) is None else ids[up], units[p]) for p in order]


def name_on(unit: Unit, day: dt.date) -> Name:
    """Name and kind of the unit on a day; its last known one where no period holds."""
    for known in unit.names:
        if known.valid.holds(day):
            return known
    return Name(unit.name, unit.kind, unit.valid)


def with_change(unit: Unit, day: dt.date, *, before: tuple[str, str] | None, after: tuple[str, str] | None) -> Unit:
    """The unit with a change of name or kind on `day`: (name, kind) before and after; None is what stands now.

    One change a unit; a day outside the unit's days only says what it is called.
    """
    was, becomes = before or (unit.name, unit.kind), after or (unit.name, unit.kind)
    start, end = unit.valid.start, unit.valid.end
    if start is not None and day <= start:
        return replace(unit, name=becomes[0], kind=becomes[1])
    if end is not None and day >= end:
        return replace(unit, name=was[0], kind=was[1])
    names = (Name(*was, valid=Period(start, day)), Name(*becomes, valid=Period(day, end)))
    return replace(unit, name=becomes[0], kind=becomes[1], names=names)


def succession_kinds(
    pairs: Iterable[tuple[str, str]], same: Mapping[tuple[str, str], bool]
) -> dict[tuple[str, str], str]:
    """What happened between each old and new code.

    An old unit that went to several is "split"; a new unit made of several is "merged"; otherwise "same", or
    "renamed" where `same` says that name or kind differ.
    """
    known = sorted(set(pairs))
    successors: dict[str, int] = defaultdict(int)
    predecessors: dict[str, int] = defaultdict(int)
    for old, new in known:
        successors[old] += 1
        predecessors[new] += 1
    kinds = {}
    for old, new in known:
        if successors[old] > 1:
            kinds[old, new] = "split"
        elif predecessors[new] > 1:
            kinds[old, new] = "merged"
        else:
            kinds[old, new] = "same" if same.get((old, new), True) else "renamed"
    return kinds
