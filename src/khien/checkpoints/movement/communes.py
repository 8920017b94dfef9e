"""Communes as people write them: "Phường 1, Quận 10, TP Hồ Chí Minh"."""

from __future__ import annotations

from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.text import fold
from khien.territory import store as territory

COMMUNE = 3
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
    units = territory.search(session, first, session.today, limit=200) if first else []
    communes = [u for u in units if u["level"] == COMMUNE]
    named = [u for u in communes if fold(u["name"]) == first or fold(u["name"]).endswith(f" {first}")]
    return [u for u in (named or communes) if all(part in fold(u["within"] or "") for part in rest)]
