"""An epidemic among the people of a synthetic nation, day by day, with everything known about it.

Each pair of an infectious person and somebody at the same place has a hazard: how infectious the one is that day, times
hours together, times a constant of the setting. The constants are set so that each setting causes its share of the
basic reproduction number. Isolation, illness and immunity then lower what really happens.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.core.errors import WrongUsage
from khien.core.i18n import N_
from khien.rulebook import load
from khien.simulation.course import NEVER, Courses, age_group, drawn, infectiousness
from khien.simulation.mixing import HOME, IMPORTED, SETTINGS, Meetings, Town, Visits, at_home, meetings
from khien.simulation.residents import Residents

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SAMPLE = 4_000


def parameters(basic_reproduction_number: float | None = None) -> dict[str, Any]:
    """The parameters of the rule file, with another basic reproduction number if one is given."""
    facts = load("simulation", "epidemic_delta_2021")
    if basic_reproduction_number is None:
        return facts
    changed = {**facts["transmission"], "basic_reproduction_number": basic_reproduction_number}
    return {**facts, "transmission": changed}


@dataclass(frozen=True, slots=True)
class Day:
    """One simulated day: its number, date, and the visits that took place."""

    number: int
    date: dt.date
    visits: Visits


class Epidemic:
    """Runs day by day; afterwards, and meanwhile, the truth stands in the arrays, a row a person.

    `infected` (day, NEVER = never), `minute` of that day, `infector` (person, -1 = came from outside), `place`,
    `setting` (index of mixing.SETTINGS, IMPORTED), `generation`, `courses`.
    """

    def __init__(
        self,
        residents: Residents,
        *,
        seed: int,
        first_day: dt.date,
        imported: int = 10,
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Raises WrongUsage when more people are to be infected at the start than there are adults."""
        self.residents, self.first_day, self.seed = residents, first_day, seed
        self.facts = facts or parameters()
        self.town = Town(residents, self.facts["settings"], seed)
        n = len(residents)
        self.infected = np.full(n, NEVER, dtype=np.int64)
        self.minute, self.generation = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        self.infector, self.place = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        self.setting = np.full(n, IMPORTED, dtype=np.int64)
        self.courses = Courses.none(n)
        group = age_group(residents.age)
        start = self._rng(3)
        self.vaccinated = start.random(n) < np.array(self.facts["vaccination"]["shares"], dtype=float)[group]
        self._susceptible = np.array(self.facts["age"]["susceptibility"])[group] * np.where(
            self.vaccinated, 1 - self.facts["vaccination"]["against_infection"], 1.0
        )
        self._mixed = np.array([self.facts["settings"][name]["mixed"] for name in SETTINGS], dtype=float)
        self.constants = self._calibrated()
        adults = np.flatnonzero((residents.age >= 18) & (residents.age < 65))
        if not 1 <= imported <= len(adults):
            raise WrongUsage(N_("Between 1 and {adults} people can bring the infection in."), adults=len(adults))
        self._infect(0, np.sort(start.choice(adults, imported, replace=False)))

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, *purpose]))

    def _infect(self, day: int, who: Ints) -> None:
        self.infected[who] = day
        course = drawn(day, self.residents.age[who], self.vaccinated[who], self.facts, self._rng(4, day))
        self.courses.put(who, course)

    def days(self, many: int) -> Iterator[Day]:
        """Simulate so many days, yielding each with the visits of that day."""
        for number in range(many):
            date = self.first_day + dt.timedelta(days=number)
            visits = self._taken(self.town.day(number, date.weekday()), number)
            self._spread(number, visits)
            yield Day(number, date, visits)

    def _isolated(self, day: int) -> NDArray[np.bool_]:
        """Reported cases, away from everybody until they are no longer infectious; the dead."""
        courses = self.courses
        apart = (courses.reported <= day) & (day < courses.infectious_until)
        gone: NDArray[np.bool_] = apart | (courses.died <= day)
        return gone

    def _taken(self, visits: Visits, day: int) -> Visits:
        """The visits of those who are not isolated and do not stay at home because they are ill."""
        courses = self.courses
        ill = courses.stays_home & (courses.onset <= day) & (day < courses.infectious_until)
        return visits.where(~(self._isolated(day) | ill)[visits.person])

    def _spread(self, day: int, visits: Visits) -> None:
        isolated = self._isolated(day)
        rows = np.flatnonzero((self.courses.infectious_from <= day) & (day < self.courses.infectious_until) & ~isolated)
        if not len(rows):
            return
        power = np.zeros(len(self.residents))
        power[rows] = infectiousness(self.courses, rows, day, self.facts)
        mask = power > 0
        sources = np.flatnonzero(mask)
        rng = self._rng(5, day)
        home = at_home(self.residents.home, sources, ~isolated, self._mixed[HOME])
        met = [self._reached(m, power, rng) for m in (home, meetings(visits, mask, self._mixed))]
        who, minute, infector, place, setting = (np.concatenate(column) for column in zip(*met, strict=True))
        # Who was reached several times was infected the first time.
        order = np.lexsort((minute, who))
        first = order[np.append(True, who[order][1:] != who[order][:-1])] if len(order) else order
        new = who[first]
        self.minute[new], self.infector[new] = minute[first], infector[first]
        self.place[new], self.setting[new] = place[first], setting[first]
        self.generation[new] = self.generation[infector[first]] + 1
        if len(new):
            self._infect(day, new)

    def _reached(self, met: Meetings, power: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Of the pairs, those in which the infection passes: person, minute, infector, place, setting.

        The waiting time of each pair is exponential; the meeting ends at 1, so a shorter one says when it happened.
        """
        hazard = power[met.source] * self.constants[met.setting] * met.rate * self._susceptible[met.other]
        open_ = np.flatnonzero((self.infected[met.other] == NEVER) & (hazard > 0))
        waiting = rng.exponential(size=len(open_)) / hazard[open_]
        passed, waited = open_[waiting < 1], waiting[waiting < 1]
        minute = met.start[passed] + np.floor(waited * (met.end[passed] - met.start[passed])).astype(np.int64)
        return met.other[passed], minute, met.source[passed], met.place[passed], met.setting[passed]

    def _calibrated(self) -> Floats:
        """The constant of each setting, from the meetings of a sample of people on an ordinary Wednesday."""
        rng, n, settings = self._rng(6), len(self.residents), self.facts["settings"]
        chosen = np.sort(rng.choice(n, min(n, _SAMPLE), replace=False))
        mask = np.zeros(n, dtype=bool)
        mask[chosen] = True
        everybody = np.ones(n, dtype=bool)
        pairs = [
            at_home(self.residents.home, chosen, everybody, self._mixed[HOME]),
            meetings(self.town.day(NEVER, 2), mask, self._mixed),
        ]
        goal = self.facts["transmission"]["basic_reproduction_number"] / self._mean_reach()
        constants = np.zeros(len(SETTINGS))
        for number, name in enumerate(SETTINGS):
            met = pairs[0] if number == HOME else pairs[1]
            rate = met.rate[met.setting == number] * settings[name].get("days_a_week", 7) / 7
            constants[number] = self._constant(rate, len(chosen), goal * settings[name]["share"])
        return constants

    def _mean_reach(self) -> float:
        """Mean infectiousness times mean susceptibility of the unvaccinated, relative to an adult with symptoms."""
        ages, group = self.facts["age"], age_group(self.residents.age)
        silent = np.array(ages["asymptomatic"])[group]
        weaker = 1 - silent * (1 - ages["asymptomatic_infectiousness"])
        return float(weaker.mean() * np.array(ages["susceptibility"])[group].mean())

    def _constant(self, rate: Floats, sources: int, goal: float) -> float:
        """The constant by which the sampled pairs' daily rates give `goal` infections a source over a whole course.

        With gamma-distributed strength a pair of total hazard h escapes with probability (1 + h / k) ** -k.
        """
        k = self.facts["dispersion"]["shape"]
        if not len(rate):
            return 0.0
        low, high = 0.0, 1.0
        reached = lambda c: float((1 - (1 + c * rate / k) ** -k).sum()) / sources  # noqa: E731
        while reached(high) < goal and high < 1e6:
            high *= 2
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if reached(middle) < goal else (low, middle)
        return high
