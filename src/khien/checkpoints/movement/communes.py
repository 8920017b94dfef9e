"""Communes as people write them: "Phường 1, Quận 10, TP Hồ Chí Minh"."""

from __future__ import annotations

import re
from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.text import fold
from khien.territory import store as territory

COMMUNE = 3
# Official lists write "Phường 01", people "Phường 1".
_PADDED = re.compile(r"\b0([1-9])\b")
_BARE = re.compile(r"\b([1-9])\b")
_SHORT = {"tp": "thanh pho", "tphcm": "thanh pho ho chi minh", "hcm": "ho chi minh", "q": "quan", "p": "phuong"}


def label(unit: dict[str, Any]) -> str:
    """The unit with what it lies in, as it is offered and understood."""
    return ", ".join(part for part in (unit["name"], unit["within"]) if part)


def suggest(session: Session, text: str, limit: int = 12) -> list[str]:
    """Labels of communes that fit what was typed so far."""
    return [label(u) for u in _fitting(session, text)[:limit]] if len(text.strip()) > 1 else []


def find(session: Session, text: str, field: str) -> int:
    """The commune meant. Raises BadInput: none fits, or several (the message names some)."""
    found = _fitting(session, text)
    exact = [u for u in found if fold(label(u)) == fold(text)]
    found = exact or found
    if len(found) == 1:
        return int(found[0]["unit_id"])
    if not found:
        message = N_("No commune has this name. Type its name, then choose from the list.")
        raise BadInput(message, faults=(Fault(field, message),))
    names = " · ".join(label(u) for u in found[:4])
    message = N_("Several communes have this name. Write the district and the province too: {names}")
    raise BadInput(message, faults=(Fault(field, message, params={"names": names}),), names=names)


def _fitting(session: Session, text: str) -> list[dict[str, Any]]:
    first, *rest = [" ".join(_SHORT.get(w, w) for w in fold(p).replace(".", " ").split()) for p in text.split(",")]
    if not first:
        return []
    spellings = {first, _PADDED.sub(r"\1", first), _BARE.sub(r"0\1", first)}
    units = {u["unit_id"]: u for s in spellings for u in territory.search(session, s, session.today, limit=200)}
    communes = [u for u in units.values() if u["level"] == COMMUNE]
    named = [u for u in communes if any(f" {fold(u['name'])}".endswith(f" {s}") for s in spellings)]
    return [u for u in (named or communes) if all(_within(part, u["within"]) for part in rest)]


def _within(part: str, places: str | None) -> bool:
    wanted = _PADDED.sub(r"\1", part)
    names = [_PADDED.sub(r"\1", fold(place)) for place in (places or "").split(",")]
    return any(f" {name}".endswith(f" {wanted}") for name in names)
