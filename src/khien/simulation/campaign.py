"""A plausible vaccination campaign for the people of a register: same seed, same doses.

Vectorised over people. Shares and intervals are in `rulebook/simulation/vaccination_hcmc_2021.toml`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from khien import rulebook
from khien.vaccination.rules.dose_checks import DoseEntry

_DAY = np.timedelta64(1, "D")
_NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True, slots=True)
class People:
    """Columns of equal length: person_id (int64), unit_id (int32), birth_date and died_on (datetime64[D])."""

    person_id: np.ndarray
    birth_date: np.ndarray
    unit_id: np.ndarray
    died_on: np.ndarray


def doses(people: People, until: dt.date, site_of_unit: dict[int, str], *, seed: int) -> Iterator[DoseEntry]:
    """Doses given up to `until` (included), person by person. `client_id` is the same whenever it is asked again."""
    plan = rulebook.load("simulation", "vaccination_hcmc_2021")
    rng = np.random.default_rng(seed)
    first = _first_days(people, plan, rng)
    product = _products(first, plan, rng)
    second = _second_days(first, product, plan, rng)
    last = np.datetime64(until, "D")
    names = np.array(sorted(plan["second_dose"]))
    for nth, days in ((1, first), (2, second)):
        given = np.flatnonzero(
            (days <= last) & ~(people.died_on <= days)
        )  # NaT compares false, so nobody unborn or dead
        for n in given:
            person_id, day = int(people.person_id[n]), days[n].item()
            name = str(names[product[n]])
            yield DoseEntry(
                client_id=uuid5(NAMESPACE_OID, f"khien simulation {seed} {person_id} {nth}"),
                person_id=person_id,
                product=name,
                given_on=day,
                lot_number=lot_of(name, day),
                site=site_of_unit[int(people.unit_id[n])],
                already_given=True,
            )


def lot_of(product: str, day: dt.date) -> str:
    """One lot a product and month: 'PFI-2109' was used in September 2021."""
    return f"{product[:3].upper()}-{day:%y%m}"


def lots(first: dt.date, last: dt.date) -> Iterator[dict[str, Any]]:
    """Every lot that `doses` may name between two days: arrived before its month, good for half a year."""
    month = first.replace(day=1)
    while month <= last:
        for product in rulebook.load("simulation", "vaccination_hcmc_2021")["second_dose"]:
            yield {
                "product": product,
                "lot_number": lot_of(product, month),
                "arrived_on": month - dt.timedelta(days=10),
                "expires_on": month + dt.timedelta(days=180),
            }
        month = (month + dt.timedelta(days=32)).replace(day=1)


def _first_days(people: People, plan: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Day of the first dose (datetime64[D]), NaT for who never comes: the age group's curve, read backwards."""
    luck = rng.random(len(people.person_id)) / _willingness(people.unit_id)
    found = np.full(len(luck), _NEVER)
    for group in plan["first_dose"]:
        days = np.array([day for day, _ in group["by_day"]], dtype="datetime64[D]")
        shares = np.array([share for _, share in group["by_day"]])
        middle = days[len(days) // 2]
        age = (middle - people.birth_date) / (365.2425 * _DAY)
        member = (age >= group["min_age"]) & (age < group["max_age"] + 1) & (luck < shares[-1])
        offset = np.interp(luck[member], shares, (days - days[0]) / _DAY)
        old_enough = people.birth_date[member] + int(group["min_age"] * 365.25 + 1) * _DAY
        found[member] = np.maximum(days[0] + offset.astype(int) * _DAY, old_enough)
    return found


def _willingness(unit_id: np.ndarray) -> np.ndarray:
    """Communes differ: between 0.78 and 1.04 of the curve, the same for a commune in every run."""
    units, place = np.unique(unit_id, return_inverse=True)
    return np.array([np.random.default_rng(unit).uniform(0.78, 1.04) for unit in units])[place]


def _products(first: np.ndarray, plan: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Index into the sorted product names for each person, by the period of the first dose."""
    names = sorted(plan["second_dose"])
    luck = rng.random(len(first))
    chosen = np.zeros(len(first), dtype=int)
    for period in plan["product"]:
        shares = np.cumsum([period["shares"].get(name, 0.0) for name in names])
        within = first >= np.datetime64(period["from"], "D")
        chosen[within] = np.searchsorted(shares, luck[within] * shares[-1], side="right")
    return chosen


def _second_days(first: np.ndarray, product: np.ndarray, plan: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    rules = [plan["second_dose"][name] for name in sorted(plan["second_dose"])]
    shortest = np.array([r["from"] for r in rules])[product]
    longest = np.array([r["to"] for r in rules])[product]
    comes = rng.random(len(first)) < np.array([r["share"] for r in rules])[product]
    wait = rng.integers(shortest, longest + 1)
    return np.where(comes, first + wait * _DAY, _NEVER)
