"""Chains of transmission: the estimated tree, its clusters, serial interval, reproduction number and dispersion."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Offspring:
    """Mean number of people whom a case infects, and dispersion k of the negative binomial (small: superspreading).

    `k.high` is infinite where the data do not tell the distribution from a Poisson.
    """

    r: Estimate
    k: Estimate
    cases: int


def tree(best: Mapping[Key, tuple[Key, float]]) -> dict[Key, tuple[Key, float]]:
    """Infected to (infector, certainty), without circles: the least certain link of each circle is left out."""
    links = dict(best)
    for start in list(best):
        seen: list[Key] = []
        at = start
        while at in links and at not in seen:
            seen.append(at)
            at = links[at][0]
        if at in links and at in seen:
            circle = seen[seen.index(at) :]
            del links[min(circle, key=lambda k: links[k][1])]
    return links


def generations(cases: Iterable[Key], links: Mapping[Key, tuple[Key, float]]) -> dict[Key, int]:
    """Steps from the first known case of the chain; 0 for one without known infector. `links` has no circles."""
    found: dict[Key, int] = {}
    for case in cases:
        path = [case]
        while path[-1] in links and path[-1] not in found:
            path.append(links[path[-1]][0])
        steps = found.get(path[-1], 0)
        for one in reversed(path):
            found.setdefault(one, steps)
            steps = found[one] + 1
    return found


def clusters(cases: Iterable[Key], links: Mapping[Key, tuple[Key, float]]) -> list[list[Key]]:
    """Cases that hang together, the largest first."""
    parent: dict[Key, Key] = {case: case for case in cases}

    def root(one: Key) -> Key:
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for infected, (infector, _) in links.items():
        parent[root(infected)] = root(infector)
    groups: dict[Key, list[Key]] = {}
    for case in list(parent):
        groups.setdefault(root(case), []).append(case)
    return sorted(groups.values(), key=lambda group: -len(group))


def epidemic_curve(days: Iterable[dt.date]) -> list[tuple[dt.date, int]]:
    """Cases a day, days without any included."""
    counts = Counter(days)
    if not counts:
        return []
    first, last = min(counts), max(counts)
    every = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    return [(day, counts[day]) for day in every]


def serial_interval(days: Sequence[float], *, seed: int = 1) -> tuple[Estimate, Estimate] | None:
    """Mean and standard deviation of days from onset to onset, with bootstrap intervals; None of fewer than three."""
    if len(days) < 3:
        return None
    told = np.asarray(days, dtype=np.float64)
    drawn = np.random.default_rng(seed).choice(told, (1000, len(told)))
    return _bootstrap(told.mean(), drawn.mean(axis=1)), _bootstrap(told.std(ddof=1), drawn.std(axis=1, ddof=1))


def _bootstrap(value: float, drawn: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))


def offspring_counts(cases: Sequence[Key], links: Mapping[Key, tuple[Key, float]]) -> list[int]:
    """How many each case infected, cases that infected nobody included."""
    counts = Counter(infector for infector, _ in links.values())
    return [counts[case] for case in cases]


def offspring(counts: Sequence[int]) -> Offspring | None:
    """Maximum likelihood of a negative binomial (Lloyd-Smith 2005) with profile likelihood; None without infections.

    R's interval is by the observed information of the fitted distribution, on the log scale.
    """
    if not counts or not sum(counts):
        return None
    told = np.asarray(counts, dtype=np.int64)
    mean = float(told.mean())
    grid = np.exp(np.linspace(math.log(1e-3), math.log(1e3), 1201))
    likelihood = np.array([_log_likelihood(told, mean, k) for k in grid])
    best = int(likelihood.argmax())
    inside = np.flatnonzero(
        likelihood >= likelihood[best] - 1.9207
    )  # half the 95 % point of chi-square with one degree
    high = math.inf if inside[-1] == len(grid) - 1 else float(grid[inside[-1]])
    k = Estimate(float(grid[best]), float(grid[inside[0]]), high)
    error = math.sqrt((mean + mean * mean / k.value) / len(told)) / mean
    return Offspring(
        Estimate(mean, mean * math.exp(-1.96 * error), mean * math.exp(1.96 * error)), k, len(told)
    )  # fmt: skip


def _log_likelihood(counts: NDArray[np.int64], mean: float, k: float) -> float:
    """Of a negative binomial with this mean and dispersion, over the distinct counts."""
    total = 0.0
    for value, many in zip(*np.unique(counts, return_counts=True), strict=True):
        n = int(value)
        total += int(many) * (
            math.lgamma(k + n) - math.lgamma(k) - math.lgamma(n + 1)
            + k * math.log(k / (k + mean)) + n * math.log(mean / (k + mean))
        )  # fmt: skip
    return total
