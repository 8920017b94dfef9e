"""How many people of each age and sex: the census, carried to another date.

Everything here is counts of five-year age groups 0-4, 5-9, ... 80-84, 85+ (GROUPS of them).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.core.errors import WrongUsage
from khien.core.i18n import N_
from khien.rulebook import load

GROUPS = 18
WIDTH = 5
OLDEST = 100
Counts = NDArray[np.float64]


def group_of(ages: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Index of the age group of each age in completed years."""
    return np.minimum(ages // WIDTH, GROUPS - 1).astype(np.int64)


def census() -> dict[str, Any]:
    return load("simulation", "population_2019")


def mortality() -> Counts:
    """Yearly death rate of each age group."""
    return np.array(census()["mortality"]["rates"], dtype=float)


def carried_to(persons: Counts, on: dt.date) -> Counts:
    """Age groups counted at the census, at the date `on`: everybody grows older, some die, children are born.

    The open group 85+ thins out with its death rate. Years before the census are reached backwards, without deaths.
    Raises WrongUsage for a date more than ten years before or twenty-five after the census: the shape means nothing.
    """
    taken: dt.date = census()["document"]["on"]
    years = (on - taken).days / 365.2425
    if not -10 <= years <= 25:
        raise WrongUsage(N_("A synthetic nation can be made for dates from 2009 to 2044."))
    if years == 0:
        return persons.astype(float)
    edges = np.append(np.arange(0, GROUPS * WIDTH, WIDTH, dtype=float), float(OLDEST + 15))
    below = np.append(0.0, np.cumsum(persons * np.exp(-mortality() * max(years, 0.0))))
    first_year = persons[0] / WIDTH
    # Somebody below age x at the new date was below x - years at the census, or was born since.
    shifted = edges - years
    aged = np.interp(shifted, edges, below) + np.minimum(shifted, 0.0) * first_year
    aged[-1] = below[-1]
    return np.maximum(np.diff(aged), 1.0)


def by_sex(persons: Counts) -> Counts:
    """Shares of all people, shape (GROUPS, 2): males, females; male shares of groups scaled to the national total."""
    facts = census()
    shape = np.array(facts["male_share"]["shares"], dtype=float)
    national = np.array(facts["ages"]["persons"], dtype=float)
    total = facts["ages"]["males"] / (facts["ages"]["males"] + facts["ages"]["females"])
    males = shape + (total - float((shape * national).sum() / national.sum()))
    share = persons / persons.sum()
    return np.column_stack([share * males, share * (1 - males)])


def national(on: dt.date) -> Counts:
    """Shares of the nation by age group and sex at the date, shape (GROUPS, 2), summing to 1."""
    return by_sex(carried_to(np.array(census()["ages"]["persons"], dtype=float), on))


def birth_days(ages: NDArray[np.int64], draw: NDArray[np.float64], on: dt.date) -> NDArray[np.int64]:
    """Days since 1970-01-01 of births that make people exactly so many completed years old on the date."""
    day = on.day if (on.month, on.day) != (2, 29) else 28
    last = _anniversary(on.year - ages, on.month, day)
    before = _anniversary(on.year - ages - 1, on.month, day)
    return last - np.floor(draw * (last - before)).astype(np.int64)


def _anniversary(years: NDArray[np.int64], month: int, day: int) -> NDArray[np.int64]:
    months = (years - 1970) * 12 + (month - 1)
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
