"""Seasons that come every year.

The CDC's supporting data name one season by its dates and are renewed each year; the logic specification takes them
literally. Between two editions, and for a day of evaluation in another year, the same days of that year are meant: the
season in which the day lies, else the next one. Dates by which a target dose of the season counts doses move with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from khien.vaccination.rules.model import FIRST_DAY, LAST_DAY, Antigen, Programme, Series, Skip, TargetDose


def years_from(season: tuple[int, int], day: int) -> int:
    """By how many years the season that `day` lies in, or that comes next, is later than `season`."""
    first, last = season
    years = 0
    while day > moved(last, years):
        years += 1
    while day < moved(first, years) and day <= moved(last, years - 1):
        years -= 1
    return years


def moved(day: int, years: int) -> int:
    """The same day of another year; 29 February becomes the 28th. A day that means "no limit" stays."""
    if day in (FIRST_DAY, LAST_DAY):
        return day
    date = dt.date.fromordinal(day)
    year = min(max(date.year + years, dt.MINYEAR), dt.MAXYEAR)
    try:
        return date.replace(year=year).toordinal()
    except ValueError:
        return date.replace(year=year, day=28).toordinal()


class Seasons:
    """A programme as it stands in the season of a day. Ask once a programme; the answers are remembered."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._windows = sorted({dose.season for dose in _yearly(programme) if dose.season is not None})
        self._of = lru_cache(maxsize=64)(self._move)

    def on(self, day: int) -> Programme:
        if not self._windows:
            return self._programme
        return self._of(tuple(years_from(window, day) for window in self._windows))

    def _move(self, years: tuple[int, ...]) -> Programme:
        if not any(years):
            return self._programme
        by_window = dict(zip(self._windows, years, strict=True))
        antigens = {name: _antigen(antigen, by_window) for name, antigen in self._programme.antigens.items()}
        return replace(self._programme, antigens=antigens)


def _yearly(programme: Programme) -> Iterable[TargetDose]:
    return (d for a in programme.antigens.values() for s in a.series for d in s.doses if d.yearly)


def _antigen(antigen: Antigen, years: dict[tuple[int, int], int]) -> Antigen:
    series = {id(s): _series(s, years) for s in antigen.series}
    return replace(
        antigen,
        series=tuple(series.values()),
        routine=tuple(series[id(s)] for s in antigen.routine),
        only=None if antigen.only is None else series[id(antigen.only)],
    )


def _series(series: Series, years: dict[tuple[int, int], int]) -> Series:
    if not any(dose.yearly for dose in series.doses):
        return series
    return replace(series, doses=tuple(_dose(d, years[d.season]) if d.yearly and d.season else d for d in series.doses))


def _dose(dose: TargetDose, years: int) -> TargetDose:
    assert dose.season is not None
    return replace(
        dose,
        season=(moved(dose.season[0], years), moved(dose.season[1], years)),
        skips_evaluation=tuple(_skip(skip, years) for skip in dose.skips_evaluation),
        skips_forecast=tuple(_skip(skip, years) for skip in dose.skips_forecast),
    )


def _skip(skip: Skip, years: int) -> Skip:
    return replace(
        skip,
        sets=tuple(
            replace(
                part,
                conditions=tuple(
                    replace(c, start=moved(c.start, years), end=moved(c.end, years)) for c in part.conditions
                ),
            )
            for part in skip.sets
        ),
    )
