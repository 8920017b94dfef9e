"""Where people are registered and where they are: permanent, temporary, stay, absence (Law on Residence 68/2020/QH14).

A nation is made by the communes where people live. A temporary resident or guest therefore gets a permanent residence
elsewhere, a traveller another place to stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.simulation.cards import NEVER
from khien.simulation.households import Lottery, Members, head_ages
from khien.simulation.places import Communes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Draw = Callable[[str], Floats]
HERE, TEMPORARY, GUEST = 0, 1, 2
TERM = 730  # days: a temporary residence is registered for two years at most (art. 27)
LONGEST_STAY = 29  # days: from 30 days on it is temporary residence (art. 30)


@dataclass(frozen=True, slots=True)
class Residence:
    """Indices of communes (-1 = none) and days since 1970-01-01 (NEVER = none), a row a person.

    `kind`: HERE for people at their permanent residence's commune, TEMPORARY or GUEST for those registered elsewhere.
    `away` marks those whose temporary residence is elsewhere than the block's commune.
    """

    kind: Ints
    permanent: Ints
    temporary: Ints
    temporary_from: Ints
    temporary_until: Ints
    stay: Ints
    stay_from: Ints
    stay_until: Ints
    absent_from: Ints
    absent_until: Ints
    away: NDArray[np.bool_]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Who has a permanent residence here and nothing else."""
        return (self.kind == HERE) & (self.temporary < 0) & (self.stay < 0) & (self.absent_from == NEVER)


class Geography:
    """Who comes from where: shares of migrants by province and draws of a commune by its people."""

    def __init__(self, base: Communes, lottery: Lottery, facts: dict[str, Any]) -> None:
        self.facts = facts["residence"]
        self.province = base.province.astype(np.int64)
        self.migrants = np.full(len(base.code), float(self.facts["migrants_elsewhere"]))
        for code, share in self.facts["migrants"].items():
            self.migrants[base.province == code] = share
        self._order = np.argsort(self.province, kind="stable")
        self._edges = np.cumsum(base.people[self._order])
        self._towards = np.cumsum(base.people * self.migrants**2)
        first = np.searchsorted(self.province[self._order], np.arange(100))
        padded = np.append(0.0, self._edges)
        self._start, self._many = padded[first[:-1]], np.diff(padded[first])
        # Young households move: their share is raised so that all together keep the province's share.
        head = head_ages(lottery.pool)
        eager = self._eagerness(head)
        held = lottery.national * lottery.pool.size
        self._eager_mean = float((eager * held).sum() / held.sum())
        self._small = float(held[lottery.pool.size <= 2].sum() / held.sum())

    @staticmethod
    def _eagerness(head_age: Ints) -> Floats:
        return np.select([head_age < 35, head_age < 50], [2.0, 1.2], 0.35)

    def kind(self, members: Members, draw: Floats) -> Ints:
        """HERE, TEMPORARY or GUEST of each person; the same for a whole household (`draw` is the household's)."""
        share = self.migrants[members.commune] * self._eagerness(members.age[members.head]) / self._eager_mean
        share = np.minimum(share, 0.95)
        guest = np.where(members.size <= 2, self.facts["guests"] / self._small, 0.0)
        return np.select([draw < share, draw < share + (1 - share) * guest], [TEMPORARY, GUEST], HERE)

    def elsewhere(self, province: Ints, draw: Floats) -> Ints:
        """A commune in another province than the given ones, by its people."""
        total = self._edges[-1]
        place = draw * (total - self._many[province])
        place = np.where(place >= self._start[province], place + self._many[province], place)
        return self._order[np.minimum(np.searchsorted(self._edges, place, side="right"), len(self._order) - 1)]

    def attractive(self, draw: Floats) -> Ints:
        """A commune by its people and the square of its province's share of migrants."""
        edges = self._towards
        return np.minimum(np.searchsorted(edges, draw * edges[-1], side="right"), len(edges) - 1)


def resided(members: Members, geography: Geography, draw: Draw, today: int) -> Residence:
    """Residence of a block's people; `draw(name)` gives the block's uniform numbers of that name."""
    facts, head, n = geography.facts, members.head, len(members.age)
    kind = geography.kind(members, draw("moved")[head])
    origin = geography.elsewhere(geography.province[members.commune], draw("origin")[head])
    permanent = np.where(kind == HERE, members.commune, origin)

    # One draw divides the people at home among those who are somewhere else.
    mobile, target = draw("mobile"), draw("target")
    home, age = kind == HERE, members.age
    leave = np.where((age >= 18) & (age <= 30), facts["temporarily_away"] * 5, 0.0)
    travel = leave + np.where(age >= 18, facts["travellers"] / 0.7, 0.0)
    absent = travel + np.where((age >= 18) & (age <= 45), facts["absent"] / 0.43, 0.0)
    attracted, anywhere = geography.attractive(target), geography.elsewhere(geography.province[members.commune], target)
    away = home & (mobile < leave) & (attracted != members.commune)
    travelling = home & (mobile >= leave) & (mobile < travel)
    gone = home & (mobile >= travel) & (mobile < absent)

    # Who moved as a household registered on one day.
    row = np.where(home, np.arange(n), head)
    since, until = draw("since")[row], draw("until")[row]
    started = today - 30 - _whole(since, TERM - 31)
    lapsed = draw("lapsed")[row] < facts["lapsed"]
    started = np.where(lapsed, started - TERM, started)
    temporary = np.where(kind == TEMPORARY, members.commune, np.where(away, attracted, -1))
    stay = np.where(kind == GUEST, members.commune, np.where(travelling, anywhere, -1))
    length = 2 + _whole(until, LONGEST_STAY - 2)
    arrived = today - _whole(since, 1_000) % length  # so that the stay has begun and is not over
    left = today - 1 - _whole(since, 365)
    never = np.full(n, NEVER, dtype=np.int64)
    return Residence(
        kind=kind,
        permanent=permanent,
        temporary=temporary,
        temporary_from=np.where(temporary >= 0, started, never),
        temporary_until=np.where(temporary >= 0, started + TERM - 1, never),
        stay=stay,
        stay_from=np.where(stay >= 0, arrived, never),
        stay_until=np.where(stay >= 0, arrived + length, never),
        absent_from=np.where(gone, left, never),
        absent_until=np.where(gone, left + 365 + _whole(until, 365), never),
        away=away,
    )


def _whole(draw: Floats, many: int) -> Ints:
    return np.floor(draw * many).astype(np.int64)
