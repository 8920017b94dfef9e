"""How long a contact stays apart, by the rule of the day of the order (rulebook/isolation/f1.toml)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from khien.rulebook import in_force, load


@dataclass(frozen=True, slots=True)
class Isolation:
    """`first` to before `until` apart from everybody, then self-watch to before `watch_until`; `tests` are days."""

    first: dt.date
    until: dt.date
    watch_until: dt.date
    tests: tuple[dt.date, ...]
    place: str
    rule: str
    document: str
    verified: bool


def isolation(
    *,
    ordered_on: dt.date,
    last_exposed_on: dt.date,
    series_complete_on: dt.date | None = None,
    recovered_on: dt.date | None = None,
) -> Isolation:
    """What the rule of `ordered_on` says for an F1 last exposed on a day.

    Day 1 is the day after the last exposure; an order that comes later runs from the day it is given, so that it is
    never empty, and ends when the rule says, but not before the day after it began.
    """
    rule = next(
        r for r in in_force(load("isolation", "f1")["order"], ordered_on)
        if r["for"] == "any"
        or _within({"vaccinated": series_complete_on, "recovered": recovered_on}[r["for"]], last_exposed_on, r)
    )  # fmt: skip
    start = last_exposed_on + dt.timedelta(days=1)
    until = start + dt.timedelta(days=rule["days"])
    first = max(ordered_on, last_exposed_on)
    until = max(until, first + dt.timedelta(days=1))
    tests: Sequence[dt.date] = [start + dt.timedelta(days=n - 1) for n in rule["tests"]]
    return Isolation(
        first, until, until + dt.timedelta(days=rule["watch_days"]),
        tuple(sorted({max(first, t) for t in tests})), rule["place"], rule["id"], rule["document"], rule["verified"],
    )  # fmt: skip


def _within(day: dt.date | None, exposed: dt.date, rule: Mapping[str, Any]) -> bool:
    if day is None:
        return False
    ago = (exposed - day).days
    return bool(rule.get("min_days", 0) <= ago <= rule.get("max_days", ago))
