"""One zone: the life of its orders, what does not fit, and for who may see them its people and their needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from khien import rulebook
from khien.access.gate import permission_required
from khien.core.errors import NotFound
from khien.core.session import Session, begin
from khien.zones import findings, sheets, store
from khien.zones.actions import NEEDS
from khien.zones.rules.area import Area
from khien.zones.rules.lifecycle import ORDER_TRANSITIONS
from khien.zones.views.shown import chosen_day, day_form, language, names_of

_PAGE = 50


@permission_required("zone.read")
def zone(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Its orders with what may become of each, its findings, its people a page of a list at a time."""
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        history = store.history(session, zone_id)
        order = store.order_on(session, zone_id, on)
        area = store.area_of(session, order)
        found = findings.of_zone(session, zone_id, on)
        shown: dict[str, Any] = {
            "on": on, "zone": order, "history": history, "area": area, "units": store.units_of(session, area, on),
            "households": store.addresses(session, area.households), "findings": [_told(f) for f in found],
            "form": day_form(request, on),
            "directive": _directive(order["regime"]), "steps": _steps(history), "holds": store.holds(order, on),
        }  # fmt: skip
        if request.actor.may("zone.people"):
            shown |= _people(request, session, zone_id, area, on)
    may = {event for state, event in ORDER_TRANSITIONS if any(o["state"] == state for o in history)}
    return render(request, "zones/zone.html", shown | {"may": may})


def _told(finding: findings.Finding) -> dict[str, Any]:
    return {"text": finding.text(language()), "proof": finding.proof(language()), "kind": finding.kind,
            "evidence": finding.evidence}  # fmt: skip


def _directive(regime: str | None) -> dict[str, Any] | None:
    """What the directive of an order asks of people, with its paper; None for an order without one."""
    entries = rulebook.load("zones", "directives")["directive"]
    found = next((entry for entry in entries if entry["id"] == regime), None)
    return {**found, "document": rulebook.document(found["document"], language())} if found else None


def _steps(history: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """The life of the zone's newest order, and where in it the order is."""
    state = history[0]["state"]
    path = ("proposed", "withdrawn") if state == "withdrawn" else ("proposed", "in_force", "lifted")
    return [(step, step == state) for step in path]


def _people(request: HttpRequest, session: Session, zone_id: int, area: Area, on: dt.date) -> dict[str, Any]:
    """Counts, and a page of the chosen list. Nothing for an area beyond the actor's."""
    try:
        figures = store.figures(session, area, on)
    except NotFound:
        return {}
    only = request.GET.get("list", "resident_present")
    counts = {name: figures.get(name, 0) for name in store.LISTS[:4]}
    counts |= {"arrived": figures.get("moved_arrived", 0), "left": figures.get("moved_left", 0)}
    if only not in counts:
        raise Http404
    page = Paginator(range(counts[only]), _PAGE).get_page(request.GET.get("page"))
    skip = (page.number - 1) * _PAGE
    rows = store.people_page(session, area, on, only, page=_PAGE, skip=skip, zone_id=zone_id) if counts[only] else []
    names = names_of(session, rows)
    for row in rows:
        row["unit_name"], row["other_name"] = names.get(row["unit_id"]), names.get(row["other_unit"])
        row["home_name"] = names.get(row["home_unit"])
    return {
        "figures": figures, "lists": [(name, sheets.WORDS[name], count) for name, count in counts.items()],
        "only": only, "people": rows, "page": page,
        "ages": [(sheets.WORDS[k], figures.get(k, 0)) for k in ("old", "young")],
        "needs": [(k, sheets.WORDS[k], figures.get(k, 0)) for k in NEEDS],
    }  # fmt: skip
