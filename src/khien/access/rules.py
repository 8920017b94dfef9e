"""Who may do what: roles and purposes as the rulebook says, put together with an assignment to an actor's rights."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Title:
    en: str
    vi: str

    def text(self, language: str) -> str:
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Purpose:
    """What personal data are used for."""

    id: str
    title: Title


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of user. `level` is the level of unit that an assignment usually has; `mfa`: a second factor is needed;
    `own_record_only`: sees nothing but what was opened to the account itself."""

    id: str
    title: Title
    level: int
    mfa: bool
    purposes: tuple[str, ...]
    permissions: frozenset[str]
    own_record_only: bool = False


def purpose_from(entry: Mapping[str, Any]) -> Purpose:
    return Purpose(entry["id"], Title(**entry["title"]))


def role_from(entry: Mapping[str, Any]) -> Role:
    """A role from its rulebook entry. Raises KeyError where a field is missing."""
    return Role(
        id=entry["id"],
        title=Title(**entry["title"]),
        level=entry["level"],
        mfa=entry["mfa"],
        purposes=tuple(entry["purposes"]),
        permissions=frozenset(entry["permissions"]),
        own_record_only=entry.get("own_record_only", False),
    )


def faults(roles: Iterable[Role], purposes: Iterable[str], permissions: Iterable[str]) -> list[str]:
    """What is wrong with a rulebook, for whoever edits it (English): names that nothing else defines."""
    known_purposes, known_permissions = set(purposes), set(permissions)
    found = []
    for role in roles:
        found += [f"role {role.id}: unknown purpose {p}" for p in role.purposes if p not in known_purposes]
        found += [f"role {role.id}: unknown permission {p}" for p in sorted(role.permissions - known_permissions)]
        if not role.purposes:
            found.append(f"role {role.id}: no purpose")
    return found


def purposes_of(role: Role, narrowed_to: Iterable[str]) -> tuple[str, ...]:
    """The role's purposes, narrowed by the assignment; an assignment never widens its role."""
    narrow = set(narrowed_to)
    return tuple(p for p in role.purposes if not narrow or p in narrow)


def mark(values: Mapping[str, Any]) -> str:
    """A short mark of some values: equal values have equal marks, so that a page can say which ones it showed."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def holds(valid_from: dt.date | None, valid_until: dt.date | None, on: dt.date) -> bool:
    """Whether an assignment holds on a day; both ends included, None is open."""
    return (valid_from is None or valid_from <= on) and (valid_until is None or on <= valid_until)
