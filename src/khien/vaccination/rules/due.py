"""Which people the rules of a programme cannot tell apart.

The engine looks at days only to compare them: an age with an age limit, a gap between doses with an interval, a day
with the days a rule is in force. People whose comparisons all come out the same get the same answer on one day, but
for the dates in it. So a province is sorted into a few thousand kinds of people, and the engine judges one of each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from khien.vaccination.rules.model import FIRST_DAY, LAST_DAY, Condition, Programme, Rule, TargetDose
from khien.vaccination.rules.periods import Period

# A history as the database keeps it: one number a dose, day * PER_DAY + place of the vaccine * 2 + (1: substandard).
PER_DAY = 1024
Signature = tuple[Any, ...]


class Marks:
    """Every length and every day that a programme's rules compare with. Days are ordinals."""

    def __init__(self, programme: Programme) -> None:
        lengths: set[Period] = set()
        days: set[int] = set()
        for part in _parts(programme):
            lengths.update(v for f in fields(part) if isinstance(v := getattr(part, f.name), Period))
            if isinstance(part, Rule):
                days.update((part.valid_from, part.valid_until + 1))
            if isinstance(part, Condition):
                days.update((part.start, part.end + 1))
            if isinstance(part, TargetDose) and part.season is not None:
                days.update((part.season[0], part.season[1] + 1))
            before = getattr(part, "before", None)
            if isinstance(before, int):
                days.add(before)
        self.lengths = sorted(lengths, key=lambda p: (p.years, p.months, p.days))
        self.days = sorted(d for d in days if FIRST_DAY < d <= LAST_DAY)
        self._gaps: dict[int, list[int]] = {}
        self._births: dict[int, list[int]] = {}

    def gap(self, earlier: int, later: int) -> int:
        """The same number for gaps that no length of the programme tells apart, beginning on one day."""
        limits = self._gaps.get(earlier)
        if limits is None:
            limits = self._gaps[earlier] = sorted(p.after(earlier) for p in self.lengths)
        return bisect_right(limits, later)

    def epoch(self, day: int) -> int:
        return bisect_right(self.days, day)

    def births(self, day: int) -> list[int]:
        """The days of birth at which somebody, seen on `day`, is just on the younger side of an age limit."""
        known = self._births.get(day)
        if known is None:
            known = self._births[day] = sorted({_last_birth(p, day) + 1 for p in self.lengths})
        return known

    def birth_limits(self, days: Iterable[int]) -> list[int]:
        """All of them, for all days, and the days that rules name themselves."""
        return sorted({birth for day in days for birth in self.births(day)} | set(self.days))

    def signature(self, birth: int, sex: str, history: tuple[int, ...], on: int) -> Signature:
        given = [number // PER_DAY for number in history]
        ages = tuple(bisect_right(self.births(day), birth) for day in (*given, on))
        between = tuple(self.gap(a, b) for i, a in enumerate(given) for b in (*given[i + 1 :], on))
        epochs = tuple(map(self.epoch, given))
        return (
            sex, self.epoch(birth), tuple(n % PER_DAY for n in history), ages, between, epochs,
            tuple(a == b for a, b in zip(given, given[1:], strict=False)),
        )  # fmt: skip


def _last_birth(length: Period, day: int) -> int:
    """The last day of birth whose `length` is over by `day`."""
    birth = day - (length.years * 365 + length.months * 30 + length.days)
    birth = max(birth, FIRST_DAY)
    while birth > FIRST_DAY and length.after(birth) > day:
        birth -= 1
    while length.after(birth + 1) <= day:
        birth += 1
    return birth


def _parts(value: Any) -> Iterator[Any]:
    """Every dataclass within a value, itself included."""
    if is_dataclass(value):
        yield value
        for field in fields(value):
            if not field.name.startswith("_"):
                yield from _parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _parts(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _parts(part)
