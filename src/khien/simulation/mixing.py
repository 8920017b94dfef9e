"""Where people meet: homes, workplaces, school classes, markets and buses, and who is where on a day.

Minutes count from midnight in Viet Nam. Every place has a number; homes come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.simulation.residents import Residents

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SETTINGS = ("home", "work", "school", "market", "travel")
HOME, WORK, SCHOOL, MARKET, TRAVEL = range(len(SETTINGS))
IMPORTED = -1
DAY = 1440
HOME_HOURS = (1080, DAY)  # when those who live together infect each other: the evening


@dataclass(frozen=True, slots=True)
class Visits:
    """Stays of people at places outside their home on one day; parallel arrays, minutes of the day."""

    person: Ints
    place: Ints
    setting: Ints
    start: Ints
    end: Ints

    def where(self, kept: NDArray[np.bool_]) -> Visits:
        return Visits(*(getattr(self, name)[kept] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Places:
    """All places in order of number; `commune` indexes the residents' communes, `setting` SETTINGS."""

    setting: Ints
    commune: Ints
    running: Ints


class Town:
    """The residents' fixed places, and draws of their days."""

    def __init__(self, residents: Residents, settings: dict[str, Any], seed: int) -> None:
        self.residents, self._facts, self._seed = residents, settings, seed
        rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
        self._people = np.bincount(residents.commune, minlength=len(residents.communes)).astype(float)
        homes = int(residents.home.max()) + 1
        first = np.unique(residents.home, return_index=True)[1]
        self._setting, self._commune = [np.full(homes, HOME)], [residents.commune[first]]
        self._many = homes
        self.work, self.works_in = self._workplaces(rng)
        self.school = self._classes(rng)
        self._markets, self._market_of = self._market_places()
        self.bus = self._bus_routes(rng)
        self.places = Places(
            np.concatenate(self._setting),
            np.concatenate(self._commune),
            np.concatenate([np.arange(len(one)) for one in self._setting]),
        )

    def _add(self, setting: int, commune: Ints) -> int:
        """Register places; the number of the first."""
        start = self._many
        self._setting.append(np.full(len(commune), setting))
        self._commune.append(commune)
        self._many += len(commune)
        return start

    def _elsewhere(self, own: Ints, own_share: float, rng: np.random.Generator) -> Ints:
        """The own commune for some, else any by its people."""
        edges = np.cumsum(self._people)
        any_one = np.searchsorted(edges, rng.random(len(own)) * edges[-1], side="right")
        return np.where(rng.random(len(own)) < own_share, own, any_one)

    def _grouped(self, who: Ints, key: Ints, number: Ints, setting: int, commune: Ints) -> Ints:
        """One place for each run of people with equal key and number; the place of each person, -1 for all others."""
        place = np.full(len(self.residents), -1, dtype=np.int64)
        if not len(who):
            return place
        pairs = np.column_stack([key, number])
        changed = np.append(True, (pairs[1:] != pairs[:-1]).any(axis=1))
        group = np.cumsum(changed) - 1
        place[who] = self._add(setting, commune[changed]) + group
        return place

    def _workplaces(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        facts, residents = self._facts["work"], self.residents
        adult = (residents.age >= facts["ages"][0]) & (residents.age <= facts["ages"][1])
        who = np.flatnonzero(adult & (rng.random(len(residents)) < facts["share_of_adults"]))
        commune = self._elsewhere(residents.commune[who], facts["own_commune"], rng)
        order = np.lexsort((rng.random(len(who)), commune))
        who, commune = who[order], commune[order]
        sizes = facts["median_size"] * np.exp(facts["size_spread"] * rng.standard_normal(len(who)))
        last = np.cumsum(np.clip(np.rint(sizes), 2, facts["largest"]))
        number = np.searchsorted(last, np.arange(len(who)), side="right")
        works_in = np.full(len(residents), -1, dtype=np.int64)
        works_in[who] = commune
        return self._grouped(who, commune, number, WORK, commune), works_in

    def _classes(self, rng: np.random.Generator) -> Ints:
        facts, residents = self._facts["school"], self.residents
        young = (residents.age >= facts["ages"][0]) & (residents.age <= facts["ages"][1])
        who = np.flatnonzero(young & (rng.random(len(residents)) < facts["enrolled"]))
        key = residents.commune[who] * 200 + residents.age[who]
        order = np.lexsort((rng.random(len(who)), key))
        who, key = who[order], key[order]
        number = (np.arange(len(who)) - np.searchsorted(key, key)) // facts["class_size"]
        return self._grouped(who, key, number, SCHOOL, key // 200)

    def _market_places(self) -> tuple[Ints, Ints]:
        """First market and number of markets of each commune."""
        many = np.maximum(1, np.rint(self._people / self._facts["market"]["people_for_one"])).astype(np.int64)
        start = self._add(MARKET, np.repeat(np.arange(len(many)), many))
        return start + np.cumsum(many) - many, many

    def _bus_routes(self, rng: np.random.Generator) -> Ints:
        """The first departure of the route that each commuter may take, -1 for everybody else.

        A place is one departure of one route: its riders sit together, other departures' do not.
        """
        facts, residents = self._facts["travel"], self.residents
        slots = len(facts["departures"])
        start = self._add(TRAVEL, np.repeat(np.arange(len(self._people)), facts["routes"] * slots))
        route = residents.commune * facts["routes"] + rng.integers(0, facts["routes"], len(residents))
        commuter = (self.works_in >= 0) & (self.works_in != residents.commune)
        return np.where(commuter, start + route * slots, -1)

    def day(self, number: int, weekday: int) -> Visits:
        """Visits of a day (number from the first day, weekday 0 = Monday), as if nobody were ill."""
        rng = np.random.default_rng(np.random.SeedSequence([self._seed, 2, number]))
        work = self._attendance("work", WORK, self.work, weekday, rng)
        parts = [
            work,
            self._attendance("school", SCHOOL, self.school, weekday, rng),
            self._shopping(rng),
            self._riding(work.person, rng),
        ]
        return Visits(*(np.concatenate([getattr(p, name) for p in parts]) for name in Visits.__slots__))

    def _attendance(self, name: str, setting: int, place: Ints, weekday: int, rng: np.random.Generator) -> Visits:
        facts = self._facts[name]
        belong = np.flatnonzero(place >= 0)
        there = rng.random(len(belong)) < facts["attendance"]
        who = belong[there] if weekday < facts["days_a_week"] else belong[:0]
        (start, end), n = facts["hours"][0], len(who)
        return Visits(
            who,
            place[who],
            np.full(n, setting),
            start + rng.integers(-15, 16, n),
            end + rng.integers(-15, 16, n),
        )

    def _shopping(self, rng: np.random.Generator) -> Visits:
        facts, residents = self._facts["market"], self.residents
        adult = (residents.age >= facts["ages"][0]) & (residents.age <= facts["ages"][1])
        who = np.flatnonzero(adult & (rng.random(len(residents)) < facts["daily"]))
        commune = self._elsewhere(residents.commune[who], facts["own_commune"], rng)
        # Most go to the market they always go to.
        number = np.where(rng.random(len(who)) < 0.8, who, rng.integers(0, 1_000_000, len(who)))
        place = (self._markets[commune] + number % self._market_of[commune]).astype(np.int64)
        span = facts["closes"] - facts["opens"]
        start: Ints = int(facts["opens"]) + np.floor(rng.beta(1.4, 2.2, len(who)) * span).astype(np.int64)
        stay = rng.integers(facts["stay"][0], facts["stay"][1] + 1, len(who))
        return Visits(who, place, np.full(len(who), MARKET), start, start + stay)

    def _riding(self, working: Ints, rng: np.random.Generator) -> Visits:
        """Rides to work of those who go to work today."""
        facts = self._facts["travel"]
        riders = working[(self.bus[working] >= 0)]
        riders = riders[rng.random(len(riders)) < facts["daily"]]
        slot = rng.integers(0, len(facts["departures"]), len(riders))
        start = np.array(facts["departures"], dtype=np.int64)[slot]
        end = start + rng.integers(facts["ride"][0], facts["ride"][1] + 1, len(riders))
        return Visits(riders, self.bus[riders] + slot, np.full(len(riders), TRAVEL), start, end)


@dataclass(frozen=True, slots=True)
class Meetings:
    """Pairs of a source and somebody present at the same place at the same time; `rate` is hours over mixing."""

    source: Ints
    other: Ints
    place: Ints
    setting: Ints
    start: Ints
    end: Ints
    rate: Floats


def meetings(visits: Visits, sources: NDArray[np.bool_], mixed: Floats) -> Meetings:
    """All pairs of a visit by a person in `sources` (a mask over residents) with overlapping visits of others.

    Where more than `mixed[setting]` people come to a place in the day, each pair meets for a share of the time, so that
    nobody meets more than so many.
    """
    order = np.argsort(visits.place, kind="stable")
    place = visits.place[order]
    by = np.flatnonzero(sources[visits.person[order]])
    low, high = np.searchsorted(place, place[by], "left"), np.searchsorted(place, place[by], "right")
    many = high - low
    mine = np.repeat(by, many)
    theirs = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
    a, b = order[mine], order[theirs]
    start = np.maximum(visits.start[a], visits.start[b])
    end = np.minimum(visits.end[a], visits.end[b])
    met = (end > start) & (visits.person[a] != visits.person[b])
    a, b, start, end = a[met], b[met], start[met], end[met]
    crowd = np.repeat(many, many)[met]
    setting = visits.setting[a]
    rate = (end - start) / 60 / np.maximum(1.0, crowd / mixed[setting])
    return Meetings(visits.person[a], visits.person[b], visits.place[a], setting, start, end, rate)


def at_home(home: Ints, sources: Ints, present: NDArray[np.bool_], mixed: float) -> Meetings:
    """Pairs of each source with the others present in the same home; the rate of a whole evening is 1."""
    order = np.argsort(home, kind="stable")
    sorted_home = home[order]
    low, high = (
        np.searchsorted(sorted_home, home[sources], "left"),
        np.searchsorted(sorted_home, home[sources], "right"),
    )
    many = high - low
    source = np.repeat(sources, many)
    other = order[np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)]
    met = (source != other) & present[other]
    crowd = np.repeat(many, many)[met]
    source, other, n = source[met], other[met], int(met.sum())
    rate = 1.0 / np.maximum(1.0, crowd / mixed)
    evening = np.full(n, HOME_HOURS[0]), np.full(n, HOME_HOURS[1])
    return Meetings(source, other, home[source], np.full(n, HOME), *evening, rate)
