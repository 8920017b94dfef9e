"""What the people of an area need: counts for food, medicine and care, and who they are by household."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from khien.zones.rules.presence import rule_of

Row = dict[str, Any]
PRESENT = ("resident_present", "temporary_present")


def age(born: dt.date, on: dt.date) -> int:
    """Completed years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


@cache
def _vulnerable_ages(on: dt.date) -> Mapping[str, Any]:
    return rule_of("vulnerable", on)


def vulnerable(row: Row, on: dt.date) -> tuple[str, ...]:
    """Why a person is vulnerable: `old`, `young`, and the needs that were reported. Empty if nothing says so."""
    rule = _vulnerable_ages(on)
    years = age(row["birth_date"], on)
    by_age = ("old",) if years >= rule["old_from"] else ("young",) if years < rule["young_below"] else ()
    return (*by_age, *row["needs"])


def by_household(rows: Iterable[Row]) -> list[list[Row]]:
    """Those who are in the area, a list a household; who is in none stands alone."""
    homes: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        if row["list"] in PRESENT:
            home = row["household_id"]
            homes[("household", home) if home is not None else ("person", row["person_id"])].append(row)
    return list(homes.values())


def counts(rows: list[Row], on: dt.date) -> dict[str, int]:
    """People to feed and their households; the vulnerable by reason; those alone, with nobody able-bodied at home.

    Keys: people, households, old, young, alone, unvaccinated_old, and each reported need.
    """
    homes = by_household(rows)
    found: Counter[str] = Counter(people=sum(map(len, homes)), households=len(homes), old=0, young=0, alone=0)
    for home in homes:
        reasons = [vulnerable(row, on) for row in home]
        found.update(reason for each in reasons for reason in each)
        found["alone"] += len(home) if all(reasons) else 0
        found["unvaccinated_old"] += sum(
            "old" in each and row["doses"] == 0 for row, each in zip(home, reasons, strict=True)
        )
    return dict(found)
