"""Backward tracing: who could have infected a case, and which places explain several.

An infector is weighed by the hazard of each exposure, how infectious they were that day, and how likely the time from
there to the case's onset is as a serial interval.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.types.json import Jsonb

from khien.core.actor import Actor
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.rulebook import load
from khien.tracing.rules import exposure
from khien.tracing.rules.window import VIET_NAM, contact_rule, effective_onset, exposure_window

_q = Queries("khien.tracing")


@dataclass
class Suspect:
    """Who could have infected `infected`. `certainty`: share of the weight of all suspects and of nobody known."""

    infected: int
    infector: int
    weight: float = 0.0
    certainty: float = 0.0
    exposures: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """A place where `cases` of the cases were, among `visitors`. `excess`: log likelihood ratio against chance."""

    place_id: int
    cases: int
    visitors: int
    first_at: dt.datetime
    last_at: dt.datetime
    excess: float


def gamma_density(days: float, mean: float, sd: float) -> float:
    """Density of a gamma distribution; of a day that is no time at all, that of half a day, far down."""
    shape, scale = (mean / sd) ** 2, sd * sd / mean
    if days < 0:
        return 1e-4 * 0.5**-days
    x = max(days, 0.5)
    return math.exp((shape - 1) * math.log(x) - x / scale - math.lgamma(shape) - shape * math.log(scale))


def suspects(
    *, by: Actor, cases: Sequence[dict[str, Any]], moment: dt.datetime | None = None,
    serial: tuple[float, float] | None = None,
) -> dict[int, list[Suspect]]:  # fmt: skip
    """Who could have infected each of these cases (rows with person_id, onset_on, sampled_on), most likely first.

    moment: only exposures until then; serial: mean and standard deviation of the serial interval in days, by default
    the rulebook's. Logged with its cases. Raises NotAllowed.
    """
    by.must("trace.run")
    with begin(by) as session:
        rows = _back(session, cases, moment or session.now)
        session.log("trace.run", [c["person_id"] for c in cases], backward=True)
    facts = load("contacts", "risk")["serial_interval"]
    mean, sd = serial or (facts["mean"], facts["sd"])
    onsets = {c["person_id"]: effective_onset(c["onset_on"], c["sampled_on"]) for c in cases}
    found: dict[int, dict[int, Suspect]] = {c["person_id"]: {} for c in cases}
    unknown = exposure.infectiousness(dt.date.min, None)
    for row in rows:
        day = row["from_at"].astimezone(VIET_NAM).date()
        power = max(exposure.infectiousness(day, row["infector_onset"]), unknown / 10)
        likely = gamma_density((onsets[row["person_id"]] - row["infector_onset"]).days, mean, sd)
        one = found[row["person_id"]].setdefault(row["infector_id"], Suspect(row["person_id"], row["infector_id"]))
        one.weight += row["hazard"] / unknown * power * likely
        one.exposures.append(row)
    return {person: _ranked(list(of.values())) for person, of in found.items()}


def _back(session: Session, cases: Sequence[dict[str, Any]], moment: dt.datetime) -> list[dict[str, Any]]:
    if not cases:
        return []
    windows = [exposure_window(c["onset_on"], c["sampled_on"], moment=moment) for c in cases]
    rule = exposure.for_sql(contact_rule(moment.astimezone(VIET_NAM).date()))
    return session.rows(
        _q.back, persons=[c["person_id"] for c in cases], starts=[w.start for w in windows],
        ends=[w.end for w in windows], rule=Jsonb(rule),
    )  # fmt: skip


def _ranked(of: list[Suspect]) -> list[Suspect]:
    nobody = 1e-6  # an infector who is not known
    total = sum(one.weight for one in of) + nobody
    for one in of:
        one.certainty = one.weight / total
    return sorted(of, key=lambda one: (-one.weight, one.infector))


def shared_places(
    *, by: Actor, cases: Sequence[dict[str, Any]], moment: dt.datetime | None = None
) -> list[SharedPlace]:
    """Places where several of these cases were while they may have been infected, the least likely by chance first.

    Logged with its cases. Raises NotAllowed.
    """
    by.must("trace.run")
    with begin(by) as session:
        at = moment or session.now
        windows = [exposure_window(c["onset_on"], c["sampled_on"], moment=at) for c in cases]
        rows = session.rows(
            _q.places_of_cases, persons=[c["person_id"] for c in cases], starts=[w.start for w in windows],
            ends=[w.end for w in windows], most=exposure.limits()["most_read"],
        )  # fmt: skip
        session.log("trace.run", [c["person_id"] for c in cases], places=len(rows))
    found = [
        SharedPlace(
            r["place_id"], r["cases"], r["visitors"], r["first_at"], r["last_at"],
            excess(r["cases"], r["visitors"] * len(cases) / max(r["people"], len(cases))),
        )
        for r in rows
    ]  # fmt: skip
    return sorted(found, key=lambda p: (-p.excess, p.place_id))


def excess(seen: int, expected: float) -> float:
    """Log likelihood ratio of so many cases where so many were expected; 0 where there are no more than that."""
    return seen * math.log(seen / expected) - (seen - expected) if seen > expected > 0 else 0.0
