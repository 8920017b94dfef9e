"""What the Law on Residence 68/2020/QH14 says against a new spell or an absence, with the article."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from typing import Literal

from khien.core.i18n import N_
from khien.population.rules.finding import Finding
from khien.population.rules.residence import Spell, Terms, terms

Group = Literal["supervised", "obliged", "other"]

_VIET_NAM = dt.timezone(dt.timedelta(hours=7))


def check_spell(new: Spell, existing: Iterable[Spell] = (), law: Terms | None = None) -> tuple[Finding, ...]:
    """Everything the law says against `new` beside the person's other spells.

    `refusal`: it cannot be registered so; `warning`: it can, and an officer should look. `law` is by default that of
    the day on which the spell begins.
    """
    law = law or terms(new.start)
    others = tuple(existing)
    found = [*_same_kind(new, others)]
    if new.kind == "temporary":
        found += _temporary(new, others, law)
    elif new.kind == "stay":
        found += _stay(new, others, law)
    elif new.kind == "absence":
        found += _absence(new, others)
    return tuple(found)


def renewal_window(spell: Spell, law: Terms | None = None) -> tuple[dt.date, dt.date] | None:
    """First and last day to ask for renewal of a temporary residence: the 15 days up to its last (art. 28).

    None for a spell of another kind or without an end.
    """
    if spell.kind != "temporary" or spell.end is None:
        return None
    days = (law or terms(spell.start)).number("temporary_renewal")
    return spell.end - dt.timedelta(days=days), spell.end - dt.timedelta(days=1)


def stay_notice_due(arrived: dt.datetime, law: Terms | None = None) -> dt.datetime:
    """The latest moment to notify a stay (art. 30): 23:00 of the first day, for later arrivals 08:00 of the next.

    `arrived` must carry a time zone; the answer is in Viet Nam's (UTC+7). Raises ValueError without a time zone.
    """
    if arrived.tzinfo is None:
        raise ValueError("an arrival needs a time zone")
    local = arrived.astimezone(_VIET_NAM)
    law = law or terms(local.date())
    evening = dt.datetime.combine(local, law.entries["stay_notice_same_day"]["time"], _VIET_NAM)
    if local < evening:
        return evening
    morning = law.entries["stay_notice_next_day"]["time"]
    return dt.datetime.combine(local + dt.timedelta(days=1), morning, _VIET_NAM)


def absence_must_be_declared(
    start: dt.date,
    end: dt.date | None,
    *,
    group: Group,
    leaves: Literal["commune", "district", "province"],
    law: Terms | None = None,
) -> Finding | None:
    """The duty to declare an absence (art. 31), or None. `leaves` is the largest unit the person goes out of.

    `group`: supervised (bail, probation, compulsory measures), obliged (military age, duty to the State), other.
    An absence without a known end is taken to be long.
    """
    law = law or terms(start)
    rule = f"absence_{group}"
    levels = ("commune", "district", "province")
    if levels.index(leaves) < levels.index(law.entries[rule]["level"]):
        return None
    if end is not None and end < _after(start, law, rule):
        return None
    message = N_("This absence must be declared to the police of the commune.")
    return Finding(rule, message, "until", law.document(rule))


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _after(start: dt.date, law: Terms, rule: str) -> dt.date:
    if "months" in law.entries[rule]:
        return add_months(start, law.number(rule))
    return start + dt.timedelta(days=law.number(rule))


def _same_kind(new: Spell, others: tuple[Spell, ...]) -> Iterable[Finding]:
    if any(s.kind == new.kind and s.overlaps(new) for s in others):
        message = N_("The person already has a residence of this kind in that period. End it first, or replace it.")
        yield Finding("residence_overlap", message, "from", severity="refusal")


def _temporary(new: Spell, others: tuple[Spell, ...], law: Terms) -> Iterable[Finding]:
    if new.end is None:
        message = N_("A temporary residence needs a last day; it may be renewed.")
        yield Finding("temporary_open", message, "until", law.document("temporary_maximum"), "refusal")
    elif new.end < _after(new.start, law, "temporary_minimum"):
        message = N_("A temporary residence lasts at least {days} days. A shorter one is a stay.")
        days = law.number("temporary_minimum")
        document = law.document("temporary_minimum")
        yield Finding("temporary_too_short", message, "until", document, "refusal", {"days": days})
    elif new.end > _after(new.start, law, "temporary_maximum"):
        message = N_("A temporary residence lasts at most {months} months; it may be renewed.")
        months = law.number("temporary_maximum")
        document = law.document("temporary_maximum")
        yield Finding("temporary_too_long", message, "until", document, "refusal", {"months": months})
    if any(s.kind == "permanent" and s.unit == new.unit and s.overlaps(new) for s in others):
        message = N_("A temporary residence lies outside the commune of permanent residence.")
        document = law.document("temporary_minimum")
        yield Finding("temporary_in_home_commune", message, "commune", document, "refusal")


def _stay(new: Spell, others: tuple[Spell, ...], law: Terms) -> Iterable[Finding]:
    document = law.document("stay_below")
    if new.end is None:
        message = N_("The stay has no last day; it counts until it is ended.")
        yield Finding("stay_open", message, "until", document)
    elif new.end >= _after(new.start, law, "stay_below"):
        message = N_("A stay lasts less than {days} days. A longer one is a temporary residence.")
        yield Finding("stay_too_long", message, "until", document, "refusal", {"days": law.number("stay_below")})
    same = (s for s in others if s.kind in ("permanent", "temporary") and s.unit == new.unit and s.overlaps(new))
    if any(not new.address or s.address == new.address for s in same):
        message = N_("The person already resides here: a stay is at another place.")
        yield Finding("stay_at_own_place", message, "commune", document)


def _absence(new: Spell, others: tuple[Spell, ...]) -> Iterable[Finding]:
    if not any(s.kind in ("permanent", "temporary") and s.unit == new.unit and s.overlaps(new) for s in others):
        message = N_("The person does not reside in the commune named in the absence.")
        yield Finding("absence_from_elsewhere", message, "commune", severity="refusal")
