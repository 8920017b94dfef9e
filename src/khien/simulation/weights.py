"""Weights of the pool's households, so that people match given ages by sex and households given sizes.

Entropy balancing (Hainmueller 2012, doi:10.1093/pan/mpr025): of all weights that meet the margins exactly, those
nearest to the given ones. The dual is smooth and convex with one unknown a margin, so Newton's method finds it in a few
steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from khien.simulation.ages import census
from khien.simulation.compositions import Pool

Floats = NDArray[np.float64]
CLASSES = 7  # households of 1, 2, ... 6, 7 and more


def national_sizes() -> Floats:
    """Shares of households of 1, 2, ... 6, 7 and more persons."""
    sizes = np.array(census()["households"]["sizes"], dtype=float)
    return sizes / sizes.sum()


def mean_size(sizes: Floats) -> float:
    """Mean number of people of a household, from shares by size class."""
    means = np.append(np.arange(1.0, CLASSES), float(census()["households"]["large"]["mean_size"]))
    return float((sizes * means).sum())


def size_class(pool: Pool) -> NDArray[np.int64]:
    return np.minimum(pool.size, CLASSES) - 1


def balanced(pool: Pool, people: Floats, sizes: Floats) -> Floats:
    """Probability of drawing each household of the pool.

    `people`: shares by age group and sex, shape (GROUPS, 2), sum 1; `sizes`: shares of households by size class, sum 1.
    Margins that contradict each other are met as nearly as the pool allows.
    """
    margins = np.hstack([pool.counts(), np.eye(CLASSES)[size_class(pool)]])
    target = np.append(people.ravel() * mean_size(sizes), sizes)
    base = pool.weight / pool.weight.sum()
    unknown = np.zeros(margins.shape[1])
    dual = _dual(margins, target, base, unknown)
    for _ in range(60):
        weight = _tilted(margins, base, unknown)
        mean = weight @ margins
        slope = mean - target
        if np.abs(slope).max() < 1e-9:
            break
        spread = (margins * weight[:, None]).T @ margins - np.outer(mean, mean)
        spread[np.diag_indices_from(spread)] += 1e-9
        step, length = np.linalg.solve(spread, slope), 1.0
        while length > 1e-6:
            tried = _dual(margins, target, base, unknown - length * step)
            if tried <= dual - 1e-4 * length * float(slope @ step):
                break
            length /= 2
        else:
            break
        unknown, dual = unknown - length * step, tried
    return _tilted(margins, base, unknown)


def _dual(margins: Floats, target: Floats, base: Floats, unknown: Floats) -> float:
    exponent = margins @ unknown
    top = float(exponent.max())
    return top + float(np.log(base @ np.exp(exponent - top))) - float(target @ unknown)


def _tilted(margins: Floats, base: Floats, unknown: Floats) -> Floats:
    exponent = margins @ unknown
    weight: Floats = base * np.exp(exponent - exponent.max())
    return weight / weight.sum()
