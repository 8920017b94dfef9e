"""Contacts found the slow way: every visit against every other, from the words of the rulebook, for comparison."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

VIET_NAM = dt.timezone(dt.timedelta(hours=7))
ASSUMED, LONGEST = dt.timedelta(minutes=120), dt.timedelta(hours=24)


@dataclass(frozen=True)
class Visit:
    person: int
    place: str
    came: dt.datetime
    left: dt.datetime | None

    @property
    def end(self) -> dt.datetime:
        """When it is taken to have ended: not known is two hours, nobody stays at a market for more than a day."""
        return min(self.left if self.left is not None else self.came + ASSUMED, self.came + LONGEST)


@dataclass
class Found:
    seconds: int = 0
    hazard: float = 0.0
    first: dt.datetime | None = None

    @property
    def score(self) -> float:
        return 1 - math.exp(-self.hazard)


def step(
    source: int, start: dt.datetime, end: dt.datetime, onset: dt.date | None, visits: list[Visit],
    homes: list[tuple[int, int]], rates: dict[str, float], minutes: int, shares: tuple[int, list[float], float],
) -> dict[int, Found]:  # fmt: skip
    """Everybody who was with `source` between start and end. `homes`: (person, household), all the time."""
    found: dict[int, Found] = {}

    def share(day: dt.date) -> float:
        first, by_day, unknown = shares
        if onset is None:
            return unknown
        at = (day - onset).days - first
        return by_day[at] if 0 <= at < len(by_day) else 0.0

    def add(person: int, a: dt.datetime, seconds: int, hazard: float) -> None:
        one = found.setdefault(person, Found())
        one.seconds += seconds
        one.hazard += hazard
        one.first = a if one.first is None else min(one.first, a)

    for mine in visits:
        if mine.person != source:
            continue
        own_a, own_b = max(mine.came, start), min(mine.end, end)
        if own_a >= own_b:
            continue
        for other in visits:
            if other.person == source or other.place != mine.place:
                continue
            a, b = max(own_a, other.came), min(own_b, other.end)
            seconds = int((b - a).total_seconds())
            if seconds <= 0 or seconds < minutes * 60:
                continue
            add(other.person, a, seconds, rates[mine.place] * share(own_a.astimezone(VIET_NAM).date()) * seconds / 3600)
    for person, home in homes:
        if person == source or (source, home) not in homes or start >= end:
            continue
        hazard, at = 0.0, start
        while at < end:
            local = at.astimezone(VIET_NAM)
            following = min(
                end, dt.datetime(local.year, local.month, local.day, tzinfo=VIET_NAM) + dt.timedelta(days=1)
            )
            hazard += rates["household"] * 10 / 24 * share(local.date()) * (following - at).total_seconds() / 3600
            at = following
        add(person, start, round((end - start).total_seconds() * 10 / 24), hazard)
    return found


def trace(
    case: int, start: dt.datetime, end: dt.datetime, onset: dt.date, moment: dt.datetime, depth: int,
    latent: dt.timedelta, **facts: object,
) -> dict[int, tuple[int, Found]]:  # fmt: skip
    """Degree and best-scored finding of everybody, breadth first."""
    known: dict[int, tuple[int, Found]] = {}
    level: list[tuple[int, dt.datetime, dt.datetime, dt.date | None]] = [(case, start, end, onset)]
    for degree in range(1, depth + 1):
        best: dict[int, Found] = {}
        firsts: dict[int, dt.datetime] = {}
        for source, a, b, day in level:
            for person, one in step(source, a, b, day, **facts).items():  # type: ignore[arg-type]
                if person == case or person in known:
                    continue
                assert one.first is not None
                firsts[person] = min(firsts.get(person, one.first), one.first)
                if person not in best or one.score > best[person].score:
                    best[person] = one
        known |= {person: (degree, one) for person, one in best.items()}
        level = [(person, firsts[person] + latent, moment, None) for person in best]
    return known
