"""Entries of the access log in words: what their actions, purposes and details are called, and units by name."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.utils.translation import override

from khien.access.models import Agency
from khien.access.roles import action_title, detail_title, purposes, roles
from khien.access.store import UNITS
from khien.core.i18n import N_, translate

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)


def named(rows: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """With `action_title`, `purpose_title`, and `details`: pairs of what a detail is called and what it says."""
    for row in rows:
        row["action_title"] = action_title(row["action"], language)
        row["purpose_title"] = _purpose(row["purpose"], language)
        row["details"] = [
            (detail_title(name, language), _told(_word(name, value, row.get("units", {}), language), language))
            for name, value in (row.get("detail") or {}).items()
        ]
    return rows


def line(row: dict[str, Any]) -> str:
    """The details of one of these in one line."""
    return "; ".join(f"{name}: {told}" for name, told in row["details"])


def _word(name: str, value: Any, units: dict[int, str], language: str) -> Any:
    """What a value of this detail is called, where it is one of a list."""
    if not isinstance(value, str | int):
        return value
    if name in UNITS and value in units:
        return f"{units[int(value)]} ({value})"
    if name in ("agency_kind", "agency_kind_was") and value in Agency.Kind.values:
        with override(language):
            return str(Agency.Kind(value).label)
    if name == "role":
        role = roles(dt.date.max).get(str(value))
        return role.title.text(language) if role else value
    if name == "purpose":
        return _purpose(str(value), language)
    return action_title(str(value), language) if name == "actions" else value


def _purpose(name: str, language: str) -> str:
    purpose = purposes(dt.date.max).get(name)
    return purpose.title.text(language) if purpose else name


def _told(value: Any, language: str) -> str:
    """A detail as it is read: days as everywhere, no words of the program."""
    if isinstance(value, bool):
        return translate(N_("yes") if value else N_("no"), language)
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{detail_title(name, language)} {_told(one, language)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_told(one, language) for one in value)
    if isinstance(value, str) and (day := _DAY.fullmatch(value)):
        return "/".join(reversed(day.groups()))
    return str(value)
