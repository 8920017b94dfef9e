"""Ages and intervals as people write them ("6 months - 4 days"), added to days exactly.

A day is a proleptic ordinal (`datetime.date.toordinal`), because the engine compares millions of them. The arithmetic
is that of the CDC's CDSi logic specification (rules CALCDT-1 to CALCDT-6): years first, then months, then weeks and
days; a day that does not exist (31 April) becomes the first of the next month.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_TERM = re.compile(r"([+-]?)\s*(\d+)\s*(day|week|month|year)s?", re.IGNORECASE)
_LAST_DAY = date.max.toordinal()

# The months that births and doses fall in, so that adding months is a look-up: the first day of each, and for every
# day which month it is in.
_YEARS = range(1850, 2152)
_STARTS = [date(year, month, 1).toordinal() for year in _YEARS for month in range(1, 13)]
_FIRST = _STARTS[0]
_MONTH_OF = [month for month, start in enumerate(_STARTS[:-1]) for _ in range(start, _STARTS[month + 1])]
_DAYS, _LAST_MONTH = len(_MONTH_OF), len(_STARTS) - 2


class Period:
    """A length of time. Build it with `period(text)`, so that equal texts share one object."""

    __slots__ = ("_one_step", "_span", "days", "months", "text", "years")

    def __init__(self, text: str, years: int, months: int, days: int) -> None:
        self.text, self.years, self.months, self.days = text, years, months, days
        self._span = years * 12 + months
        self._one_step = not (years and months)  # else a day that does not exist is met twice

    def after(self, day: int) -> int:
        """The day that lies this period after `day`."""
        span = self._span
        if not span and self._one_step:
            return day + self.days
        place = day - _FIRST
        if 0 <= place < _DAYS:
            month = _MONTH_OF[place]
            number = day - _STARTS[month]
            month += span
            if 0 <= month <= _LAST_MONTH:
                found = _STARTS[month] + number
                if number < 28:  # every month has that day
                    return found + self.days
                if self._one_step:
                    end = _STARTS[month + 1]
                    return (found if found < end else end) + self.days
        return self._count(day)

    def _count(self, day: int) -> int:
        start = date.fromordinal(day)
        year, month, number = _real(start.year + self.years, start.month, start.day)
        year, month, number = _real(year, month + self.months, number)
        if not date.min.year <= year <= date.max.year:
            return _LAST_DAY
        return min(date(year, month, number).toordinal() + self.days, _LAST_DAY)

    def __repr__(self) -> str:
        return f"Period({self.text!r})"


def _real(year: int, month: int, day: int) -> tuple[int, int, int]:
    """The same date, or the first of the next month where the month is too short for it."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if day <= 28 or day <= _length(year, month):
        return year, month, day
    return (year + 1, 1, 1) if month == 12 else (year, month + 1, 1)


def _length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@lru_cache(maxsize=4096)
def period(text: str) -> Period:
    """Read "18 months", "6 weeks - 4 days", "13 years + 4 weeks". ValueError where it is not of that form."""
    rest = text.strip()
    years = months = days = at = 0
    while at < len(rest):
        term = _TERM.match(rest, at)
        if term is None or (at and not term[1]):
            raise ValueError(text)
        amount = int(term[2]) * (-1 if term[1] == "-" else 1)
        unit = term[3].lower()
        if unit == "year":
            years += amount
        elif unit == "month":
            months += amount
        else:
            days += amount * (7 if unit == "week" else 1)
        at = term.end()
        while at < len(rest) and rest[at] == " ":
            at += 1
    if not rest:
        raise ValueError(text)
    return Period(rest, years, months, days)
