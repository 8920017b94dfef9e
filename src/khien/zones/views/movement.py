"""Who went from where to where: arrows on a map, beside the table that they are drawn from, and by day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from khien.access.gate import permission_required
from khien.core.session import Session, begin
from khien.territory import store as territory
from khien.zones import movement, store
from khien.zones.forms import FlowForm
from khien.zones.views.shown import chosen_unit, trail

_STRONGEST = 30  # ways that choose the map
_PAGE = 40  # ways in the table and on the map: the strongest first


@permission_required("zone.read")
def flows(request: HttpRequest) -> HttpResponse:
    """The ways between units in some days, or on one of them (`day`)."""
    with begin(request.actor) as session:
        today = session.today
        unit = chosen_unit(request, session, today)
        level = "province" if unit["level"] == 0 else "commune"
        first = {"first": (today - dt.timedelta(days=6)).isoformat(), "last": today.isoformat(), "level": level}
        form = FlowForm(request.GET if "first" in request.GET else first)
        data = form.cleaned_data if form.is_valid() else {}
        rows = movement.flows(session, data["first"], data["last"], data["level"]) if data else []
        days = _days(rows, data)
        day = next((d["day"] for d in days if d["day"].isoformat() == request.GET.get("day")), None)
        ways = _ways([r for r in rows if day in (None, r["day"])])
        unit = _narrowed(request, session, ways, unit, today)
        page = Paginator(ways, _PAGE).get_page(request.GET.get("page"))
        ends = {end for way in page.object_list for end in (way["from_unit"], way["to_unit"])}
        middles = store.middles(session, ends)
        above = trail(session, unit, today)
    for way in page.object_list:
        way["from_at"], way["to_at"] = middles.get(way["from_unit"]), middles.get(way["to_unit"])
    shown: dict[str, Any] = {
        "form": form, "page": page, "day": day, "days": days, "unit": unit, "breadcrumbs": above,
        "people": sum(w["people"] for w in ways), "late": sum(w["late"] for w in ways),
        "outlines": reverse("territory:outlines", args=[unit["unit_id"]]),
    }  # fmt: skip
    return render(request, "zones/flows.html", shown)


def _narrowed(
    request: HttpRequest, session: Session, ways: list[dict[str, Any]], unit: dict[str, Any], on: dt.date
) -> dict[str, Any]:
    """Where nobody chose a map: the smallest one that holds the strongest ways."""
    ends = [end for way in ways[:_STRONGEST] for end in (way["from_unit"], way["to_unit"])]
    if "unit" in request.GET or not ends:
        return unit
    found = store.around(session, ends, on)
    return territory.unit(session, found, on) if found is not None else unit


def _days(rows: list[dict[str, Any]], asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Moves of each asked day, those without any too."""
    if not asked:
        return []
    people: dict[dt.date, int] = defaultdict(int)
    late: dict[dt.date, int] = defaultdict(int)
    for row in rows:
        people[row["day"]] += row["people"]
        late[row["day"]] += row["late"]
    many = min((asked["last"] - asked["first"]).days + 1, 366)
    days = [asked["first"] + dt.timedelta(days=n) for n in range(many)]
    return [{"day": day, "people": people[day], "late": late[day]} for day in days]


def _ways(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The days of each way together, the strongest first."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for row in rows:
        way = found.setdefault((row["from_unit"], row["to_unit"]), {**row, "people": 0, "late": 0})
        way["people"] += row["people"]
        way["late"] += row["late"]
    return sorted(found.values(), key=lambda w: (-w["people"], w["from_code"], w["to_code"]))
