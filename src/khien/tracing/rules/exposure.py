"""What being together means: the least time that counts, the hazard of an exposure, the score of a contact.

The database computes the same for millions of pairs (`trace_step` in search.sql); tests hold the two together.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from khien.rulebook import load


def limits() -> Mapping[str, Any]:
    return load("contacts", "limits")


def hazard(
    kind: str, hours: float, *, day: dt.date, onset: dt.date | None, ventilation: str = "unknown",
    floor_area: int | None = None,
) -> float:  # fmt: skip
    """Hazard of so many hours together on a day with a case of this onset, by rulebook/contacts/risk.toml."""
    risk = load("contacts", "risk")
    rate = risk["rate"].get(kind, risk["rate"]["any"]) * risk["ventilation"][ventilation]
    if floor_area:
        rate *= min(1.0, risk["area_reference"] / floor_area) ** risk["area_power"]
    return float(rate * infectiousness(day, onset) * hours)


def infectiousness(day: dt.date, onset: dt.date | None) -> float:
    """Share of a case's infectiousness that falls on a day; onset None: not known."""
    shape = load("contacts", "risk")["infectiousness"]
    if onset is None:
        return float(shape["unknown"])
    at = (day - onset).days - shape["first_day"]
    return float(shape["by_day"][at]) if 0 <= at < len(shape["by_day"]) else 0.0


def score(hazards: Iterable[float]) -> float:
    """Probability of infection from the hazards of all exposures."""
    return 1 - math.exp(-sum(hazards))


def counts(kind: str, seconds: float, minutes: Mapping[str, int]) -> bool:
    """Whether this long together makes a contact; two who only touch in time never met."""
    return seconds > 0 and seconds >= 60 * minutes.get(kind, minutes["any"])


def for_sql(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A contact rule with risk and limits as the database wants them: one object of numbers and lists. `kinds`: what
    holds for each kind of place that is named anywhere; the last one is for any other."""
    risk, bounds = load("contacts", "risk"), limits()
    rates, minutes, shape = risk["rate"], rule["minutes"], risk["infectiousness"]
    names = (
        "assumed_minutes", "household_hours", "most_visits", "most_met", "most_read", "most_read_far", "most_household",
        "most_sources", "sources_at_a_time", "halves_from", "most_exposures", "exposures_a_case",
        "most_exposures_in_all",
    )  # fmt: skip
    return {
        **{name: bounds[name] for name in names},
        "kinds": [
            {
                "kind": kind, "rate": rates.get(kind, rates["any"]), "minutes": minutes.get(kind, minutes["any"]),
                "longest_hours": bounds["stay_hours" if kind in bounds["stay_kinds"] else "longest_hours"],
            }
            for kind in sorted({*rates, *minutes, *bounds["stay_kinds"]} - {"any"}) + ["any"]
        ],
        "ventilation": risk["ventilation"], "area_reference": risk["area_reference"], "area_power": risk["area_power"],
        "first_day": shape["first_day"], "by_day": shape["by_day"], "unknown": shape["unknown"],
        "latent_hours": rule["latent_hours"], "seat_rows": rule.get("seat_rows"),
    }  # fmt: skip
