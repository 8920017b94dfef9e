"""Where a person is at a moment, from the residence register and from having been seen at a checkpoint.

Precedence: a stay before temporary before permanent residence, as `population.rules.residence.present_place` says;
a passage of the last hours (rulebook/zones/presence.toml) goes before all of them, unless the residence that would
count began on a later day than the passage: then the register knows something newer. Certainty: `seen` at a checkpoint,
`registered`, `presumed`, `unknown`. The same rule in SQL is zone_presence() in functions.sql; a test holds them equal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from khien import rulebook
from khien.population.rules.residence import Spell, present_place

Certainty = Literal["seen", "registered", "presumed", "unknown"]
VIET_NAM = dt.timezone(dt.timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody passed a checkpoint: the unit they are in afterwards, and when (an instant with its time zone)."""

    unit: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is. `unit` None: the register knows no place at all. `since`: first day or day of the sighting."""

    unit: int | None
    certainty: Certainty
    reason: str  # passage, stay, temporary, permanent, absent, last_known, none
    since: dt.date | None = None


def rule_of(name: str, on: dt.date) -> Mapping[str, Any]:
    """A rule of presence.toml as of a day; before its first days, the first, so that the past has an answer."""
    entries = rulebook.load("zones", "presence")[name]
    current = rulebook.in_force(entries, on)
    return current[-1] if current else entries[0]


def sighting_hours(on: dt.date) -> int:
    """For how many hours a passage says where a person is."""
    return int(rule_of("sighting", on)["hours"])


def place_at(spells: Iterable[Spell], sightings: Iterable[Sighting], moment: dt.datetime, hours: int) -> Place:
    """Where a person is at `moment` (an instant with its time zone); days are those of Viet Nam (UTC+7).

    Of several sightings the latest counts, of simultaneous ones that in the unit with the higher number.
    """
    residence = present_place(spells, moment.astimezone(VIET_NAM).date())
    start = residence.spell.start if residence.spell else None
    since = None if start in (None, dt.date.min) else start
    recent = [s for s in sightings if moment - dt.timedelta(hours=hours) < s.at <= moment]
    if recent:
        last = max(recent, key=lambda s: (s.at, s.unit))
        day = last.at.astimezone(VIET_NAM).date()
        if start is None or residence.reason == "last_known" or start <= day:
            return Place(last.unit, "seen", "passage", day)
    return Place(residence.unit, residence.certainty, residence.reason, since)
