"""Which households live in each commune, and the people in them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from khien.simulation import ages, compositions, weights
from khien.simulation.compositions import HEAD, LARGEST, SLOT_RELATION, Pool
from khien.simulation.places import Communes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Members:
    """The people of a block, household by household; parallel arrays.

    `household` numbers the block's households, `first` is the row of each one's head, `mother` and `father` are rows of
    the block or -1, `line` says whose family name the person carries (compositions.LINE_*).
    """

    commune: Ints
    household: Ints
    first: Ints
    size: Ints
    age: Ints
    sex: Ints
    relation: Ints
    line: Ints
    mother: Ints
    father: Ints

    @property
    def head(self) -> Ints:
        """Row of the head of each person's household."""
        return self.first[self.household]


@lru_cache(maxsize=8)
def _national(on: dt.date) -> Floats:
    """Weights of the pool for the whole country at the date; kept, because tests and demos make many small nations."""
    return weights.balanced(compositions.pool(), ages.national(on), weights.national_sizes())


class Lottery:
    """Draws households of the pool with the weights of a date, and of a district and commune where files give them."""

    def __init__(self, base: Communes, on: dt.date, district_ages: dict[str, Floats]) -> None:
        self.pool: Pool = compositions.pool()
        self._base, self._on, self._district_ages = base, on, district_ages
        self._sizes = weights.national_sizes()
        self.national = _national(on)
        self._national_edges = np.cumsum(self.national)
        self._by_district: dict[str, Floats] = {}
        self._of_size = [np.flatnonzero(self.pool.size == size) for size in range(LARGEST + 1)]

    def edges(self, commune: int) -> Floats:
        """Cumulated weights of the pool for households of this commune."""
        sizes = self._base.sizes[commune]
        district = self._base.district[commune]
        if np.isnan(sizes[0]) and district not in self._district_ages:
            return self._national_edges
        weight = self._district(district)
        if not np.isnan(sizes[0]):
            there = np.bincount(weights.size_class(self.pool), weight, minlength=weights.CLASSES)
            weight = weight * (sizes / np.maximum(there, 1e-12))[weights.size_class(self.pool)]
        return np.cumsum(weight / weight.sum())

    def _district(self, code: str) -> Floats:
        if code not in self._district_ages:
            return self.national
        if code not in self._by_district:
            self._by_district.clear()  # districts come one after the other; one is enough to keep
            people = ages.by_sex(ages.carried_to(self._district_ages[code], self._on))
            self._by_district[code] = weights.balanced(self.pool, people, self._sizes)
        return self._by_district[code]

    def of_size(self, size: int, draw: float) -> int:
        """A household of exactly this many people."""
        choice = self._of_size[size]
        edges = np.cumsum(self.national[choice])
        return int(choice[min(int(np.searchsorted(edges, draw * edges[-1], side="right")), len(choice) - 1)])


def drawn(lottery: Lottery, communes: Ints, people: Ints, draw: Floats) -> Members:
    """Households for communes of exactly `people` persons each; `draw` has one uniform number a person.

    Households are drawn until the next one would be one too many; a last one of the remaining size fills the commune.
    """
    template, of = [], []
    start = 0
    for commune, many in zip(communes.tolist(), people.tolist(), strict=True):
        mine = draw[start : start + many]
        start += many
        picked = np.minimum(np.searchsorted(lottery.edges(commune), mine, side="right"), len(lottery.pool.size) - 1)
        filled = np.cumsum(lottery.pool.size[picked])
        kept = int(np.searchsorted(filled, many, side="right"))
        left = many - (int(filled[kept - 1]) if kept else 0)
        chosen = picked[:kept]
        if left:
            chosen = np.append(chosen, lottery.of_size(left, float(mine[-1])))
        template.append(chosen)
        of.append(np.full(len(chosen), commune))
    return _members(lottery.pool, np.concatenate(template), np.concatenate(of))


def _members(pool: Pool, template: Ints, commune: Ints) -> Members:
    size = pool.size[template]
    first = np.cumsum(size) - size
    household, slot = np.nonzero(pool.taken[template])
    kind = template[household]
    # Slots are in row order, so a slot's row is the head's plus the number of taken slots before it.
    before = np.cumsum(pool.taken[template], axis=1) - 1
    rows = {}
    for parent in ("mother", "father"):
        parent_slot = getattr(pool, parent)[kind, slot]
        there = (parent_slot >= 0) & (pool.age[kind, parent_slot] >= 0)
        rows[parent] = np.where(there, first[household] + before[household, parent_slot], -1)
    return Members(
        commune=commune[household],
        household=household,
        first=first,
        size=size[household],
        age=pool.age[kind, slot],
        sex=pool.sex[kind, slot],
        relation=SLOT_RELATION[slot].astype(np.int64),
        line=pool.line[kind, slot],
        mother=rows["mother"],
        father=rows["father"],
    )


def head_ages(pool: Pool) -> Ints:
    """Age of the head of each household of the pool."""
    return pool.age[:, HEAD]
