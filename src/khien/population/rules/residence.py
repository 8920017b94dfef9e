"""Residence under the Law on Residence 68/2020/QH14 (in force 01/07/2021): where a person is, and how spells change.

Four kinds: permanent (thường trú), temporary (tạm trú), stay (lưu trú), absence (tạm vắng). Terms are dated data:
rulebook/population/residence.toml. A spell's days are half-open: `start` is the first day, `end` the day after the
last, None while it lasts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from khien import rulebook
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

Kind = Literal["permanent", "temporary", "stay", "absence"]
Certainty = Literal["registered", "presumed", "unknown"]

_PRECEDENCE: tuple[Kind, ...] = ("stay", "temporary", "permanent")


@dataclass(frozen=True, slots=True)
class Spell:
    """One residence. `unit` is the commune's unit id; for an absence, the commune the person is away from."""

    kind: Kind
    unit: int
    start: dt.date
    end: dt.date | None = None
    address: str = ""

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            message = N_("A residence must end after the day on which it begins.")
            raise BadInput(message, faults=(Fault("until", message),))

    def covers(self, on: dt.date) -> bool:
        return self.start <= on and (self.end is None or on < self.end)

    def overlaps(self, other: Spell) -> bool:
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)

    @property
    def days(self) -> int | None:
        """How many days it lasts; None while it is open."""
        return None if self.end is None else (self.end - self.start).days


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a person is. `registered`: a spell says so; `presumed`: what the register says next best; `unknown`: away
    without a known destination (`unit` is then the place left), or no residence at all (`unit` None)."""

    unit: int | None
    certainty: Certainty
    reason: str  # stay, temporary, permanent, absent, last_known, none
    spell: Spell | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The numbers of the law on one day. Each answer is the rule's entry with its `document`."""

    on: dt.date
    entries: Mapping[str, Mapping[str, Any]]

    def number(self, rule: str) -> int:
        """Days or months of a rule."""
        entry = self.entries[rule]
        return int(entry["days"] if "days" in entry else entry["months"])

    def document(self, rule: str) -> str:
        return str(self.entries[rule]["document"])


def terms(on: dt.date) -> Terms:
    """The terms in force on a day; before the law, its first terms."""
    entries = rulebook.load("population", "residence")["term"]
    first = min(e["valid_from"] for e in entries)
    return Terms(on, {e["id"]: e for e in rulebook.in_force(entries, max(on, first))})


def present_place(spells: Iterable[Spell], on: dt.date) -> Presence:
    """Where a person is on a day: stay before temporary before permanent, unless registered as absent from there.

    With no spell on that day, the place of the one that ended last is presumed.
    """
    known = list(spells)
    current = [s for s in known if s.covers(on)]
    left = {s.unit for s in current if s.kind == "absence"}
    places = [s for kind in _PRECEDENCE for s in _latest_first(current, kind)]
    for rank, spell in enumerate(places):
        if spell.unit not in left:
            return Presence(spell.unit, "registered" if rank == 0 else "presumed", spell.kind, spell)
    if places:
        return Presence(places[0].unit, "unknown", "absent", places[0])
    past = [s for s in known if s.kind != "absence" and s.start <= on]
    if past:
        last = max(past, key=lambda s: (s.end or dt.date.max, s.start))
        return Presence(last.unit, "presumed", "last_known", last)
    return Presence(None, "unknown", "none")


def _latest_first(spells: list[Spell], kind: Kind) -> list[Spell]:
    return sorted((s for s in spells if s.kind == kind), key=lambda s: s.start, reverse=True)


def cut(spell: Spell, start: dt.date, end: dt.date | None) -> tuple[Spell, ...]:
    """The spell without the days from `start` to before `end` (None: for good): none, one or two spells."""
    parts = []
    if spell.start < start:
        parts.append(replace(spell, end=start if spell.end is None else min(spell.end, start)))
    if end is not None and (spell.end is None or end < spell.end):
        parts.append(replace(spell, start=max(spell.start, end)))
    return tuple(parts)


def insert(spells: Iterable[Spell], new: Spell) -> tuple[Spell, ...]:
    """The spells with `new` among them, in order of their start; those of its kind give way on its days.

    A stay, temporary residence or absence splits the one before it, which goes on afterwards. Permanent residence has
    no term: a move ends the old one for good, and a move entered late lasts until the next one that is known.
    """
    known = tuple(spells)
    others = [s for s in known if s.kind != new.kind]
    same = [s for s in known if s.kind == new.kind]
    if new.kind == "permanent":
        later = [s.start for s in same if s.start > new.start]
        new = replace(new, end=min([*later, *([new.end] if new.end else [])], default=None))
        kept = [part for s in same for part in (cut(s, new.start, None) if s.start <= new.start else (s,))]
    else:
        kept = [part for s in same for part in (cut(s, new.start, new.end) if s.overlaps(new) else (s,))]
    return tuple(sorted([*others, *kept, new], key=lambda s: (s.start, _order(s.kind))))


def close(spells: Iterable[Spell], kind: Kind, on: dt.date) -> tuple[Spell, ...]:
    """The spells with those of `kind` ended: `on` is the first day they no longer hold; later ones are dropped."""
    result: list[Spell] = []
    for spell in spells:
        result += cut(spell, on, None) if spell.kind == kind else (spell,)
    return tuple(result)


def _order(kind: Kind) -> int:
    return ("permanent", "temporary", "stay", "absence").index(kind)
