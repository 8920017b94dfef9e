"""The dated rule by which identities are judged: rulebook/checkpoints/identity.toml."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache

from khien import rulebook
from khien.population.rules.name_likeness import Likeness


@dataclass(frozen=True, slots=True)
class CheckRule:
    """`accepted_names` count as the same name; `near_names` are shown as a probable slip. Days as in the rulebook."""

    accepted_names: frozenset[Likeness]
    near_names: frozenset[Likeness]
    disease: str
    green_days: int
    yellow_days: int
    document: str
    verified: bool


def rule_on(day: dt.date) -> CheckRule:
    """The rule in force. Raises LookupError for a day without one."""
    found = rulebook.in_force(rulebook.load("checkpoints", "identity")["rule"], day)
    if not found:
        raise LookupError(f"no rule for identity checks on {day}")
    entry = found[0]
    return CheckRule(
        accepted_names=frozenset(map(Likeness, entry["accepted_names"])),
        near_names=frozenset(map(Likeness, entry["near_names"])),
        disease=entry["disease"],
        green_days=entry["green_days"],
        yellow_days=entry["yellow_days"],
        document=entry["document"],
        verified=entry["verified"],
    )


@cache
def rules_json() -> str:
    """All rules for the SQL function, which takes the one of its own day; documents stay here."""
    keys = ("valid_from", "valid_until", "accepted_names", "disease", "green_days", "yellow_days")
    rules = rulebook.load("checkpoints", "identity")["rule"]
    return json.dumps([{k: r[k] for k in keys if k in r} for r in rules], default=str)
