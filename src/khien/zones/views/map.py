"""Zones and grades of a day, on the map and in a table, with a slider through the days."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from khien.access.gate import permission_required
from khien.core.session import begin
from khien.territory import store as territory
from khien.zones import store
from khien.zones.views.shown import chosen_day, chosen_unit, day_form, trail


@permission_required("zone.read")
def zones(request: HttpRequest) -> HttpResponse:
    """Every unit below one with its strictest grade and the orders that touch it, and the zones of the day."""
    ended = request.GET.get("ended") == "1"
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        unit = chosen_unit(request, session, on)
        parts = territory.children(session, unit["unit_id"], on) or [unit]
        graded = store.unit_grades(session, [p["unit_id"] for p in parts], on)
        orders = store.zones(session, on, ended=ended)
        above = trail(session, unit, on)
        first, today = store.first_day(session) or on, session.today
    by_zone = {order["zone_id"]: order for order in orders}
    rows = []
    for part in parts:
        grade = graded.get(part["unit_id"])
        touching = [by_zone[z] for z in grade["zones"] if z in by_zone] if grade else []
        rows.append({"unit": part, "grade": grade, "zones": touching})
    return render(request, "zones/zones.html", {
        "on": on, "unit": unit, "breadcrumbs": above, "orders": orders, "rows": rows, "ended": ended,
        "outlines": reverse("territory:outlines", args=[unit["unit_id"]]),
        "position": max((on - first).days, 0), "last": max((today - first).days, 1), "first": first, "today": today,
        "form": day_form(request, on),
    })  # fmt: skip
