"""The rulebook of roles, purposes and permissions as of a day."""

from __future__ import annotations

import datetime as dt
from functools import cache

from khien import rulebook
from khien.access.rules import Purpose, Role, Title, faults, purpose_from, role_from


@cache
def roles(on: dt.date) -> dict[str, Role]:
    """Roles in force on a day, by id. Raises ValueError where the rulebook contradicts itself."""
    found = {e["id"]: role_from(e) for e in rulebook.in_force(rulebook.load("access", "roles")["role"], on)}
    wrong = faults(found.values(), purposes(on), permissions())
    if wrong:
        raise ValueError("rulebook/access: " + "; ".join(wrong))
    return found


@cache
def purposes(on: dt.date) -> dict[str, Purpose]:
    return {e["id"]: purpose_from(e) for e in rulebook.in_force(rulebook.load("access", "purposes")["purpose"], on)}


@cache
def permissions() -> dict[str, Title]:
    """Every permission there is, with its names."""
    return {name: Title(**title) for name, title in rulebook.load("access", "permissions").items()}


@cache
def _events() -> dict[str, Title]:
    return {name: Title(**title) for name, title in rulebook.load("access", "events").items()}


@cache
def _details() -> dict[str, Title]:
    return {name: Title(**title) for name, title in rulebook.load("access", "details").items()}


def detail_title(name: str, language: str) -> str:
    """What a detail of a log entry is called; its own name where nobody named it."""
    title = _details().get(name)
    return title.text(language) if title else name


def opening(on: dt.date) -> tuple[int, int]:
    """By the rule of the day: for how many hours a card that was held out opens its owner, and how many cards that open
    nobody an account may show in ten minutes."""
    rule = rulebook.in_force(rulebook.load("access", "opening")["opening"], on)[-1]
    return int(rule["hours"]), int(rule["misses"])


def key_days(on: dt.date) -> int:
    """By the rule of the day: for how many days at most a key opens something for another system."""
    return int(rulebook.in_force(rulebook.load("access", "keys")["keys"], on)[-1]["longest_days"])


def action_title(action: str, language: str) -> str:
    """What a log action is called; the action's own name where nobody named it."""
    title = permissions().get(action) or _events().get(action)
    return title.text(language) if title else action


def action_titles(language: str) -> dict[str, str]:
    """Every action that has a name, by its own."""
    return {name: title.text(language) for name, title in (permissions() | _events()).items()}
