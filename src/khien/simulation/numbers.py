"""Unique random-looking numbers without a common register of those already given.

A commune must be the same whether it is made alone or with others, so it cannot look at others' numbers. Instead every
commune owns a stretch of the running numbers of each series, and a keyed permutation scatters the running
numbers over all numbers of the series: unique as the running numbers are, without visible order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_ROUNDS = 4


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finaliser of SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2714064.2660195)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def scattered(running: Ints, left: int, right: int, key: Ints) -> Ints:
    """A permutation of 0 ... left * right - 1, another one for each key (a generalised Feistel network)."""
    low, high = running % right, running // right
    salt = _mixed(key.astype(np.uint64))
    for step in range(_ROUNDS):
        turn = salt + np.uint64(step * 2)
        high = (high + (_mixed(turn ^ _mixed(low.astype(np.uint64))) % np.uint64(left)).astype(np.int64)) % left
        low = low + (_mixed(turn + np.uint64(1) ^ _mixed(high.astype(np.uint64))) % np.uint64(right)).astype(np.int64)
        low %= right
    return high * right + low


def rank_within(*keys: Ints) -> Ints:
    """Position of each row among the rows with the same keys, in row order, from 0."""
    if len(keys[0]) == 0:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort(keys[::-1])
    changed = np.zeros(len(order), dtype=bool)
    changed[0] = True
    for key in keys:
        changed[1:] |= key[order][1:] != key[order][:-1]
    start = np.maximum.accumulate(np.where(changed, np.arange(len(order)), 0))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - start
    return rank


class BirthNumbers:
    """The six last digits of personal numbers, by province of birth registration, century and sex, and year.

    Each series of a million belongs for four fifths to the communes of the province by their people, for one fifth to
    all other communes by their people and share of migrants.
    """

    OWN, ALL = 800_000, 1_000_000

    def __init__(self, people: NDArray[np.float64], province: Ints, migrants: NDArray[np.float64], seed: int) -> None:
        self._province, self._seed = province, seed
        self._own_start = np.zeros(len(people), dtype=np.int64)
        self._own_many = np.zeros(len(people), dtype=np.int64)
        for one in np.unique(province):
            inside = np.flatnonzero(province == one)
            self._own_start[inside], self._own_many[inside] = _stretches(people[inside], self.OWN)
        start, self._other_many = _stretches(people * migrants, self.ALL - self.OWN)
        self._other_start = start + self.OWN

    def give(self, commune: Ints, birth_province: Ints, century: Ints, year: Ints) -> Ints:
        """Numbers 0 ... 999999 for the rows of whole communes; -1 where a commune's stretch is used up."""
        own = self._province[commune] == birth_province
        rank = rank_within(commune, birth_province, century, year)
        start = np.where(own, self._own_start[commune], self._other_start[commune])
        many = np.where(own, self._own_many[commune], self._other_many[commune])
        key = ((np.int64(self._seed) * 1000 + birth_province) * 10 + century) * 100 + year
        return np.where(rank < many, scattered((start + rank) % self.ALL, 1000, 1000, key), -1)


def _stretches(weight: NDArray[np.float64], length: int) -> tuple[Ints, Ints]:
    edges = np.append(0, np.floor(np.cumsum(weight) / weight.sum() * length)).astype(np.int64)
    return edges[:-1], np.diff(edges)
