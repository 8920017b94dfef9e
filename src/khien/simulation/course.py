"""The course of one infection: incubation, infectiousness, severity, and when health workers learn of it.

Days are whole days from the first day of the epidemic.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NEVER = 1_000_000
_Q975 = 1.959963984540054  # 97.5 % point of the normal distribution
MILD, HOSPITAL = 0, 1


@dataclass(slots=True)
class Courses:
    """A row an infected person. Infectious on the days `infectious_from` to before `infectious_until`."""

    onset: Ints
    infectious_from: Ints
    infectious_until: Ints
    symptomatic: NDArray[np.bool_]
    severity: Ints
    died: Ints
    strength: Floats
    stays_home: NDArray[np.bool_]
    sampled: Ints
    reported: Ints

    @classmethod
    def none(cls, n: int) -> Courses:
        """Room for n people of whom nobody is infected."""

        def never() -> Ints:
            return np.full(n, NEVER, dtype=np.int64)

        return cls(
            onset=never(),
            infectious_from=never(),
            infectious_until=never(),
            symptomatic=np.zeros(n, dtype=bool),
            severity=np.zeros(n, dtype=np.int64),
            died=never(),
            strength=np.zeros(n),
            stays_home=np.zeros(n, dtype=bool),
            sampled=never(),
            reported=never(),
        )

    def put(self, rows: Ints, other: Courses) -> None:
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


def age_group(age: Ints) -> Ints:
    """Index of the ten-year age group 0-9, ... 70-79, 80+."""
    return np.minimum(age // 10, 8)


def incubation(facts: dict[str, Any]) -> tuple[float, float]:
    """Location and scale of the log-normal distribution with the given mean and 97.5 % quantile."""
    ratio = np.log(facts["quantile_975"] / facts["mean"])
    scale = _Q975 - np.sqrt(_Q975**2 - 2 * ratio)
    return float(np.log(facts["mean"]) - scale**2 / 2), float(scale)


def drawn(
    day: int, age: Ints, vaccinated: NDArray[np.bool_], facts: dict[str, Any], rng: np.random.Generator
) -> Courses:
    """Courses of people infected on `day`."""
    n, group = len(age), age_group(age)
    ages, vaccine, profile = facts["age"], facts["vaccination"], facts["infectiousness"]
    place, scale = incubation(facts["incubation"])
    onset = day + np.maximum(1, np.rint(rng.lognormal(place, scale, n))).astype(np.int64)
    symptomatic = rng.random(n) >= np.array(ages["asymptomatic"])[group]
    strength = rng.gamma(facts["dispersion"]["shape"], 1 / facts["dispersion"]["shape"], n)
    strength *= np.where(symptomatic, 1.0, ages["asymptomatic_infectiousness"])
    strength *= np.where(vaccinated, 1 - vaccine["against_passing_on"], 1.0)
    guarded = np.where(vaccinated, 1 - vaccine["against_severe"], 1.0)
    hospital = symptomatic & (rng.random(n) < np.array(ages["hospital"])[group] * guarded)
    # Deaths are given per infection, so they are rarer or commoner among those in hospital by both shares.
    fatal = np.array(ages["death"])[group] / (
        np.array(ages["hospital"])[group] * (1 - np.array(ages["asymptomatic"])[group])
    )
    dies = hospital & (rng.random(n) < np.minimum(fatal, 1.0))
    outcome = facts["outcome"]
    to_death = rng.gamma(outcome["death_shape"], outcome["death_mean"] / outcome["death_shape"], n)
    sampled, reported = _detected(day, onset, symptomatic, hospital, facts["detection"], rng)
    first = onset + profile["first_day"]
    return Courses(
        onset=onset,
        infectious_from=np.maximum(first, day + 1),
        infectious_until=first + len(profile["by_day"]),
        symptomatic=symptomatic,
        severity=np.where(hospital, HOSPITAL, MILD),
        died=np.where(dies, onset + 1 + to_death.astype(np.int64), NEVER),
        strength=strength,
        stays_home=symptomatic & (rng.random(n) < facts["behaviour"]["stay_home_when_ill"]),
        sampled=sampled,
        reported=reported,
    )


def _detected(
    day: int,
    onset: Ints,
    symptomatic: NDArray[np.bool_],
    hospital: NDArray[np.bool_],
    facts: dict[str, Any],
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    """Days of sampling and of the report; NEVER for the missed and for false negatives."""
    n = len(onset)
    tested = rng.random(n) < np.where(symptomatic, facts["symptomatic_tested"], facts["asymptomatic_tested"])
    found = (tested | hospital) & ((rng.random(n) < facts["sensitivity"]) | hospital)
    usual = onset + np.floor(rng.exponential(facts["sample_delay_mean"], n)).astype(np.int64)
    late = onset + rng.integers(facts["late_days"][0], facts["late_days"][1] + 1, n)
    screened = day + rng.integers(facts["asymptomatic_delay"][0], facts["asymptomatic_delay"][1] + 1, n)
    after_onset = np.where(rng.random(n) < facts["late_share"], late, usual)
    sampled = np.where(symptomatic, after_onset, screened)
    reported = sampled + rng.integers(facts["report_days"][0], facts["report_days"][1] + 1, n)
    return np.where(found, sampled, NEVER), np.where(found, reported, NEVER)


def infectiousness(courses: Courses, rows: Ints, day: int, facts: dict[str, Any]) -> Floats:
    """How infectious these people are on a day; sums to their strength over the course when nothing cuts it short."""
    profile = np.array(facts["infectiousness"]["by_day"])
    at = day - courses.onset[rows] - facts["infectiousness"]["first_day"]
    on = (day >= courses.infectious_from[rows]) & (day < courses.infectious_until[rows])
    shape: Floats = np.where(on, profile[np.clip(at, 0, len(profile) - 1)] / profile.sum(), 0.0)
    return shape * courses.strength[rows]
