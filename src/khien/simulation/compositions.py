"""A pool of households with plausible kin, from which every commune draws.

A household is a row of SLOTS places. Which places are taken follows from its composition (rulebook/simulation), ages
follow from births: mother and child are 19 to 41 completed years apart, so by birth date always between 18 and 42. The
pool is then weighted so that its people match the ages of the census by sex and its households the sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from khien.simulation.ages import GROUPS, OLDEST, census, group_of

HEAD, SPOUSE, CHILD, PARENT, SIBLING, IN_LAW, GRANDCHILD, GRANDPARENT = 0, 1, 2, 7, 9, 11, 12, 15
SLOTS = 16
LARGEST = 10
MALE, FEMALE = 0, 1
RELATIONS = np.array(
    ["head", "spouse", "child", "parent", "sibling", "grandparent", "grandchild", "other"], dtype=object
)
# Index into RELATIONS of the person in each slot; the register has no word for a child's spouse.
SLOT_RELATION = np.array([0, 1, 2, 2, 2, 2, 2, 3, 3, 4, 4, 7, 6, 6, 6, 5], dtype=np.int8)
# Family lines: whose family name a person carries.
LINE_HEAD, LINE_SPOUSE, LINE_ABSENT_FATHER, LINE_HEADS_MOTHER, LINE_IN_LAW, LINE_ABSENT_SON_IN_LAW = range(6)
LINES = 6
_YOUNGEST_MOTHER, _OLDEST_MOTHER = 19, 41
_POOL_SEED = 20190401

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """Households by row; `age` is -1 where a slot is empty. `mother`, `father` are slots, -1 if not at home."""

    age: Ints
    sex: Ints
    line: Ints
    mother: Ints
    father: Ints
    size: Ints
    weight: NDArray[np.float64]

    @property
    def taken(self) -> NDArray[np.bool_]:
        return self.age >= 0

    def counts(self) -> NDArray[np.float64]:
        """Persons of each household by age group and sex, shape (households, GROUPS * 2)."""
        rows, slots = np.nonzero(self.taken)
        cell = group_of(self.age[rows, slots]) * 2 + self.sex[rows, slots]
        flat = np.bincount(rows * GROUPS * 2 + cell, minlength=len(self.size) * GROUPS * 2)
        return flat.reshape(len(self.size), GROUPS * 2).astype(float)


@cache
def pool(households: int = 40_000) -> Pool:
    """The pool, the same in every run: differences between nations come from drawing, not from it."""
    rng = np.random.default_rng(_POOL_SEED)
    rows = np.array(census()["compositions"]["rows"], dtype=float)
    people = 1 + rows[:, 1:].sum(axis=1).astype(np.int64)
    sizes = np.array(census()["households"]["sizes"], dtype=float)
    # Larger ones get a floor, so that their many shapes are all there to be weighted.
    per_size = np.maximum(sizes / sizes.sum(), 0.06)
    share = rows[:, 0] * per_size[np.minimum(people, 7) - 1] / np.where(people >= 7, 3.0, 1.0)
    kind = rng.choice(len(rows), size=households, p=share / share.sum())
    return _born(rows[kind, 1:].astype(np.int64), share[kind], rng)


def _born(shape: Ints, weight: NDArray[np.float64], rng: np.random.Generator) -> Pool:
    """Give every household of the composition rows its ages, sexes and kin; impossible ones are left out."""
    n = len(shape)
    spouse, children, parents, siblings, in_law, grandchildren, grandparents = shape.T
    age = np.full((n, SLOTS), -1, dtype=np.int64)
    sex = (rng.random((n, SLOTS)) >= 0.515).astype(np.int64)
    line = np.full((n, SLOTS), LINE_HEAD, dtype=np.int64)
    mother = np.full((n, SLOTS), -1, dtype=np.int64)
    father = np.full((n, SLOTS), -1, dtype=np.int64)

    head_is_woman = rng.random(n) < np.where(spouse > 0, 0.25, np.where(children > 0, 0.80, 0.52))
    sex[:, HEAD], sex[:, SPOUSE] = head_is_woman, ~head_is_woman
    woman, gap = _couple_ages(n, children, in_law, grandchildren, rng)
    for k in range(5):
        age[:, CHILD + k] = np.where(children > k, woman.births[:, k], -1)
    his = woman.age + gap
    age[:, HEAD] = np.where(head_is_woman, woman.age, his)
    age[:, SPOUSE] = np.where(spouse > 0, np.where(head_is_woman, his, woman.age), -1)
    line[:, SPOUSE] = LINE_SPOUSE
    head_father = np.where(head_is_woman, np.where(spouse > 0, SPOUSE, -1), HEAD)
    head_mother = np.where(head_is_woman, HEAD, np.where(spouse > 0, SPOUSE, -1))
    for k in range(5):
        mother[:, CHILD + k], father[:, CHILD + k] = head_mother, head_father
        line[:, CHILD + k] = np.select(
            [head_father == HEAD, head_father == SPOUSE], [LINE_HEAD, LINE_SPOUSE], LINE_ABSENT_FATHER
        )

    _grandchildren(age, sex, line, mother, father, in_law, grandchildren, rng)
    _elders(age, sex, line, mother, father, parents, siblings, grandparents, rng)
    made = Pool(age, sex, line, mother, father, (age >= 0).sum(axis=1), weight)
    return _possible(made, shape.sum(axis=1) + 1)


@dataclass(frozen=True, slots=True)
class _Mothers:
    age: Ints
    births: Ints


def _births(n: int, first: Ints, rng: np.random.Generator, many: int) -> Ints:
    """Ages of a mother at the births of `many` children, shape (n, many), from her age at the first."""
    spaces = np.clip(np.rint(rng.normal(3.6, 1.9, (n, many - 1))), 1, 9).astype(np.int64)
    return first[:, None] + np.column_stack([np.zeros(n, dtype=np.int64), np.cumsum(spaces, axis=1)])


def _couple_ages(
    n: int, children: Ints, in_law: Ints, grandchildren: Ints, rng: np.random.Generator
) -> tuple[_Mothers, Ints]:
    """Age of the woman who heads or would head the household, ages of her children, and how much older the man is."""
    first = np.clip(np.rint(rng.normal(25.0, 4.3, n)), _YOUNGEST_MOTHER, 37).astype(np.int64)
    at_birth = _births(n, first, rng, 5)
    small = np.where(rng.random(n) < 0.72, rng.integers(0, 24, n), rng.integers(15, 56, n))
    married = rng.integers(21, 60, n)
    eldest = np.where(in_law > 0, married, small)
    # Where the first child is too young for all the others to be born, the family starts earlier.
    eldest = np.maximum(eldest, np.take_along_axis(at_birth, np.maximum(children - 1, 0)[:, None], 1)[:, 0] - first)
    childless = np.where(rng.random(n) < 0.42, rng.integers(19, 36, n), rng.integers(30, 92, n))
    with_grandchild = rng.integers(44, 82, n)
    age = np.where(children > 0, first + eldest, np.where(grandchildren > 0, with_grandchild, childless))
    gap = np.clip(np.rint(rng.normal(2.8, 3.2, n)), -5, 14).astype(np.int64)
    return _Mothers(age, (age[:, None] - at_birth)), gap


def _grandchildren(
    age: Ints, sex: Ints, line: Ints, mother: Ints, father: Ints, in_law: Ints, many: Ints, rng: np.random.Generator
) -> None:
    """The first child's spouse, and grandchildren: theirs, or of somebody who lives elsewhere."""
    n = len(age)
    child_is_woman = sex[:, CHILD] == FEMALE
    gap = np.clip(np.rint(rng.normal(2.6, 2.8, n)), -4, 10).astype(np.int64)
    partner = age[:, CHILD] + np.where(child_is_woman, gap, -gap)
    age[:, IN_LAW] = np.where(in_law > 0, partner, -1)
    sex[:, IN_LAW] = 1 - sex[:, CHILD]
    line[:, IN_LAW] = LINE_IN_LAW

    her_slot = np.where(in_law > 0, np.where(child_is_woman, CHILD, IN_LAW), -1)
    her_age = np.where(child_is_woman, age[:, CHILD], partner)
    away = age[:, HEAD] - rng.integers(22, 34, n)  # age of the mother who lives elsewhere
    her_age = np.where(in_law > 0, her_age, away)
    first = np.clip(np.rint(rng.normal(24.5, 3.8, n)), _YOUNGEST_MOTHER, 36).astype(np.int64)
    born = her_age[:, None] - _births(n, first, rng, 3)
    his_slot = np.where(in_law > 0, np.where(child_is_woman, IN_LAW, CHILD), -1)
    through_son = rng.random(n) < 0.6
    named = np.select(
        [his_slot == IN_LAW, his_slot == CHILD, through_son],
        [LINE_IN_LAW, line[:, CHILD], np.where(sex[:, HEAD] == MALE, LINE_HEAD, LINE_ABSENT_FATHER)],
        LINE_ABSENT_SON_IN_LAW,
    )
    for k in range(3):
        age[:, GRANDCHILD + k] = np.where(many > k, born[:, k], -1)
        mother[:, GRANDCHILD + k], father[:, GRANDCHILD + k], line[:, GRANDCHILD + k] = her_slot, his_slot, named


def _elders(
    age: Ints,
    sex: Ints,
    line: Ints,
    mother: Ints,
    father: Ints,
    parents: Ints,
    siblings: Ints,
    grandparents: Ints,
    rng: np.random.Generator,
) -> None:
    """The head's mother (slot PARENT) and father (PARENT + 1), siblings, one grandparent."""
    n = len(age)
    widower = (parents == 1) & (rng.random(n) < 0.22)
    has_mother = (parents > 0) & ~widower
    has_father = (parents == 2) | widower
    hers = age[:, HEAD] + np.clip(np.rint(rng.normal(26.5, 5.0, n)), _YOUNGEST_MOTHER, _OLDEST_MOTHER).astype(np.int64)
    his = hers + np.clip(np.rint(rng.normal(2.8, 3.2, n)), -5, 14).astype(np.int64)
    age[:, PARENT], age[:, PARENT + 1] = np.where(has_mother, hers, -1), np.where(has_father, his, -1)
    sex[:, PARENT], sex[:, PARENT + 1] = FEMALE, MALE
    line[:, PARENT] = LINE_HEADS_MOTHER
    for slot in (HEAD, SIBLING, SIBLING + 1):
        mother[:, slot] = np.where(has_mother, PARENT, -1)
        father[:, slot] = np.where(has_father, PARENT + 1, -1)
    for k in range(2):
        brother = age[:, HEAD] + rng.integers(2, 9, n) * np.where(rng.random(n) < 0.35, 1, -1) * (k + 1)
        age[:, SIBLING + k] = np.where(siblings > k, brother, -1)
    age[:, GRANDPARENT] = np.where(grandparents > 0, age[:, HEAD] + rng.integers(44, 66, n), -1)
    line[:, GRANDPARENT] = np.where(sex[:, GRANDPARENT] == MALE, LINE_HEAD, LINE_HEADS_MOTHER)


def _possible(made: Pool, wanted: Ints) -> Pool:
    """Only households whose people are all born, not too old, adult where they must be, and of plausible parents."""
    rows = np.arange(len(made.size))
    good = (made.size == wanted) & (made.age.max(axis=1) <= OLDEST) & (made.age[:, HEAD] >= 18)
    good &= (made.age[:, SPOUSE] < 0) | (made.age[:, SPOUSE] >= 18)
    good &= (made.age[:, IN_LAW] < 0) | (made.age[:, IN_LAW] >= 19)
    for slot in range(SLOTS):
        there = made.age[:, slot] >= 0
        for parents, oldest in ((made.mother, _OLDEST_MOTHER), (made.father, 60)):
            parent = parents[:, slot]
            apart = made.age[rows, parent] - made.age[:, slot]
            good &= ~there | (parent < 0) | ((apart >= _YOUNGEST_MOTHER) & (apart <= oldest))
    for slot in range(SIBLING, SIBLING + 2):
        good &= (made.age[:, slot] < 0) | (made.age[:, slot] >= 12)
    good &= (made.age[:, GRANDCHILD] < 0) | (made.age[:, HEAD] - made.age[:, GRANDCHILD] >= 38)
    return Pool(*(getattr(made, name)[good] for name in ("age", "sex", "line", "mother", "father", "size", "weight")))
