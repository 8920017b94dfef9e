"""One passage as a device or an officer notes it, and what makes it impossible."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from uuid import UUID

from khien import rulebook
from khien.core.errors import Fault
from khien.core.i18n import N_
from khien.core.text import nfc

DIRECTIONS = ("in", "out")
CHECKS = ("register", "kit", "eye")
MAX_COMPANIONS = 200
_PLATE_FILLING = re.compile(r"[\s.\-]+")
_PLATE = re.compile(r"[0-9A-ZĐ]{3,15}")


@dataclass(frozen=True, slots=True)
class PassageEntry:
    """Who passes: `person_id`, or `pass_id`, or `number` with `name` and birth date (`born_first` to `born_last`, the
    same day unless only month or year is known). `passed_at` has a time zone. Units are unit ids."""

    client_id: UUID
    passed_at: dt.datetime
    direction: str
    person_id: int | None = None
    number: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    born_first: dt.date | None = field(default=None, repr=False)
    born_last: dt.date | None = field(default=None, repr=False)
    pass_id: UUID | None = None
    from_unit: int | None = None
    to_unit: int | None = None
    plate: str | None = None
    companions: int = 0
    party: UUID | None = None
    checked: str = "register"


@dataclass(frozen=True, slots=True)
class PassageRule:
    ahead_minutes: int
    late_days: int
    kept_days: int
    silent_minutes: int
    slow_seconds: int
    document: str


def rule_on(day: dt.date) -> PassageRule:
    """The rule in force; before the first one the first one."""
    entries = rulebook.load("checkpoints", "passages")["passages"]
    found = (rulebook.in_force(entries, day) or entries[:1])[0]
    return PassageRule(**{k: found[k] for k in PassageRule.__slots__})


def plate(text: str | None) -> str | None:
    """Normalised: upper case, no separators; None for nothing. Raises ValueError for what no plate can be."""
    bare = _PLATE_FILLING.sub("", nfc(text or "")).upper()
    if bare and not _PLATE.fullmatch(bare):
        raise ValueError("not a plate")
    return bare or None


def faults(entry: PassageEntry, now: dt.datetime, rule: PassageRule) -> tuple[Fault, ...]:
    """Everything that keeps this passage from being recorded; it stays with the sender, who is told."""
    found: list[Fault] = []
    if entry.direction not in DIRECTIONS:
        found.append(Fault("direction", N_("The direction must be in or out.")))
    if entry.checked not in CHECKS:
        found.append(Fault("checked", N_("The check must be register, kit or eye.")))
    if not 0 <= entry.companions <= MAX_COMPANIONS:
        found.append(Fault("companions", N_("The number of companions must be from 0 to 200.")))
    if entry.person_id is None and entry.pass_id is None and not (entry.number and entry.name and entry.born_first):
        found.append(Fault("person", N_("A passage needs a pass, or number, name and birth date.")))
    if entry.passed_at.tzinfo is None:
        found.append(Fault("passed_at", N_("The time needs a time zone.")))
    elif entry.passed_at > now + dt.timedelta(minutes=rule.ahead_minutes):
        found.append(Fault("passed_at", N_("The time lies in the future: the clock of the device is wrong.")))
    elif entry.passed_at < now - dt.timedelta(days=rule.late_days):
        found.append(Fault("passed_at", N_("The passage is too long ago to be recorded by a device.")))
    try:
        plate(entry.plate)
    except ValueError:
        found.append(Fault("plate", N_("This is not a number plate.")))
    return tuple(found)
