"""Vietnamese names by region, sex and generation, from the tables in rulebook/simulation/names.toml."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.rulebook import load

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.object_]


def _table(weights: dict[str, float]) -> tuple[Words, Floats]:
    words = np.array(list(weights), dtype=object)
    share = np.cumsum(np.array(list(weights.values()), dtype=float))
    return words, share / share[-1]


@cache
def _families() -> dict[str, tuple[Words, Floats]]:
    return {region: _table(load("simulation", "names")["family"][region]) for region in ("north", "south")}


@cache
def _generations() -> list[dict[str, Any]]:
    tables = load("simulation", "names")
    exponent = tables["given"]["exponent"]
    made = []
    for one in tables["generation"]:
        by_sex = []
        for sex in ("male", "female"):
            given = {name: (n + 1) ** -exponent for n, name in enumerate(one[sex]["given"])}
            by_sex.append((_table(one[sex]["middle"]), _table(given)))
        made.append({"until": one["until"], "sex": by_sex})
    return made


def _picked(table: tuple[Words, Floats], draw: Floats) -> Words:
    words, share = table
    picked: Words = words[np.minimum(np.searchsorted(share, draw, side="right"), len(words) - 1)]
    return picked


def family_names(draw: Floats, north: NDArray[np.bool_]) -> Words:
    """A family name for each uniform draw."""
    return np.where(north, _picked(_families()["north"], draw), _picked(_families()["south"], draw))


def full_names(family: Words, sex: Ints, birth_year: Ints, middle: Floats, given: Floats) -> Words:
    """Family, middle and given name as on the card; sex 0 male, 1 female; the draws are uniform on [0, 1)."""
    middles, givens = np.full(len(sex), "", dtype=object), np.full(len(sex), "", dtype=object)
    untils = [g["until"] for g in _generations()]
    generation = np.searchsorted(untils, birth_year, side="left")
    for g, tables in enumerate(_generations()):
        for s, (middle_table, given_table) in enumerate(tables["sex"]):
            here = np.flatnonzero((generation == g) & (sex == s))
            middles[here] = _picked(middle_table, middle[here])
            givens[here] = _picked(given_table, given[here])
    joined = [
        f"{f} {m} {g}" if m else f"{f} {g}"
        for f, m, g in zip(family.tolist(), middles.tolist(), givens.tolist(), strict=True)
    ]
    return np.array(joined, dtype=object)
