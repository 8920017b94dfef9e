"""Posters of places as PDF, ready to print: the signed code, what to do with it, and what becomes of the data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from khien.checkpoints.movement import qr
from khien.core.errors import NotFound
from khien.core.i18n import LANGUAGES, N_, Message, translate
from khien.core.session import Session
from khien.rulebook import load
from khien.territory import store as territory
from khien.tracing.movement import places

if TYPE_CHECKING:
    from typst import Fonts

CALL = {
    "guest": N_("Scan the code when you come and when you go"),
    "keeper": N_("For the keeper alone: opens the page that scans guests"),
}  # fmt: skip
STEPS = {
    "guest": (
        N_("Point your phone's camera at the code and open the page."),
        N_("Give number, name and birth date, or sign in."),
        N_("Scan again when you go. No phone? Show your card to the keeper."),
    ),
    "keeper": (
        N_("Open the page with the keeper's phone. Do not hang this code on the wall."),
        N_("Scan each guest's card, pass or personal code, when they come and when they go."),
    ),
}  # fmt: skip
USE = N_("Used only to find and warn people who were here at the same time as somebody with the disease.")
KEPT = N_(
    "Deleted {days} days after the end of the month of the visit. What the tracing of a case found stays with the case."
)


def say(message: Message, **params: Any) -> dict[str, str]:
    """A text of the poster: always in both languages, whoever prints it."""
    return {language: translate(message, language, **params) for language in LANGUAGES}


def retention() -> int:
    """Days that a visit is kept after the month it fell in."""
    return int(load("contacts", "limits")["retention_days"])


def sheets(session: Session, found: Sequence[dict[str, Any]], *, host: str, role: str = "guest") -> str:
    """What the template needs for the posters of these places, as JSON. `host` is what the address of a code begins
    with. Raises NotFound for no place at all, and for a closed one: its codes take nothing."""
    if not found or any(place["closed_at"] is not None for place in found):
        raise NotFound
    within = territory.within(session, [place["unit_id"] for place in found if place["unit_id"] is not None])
    printed = say(N_("Printed on {day}"), day=session.today)
    sole = found[0]["name"] or found[0]["code"]
    return json.dumps({
        "title": sole if len(found) == 1 else translate(N_("Posters of places"), "vi"),
        "call": say(CALL[role]), "steps": [say(step) for step in STEPS[role]],
        "privacy": [say(USE), say(KEPT, days=retention())],
        "alt": translate(N_("Code of the place"), "vi"),
        "printed": " · ".join(printed.values()),
        "places": [_place(place, within, host, role) for place in found],
    }, ensure_ascii=False)  # fmt: skip


def _place(place: dict[str, Any], within: dict[int, str], host: str, role: str) -> dict[str, str]:
    where = (place["address"], place["unit_name"], within.get(place["unit_id"]))
    return {
        "name": place["name"] or place["code"], "where": ", ".join(part for part in where if part),
        "label": place["code"], "code": qr.svg(host.rstrip("/") + places.path_of(place["place_id"], role)),
    }  # fmt: skip


def typeset(posters: str, kind: Literal["pdf", "png"] = "pdf", ppi: float | None = None) -> list[bytes]:
    """The posters of `sheets`, a page each: one PDF, or a picture a page."""
    import typst  # 80 MB of code that only the few who print need

    template = files("khien.tracing.movement").joinpath("poster.typ").read_bytes()
    made = typst.compile(
        template, format=kind, ppi=ppi, sys_inputs={"posters": posters}, font_paths=_fonts(), ignore_system_fonts=True
    )
    return made if isinstance(made, list) else [made]


@cache
def _fonts() -> Fonts:
    """Those within the wheel alone: a poster looks the same wherever it is printed."""
    import typst

    return typst.Fonts(include_system_fonts=False)
