"""Which people the rules of a programme cannot tell apart.

The engine looks at days only to compare them: an age with an age limit, a gap between doses with an interval, a day
with the days a rule is in force. People whose comparisons all come out the same get the same answer on one day, but
for the dates in it. So a province is sorted into a few thousand kinds of people (in SQL: `due_people`, functions.sql),
and the engine judges one of each. This says where the comparisons change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from khien.vaccination.rules.model import FIRST_DAY, LAST_DAY, AgeRule, Condition, Programme, Rule, TargetDose
from khien.vaccination.rules.periods import Period
from khien.vaccination.rules.season import moved

_AGES = {"from_age", "to_age", "min_age_to_start", "max_age_to_start"}
_FACTS = {"after_observations", "observations", "except_observations", "immune_by_observation"}


class Marks:
    """Every length and every day that a programme's rules compare with. Days are ordinals.

    `codes`: the facts about a person's health that a rule asks for; `by_sex`: whether one asks for the sex.
    """

    def __init__(self, programme: Programme) -> None:
        ages: set[Period] = set()
        gaps: set[Period] = set()
        days: set[int] = set()
        codes: set[str] = set()
        self.by_sex = False
        for part in _parts(programme):
            for field in fields(part):
                value = getattr(part, field.name)
                if isinstance(value, Period):
                    (ages if isinstance(part, AgeRule) or field.name in _AGES else gaps).add(value)
                elif field.name in _FACTS and value and isinstance(value, frozenset):
                    codes |= value
                elif field.name == "observation" and value:
                    codes.add(value)
                elif field.name == "sex" and value:
                    self.by_sex = True
            if isinstance(part, Rule):
                days.update((part.valid_from, part.valid_until + 1))
            if isinstance(part, Condition):
                days.update((part.start, part.end))
            if isinstance(part, TargetDose):
                days.add(part.valid_from)
                if part.season is not None:
                    days.update((part.season[0], part.season[1] + 1))
                if part.yearly:
                    days.update(_every_year(part))
            before = getattr(part, "before", None)
            if isinstance(before, int):
                days.add(before)
        self.ages, self.gaps = (sorted(found, key=lambda p: (p.years, p.months, p.days)) for found in (ages, gaps))
        self.days = sorted(d for d in days if FIRST_DAY < d <= LAST_DAY)
        self.codes = sorted(codes)

    @property
    def digest(self) -> str:
        """Differs where a dose may lie differently to the rules; other changes of the rules concern only the engine."""
        told = ([p.text for p in self.ages], [p.text for p in self.gaps], self.days)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    def births(self, day: int) -> list[int]:
        """The days of birth at which somebody, seen on `day`, is just on the younger side of a limit of age."""
        return _begins(self.ages, day)

    def starts(self, day: int) -> list[int]:
        """The same for an interval that runs up to `day`; and whether it begins before, on or after that day."""
        return sorted({*_begins(self.gaps, day), day, day + 1})

    def births_asked(self, day: int) -> list[int]:
        """Limits on the day that is asked about. A due date is compared with it by "before" and "on or before"."""
        return sorted({*self.births(day), *self.births(day - 1), *self.days})

    def starts_asked(self, day: int) -> list[int]:
        return sorted({*self.starts(day), *self.starts(day - 1)})


def _every_year(dose: TargetDose) -> Iterator[int]:
    """The days of a season that comes every year, and those its conditions count from, over a generation."""
    days = set(dose.season or ())
    days.update(day for part in _parts(dose) if isinstance(part, Condition) for day in (part.start, part.end))
    return (moved(day, years) + after for day in days for years in range(-20, 21) for after in (0, 1))


def _begins(lengths: Iterable[Period], day: int) -> list[int]:
    return sorted({_last_begin(length, day) + 1 for length in lengths})


def _last_begin(length: Period, day: int) -> int:
    """The last day from which `length` is over by `day`."""
    begin = max(day - (length.years * 365 + length.months * 30 + length.days), FIRST_DAY)
    while begin > FIRST_DAY and length.after(begin) > day:
        begin -= 1
    while length.after(begin + 1) <= day:
        begin += 1
    return begin


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
