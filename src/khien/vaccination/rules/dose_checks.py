"""Whether a dose may be recorded: facts in, findings out.

The sentences, their severity and documents are in `rulebook/vaccination/dose_checks.toml`; this holds the mechanism.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DoseEntry:
    """A dose as it is told to us. `given_on` is a local calendar day; `client_id` is the sender's own number of it."""

    client_id: UUID
    person_id: int
    product: str
    given_on: dt.date
    lot_number: str | None = None
    site: str | None = None  # code of the vaccination site; None for doses from elsewhere
    evidence: str = "site"  # 'site', 'abroad', 'paper', 'declared'
    already_given: bool = False  # injected before it was typed: record it even where a rule was broken


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """What the register knows that bears on one dose."""

    birth_date: dt.date
    died_on: dt.date | None
    licensed_on: dt.date | None
    lot_known: bool
    lot_arrived_on: dt.date | None
    lot_expires_on: dt.date | None
    lot_blocked_on: dt.date | None
    other_days: tuple[dt.date, ...]  # days of the person's other standing doses of the same disease


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that the dose breaks."""

    rule: str
    impossible: bool
    counts: bool
    title: Mapping[str, str]  # {"en": ..., "vi": ...}
    document: str


def _broken(entry: DoseEntry, facts: DoseFacts, today: dt.date) -> list[str]:
    day = entry.given_on
    at_site = entry.evidence == "site"
    broken = {
        "in_the_future": day > today,
        "before_birth": day < facts.birth_date,
        "after_death": facts.died_on is not None and day > facts.died_on,
        "unknown_lot": at_site and not facts.lot_known,
        "lot_not_arrived": facts.lot_arrived_on is not None and day < facts.lot_arrived_on,
        "lot_expired": facts.lot_expires_on is not None and day > facts.lot_expires_on,
        "lot_blocked": facts.lot_blocked_on is not None,
        "product_not_licensed": at_site and facts.licensed_on is not None and day < facts.licensed_on,
        "same_day": day in facts.other_days,
    }
    return [rule for rule, is_broken in broken.items() if is_broken]


def check_dose(
    entry: DoseEntry, facts: DoseFacts, today: dt.date, checks: Mapping[str, Mapping[str, Any]]
) -> tuple[Finding, ...]:
    """All rules that the dose breaks, in a fixed order. `checks` are the entries of dose_checks.toml by id."""
    return tuple(finding(rule, checks) for rule in _broken(entry, facts, today))


def finding(rule: str, checks: Mapping[str, Mapping[str, Any]]) -> Finding:
    check = checks[rule]
    return Finding(
        rule=rule,
        impossible=check["severity"] == "impossible",
        counts=check.get("counts", False),
        title=check["title"],
        document=check["document"],
    )


def may_be_recorded(entry: DoseEntry, findings: tuple[Finding, ...]) -> bool:
    """Impossible never; a breach only if the dose was really given (it then carries the flags). A dose from elsewhere
    was given, whatever we would have said."""
    if any(f.impossible for f in findings):
        return False
    return not findings or entry.already_given or entry.evidence != "site"
