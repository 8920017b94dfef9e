"""Adverse events: when what is due, and which lots stand out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Deadline:
    id: str
    due: dt.datetime  # in UTC
    title: Mapping[str, str]
    document: str


def deadlines(known_at: dt.datetime, serious: bool, rules: Mapping[str, Any], zone: dt.tzinfo) -> list[Deadline]:
    """What an event that became known at a moment (UTC) asks for. Days end at midnight in `zone`."""
    return [
        Deadline(rule["id"], _due(known_at, rule, zone), rule["title"], rule["document"])
        for rule in rules["deadline"]
        if rule["serious"] == serious
    ]


def _due(known_at: dt.datetime, rule: Mapping[str, Any], zone: dt.tzinfo) -> dt.datetime:
    if "hours" in rule:
        return known_at + dt.timedelta(hours=rule["hours"])
    day = known_at.astimezone(zone).date()
    if "working_days" in rule:
        day = add_working_days(day, rule["working_days"])
    else:
        day = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)


def add_working_days(day: dt.date, count: int) -> dt.date:
    """The `count`-th Monday-to-Friday after `day`."""
    while count:
        day += dt.timedelta(days=1)
        count -= day.weekday() < 5
    return day


@dataclass(frozen=True, slots=True)
class LotCount:
    product: str
    lot_number: str
    doses: int
    events: int


@dataclass(frozen=True, slots=True)
class Signal:
    """`ratio`: the lot's rate over that of the other lots of its product; `low` and `high`: its confidence interval.

    `expected`: events the lot would have at the others' rate. `stands_out` by the rule's thresholds.
    """

    product: str
    lot_number: str
    doses: int
    events: int
    expected: float
    ratio: float | None
    low: float | None
    high: float | None
    stands_out: bool


_Z = {0.9: 1.6448536, 0.95: 1.9599640, 0.99: 2.5758293}


def signals(counts: Iterable[LotCount], *, above: float, events: int, confidence: float) -> list[Signal]:
    """Each lot against the other lots of its product, the strongest first.

    The ratio of two Poisson rates with a log-normal interval; half an event is added to each side (Haldane), so that
    lots without any event have an interval too. None where there is nothing to compare with.
    """
    lots = list(counts)
    totals: dict[str, tuple[int, int]] = {}
    for lot in lots:
        doses, found = totals.get(lot.product, (0, 0))
        totals[lot.product] = (doses + lot.doses, found + lot.events)
    z = _Z[confidence]
    told = [_signal(lot, totals[lot.product], above, events, z) for lot in lots]
    return sorted(told, key=lambda s: (-(s.low or 0), -s.events, s.product, s.lot_number))


def _signal(lot: LotCount, total: tuple[int, int], above: float, least: int, z: float) -> Signal:
    doses, events = total[0] - lot.doses, total[1] - lot.events
    if doses <= 0 or lot.doses <= 0:
        return Signal(lot.product, lot.lot_number, lot.doses, lot.events, 0.0, None, None, None, False)
    expected = events / doses * lot.doses
    ratio = ((lot.events + 0.5) / lot.doses) / ((events + 0.5) / doses)
    error = math.sqrt(1 / (lot.events + 0.5) + 1 / (events + 0.5))
    low, high = ratio * math.exp(-z * error), ratio * math.exp(z * error)
    stands_out = lot.events >= least and low > above
    return Signal(lot.product, lot.lot_number, lot.doses, lot.events, expected, ratio, low, high, stands_out)
