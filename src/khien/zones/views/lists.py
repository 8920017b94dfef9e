"""Lists of a zone's people for the teams: files, sheets a household, who needs something, what changed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from khien.access.gate import permission_required
from khien.core.session import Session, begin
from khien.territory import store as territory
from khien.zones import needs as reasons
from khien.zones import sheets, store
from khien.zones.actions import NEEDS
from khien.zones.forms import BetweenForm
from khien.zones.rules.area import Area
from khien.zones.views.shown import as_file, chosen_day, language, names_of

_HOMES, _PAGE = 40, 50


@permission_required("zone.people")
def people_file(request: HttpRequest, zone_id: int, kind: str) -> HttpResponse:
    """Everybody whom the zone concerns, as CSV or XLSX."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        area = store.area_of(session, store.order_on(session, zone_id, on))
        rows = store.people(session, area, on, zone_id=zone_id)
        names = names_of(session, rows)
    return as_file(sheets.table(rows, names, on, language()), f"zone-{zone_id}-{on}", kind)


@permission_required("zone.people")
def household_sheets(request: HttpRequest, zone_id: int) -> HttpResponse:
    """A sheet a household, to be printed: who is there, their ages, doses and needs."""
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        order = store.order_on(session, zone_id, on)
        area = store.area_of(session, order)
        figures = store.figures(session, area, on, 0)
        page = Paginator(range(figures["households"]), _HOMES).get_page(request.GET.get("page"))
        homes = store.household_sheets(session, area, on, page=_HOMES, skip=(page.number - 1) * _HOMES, zone_id=zone_id)
        names = territory.names(session, {r["household_unit"] or r["unit_id"] for home in homes for r in home})
    shown = [_sheet(home, names, on) for home in homes]
    return render(request, "zones/sheets.html", {"zone": order, "on": on, "homes": shown, "page": page})


def _sheet(home: list[dict[str, Any]], names: dict[int, str], on: dt.date) -> dict[str, Any]:
    first = home[0]
    for row in home:
        row["age"] = reasons.age(row["birth_date"], on)
        row["reasons"] = [sheets.WORDS[reason] for reason in reasons.vulnerable(row, on)]
    return {"address": first["address"], "unit": names.get(first["household_unit"] or first["unit_id"]), "people": home}


@permission_required("zone.people")
def needing(request: HttpRequest, zone_id: int, need: str) -> HttpResponse:
    """The people present who need one thing: by name, household and address."""
    if need not in NEEDS:
        raise Http404
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        order = store.order_on(session, zone_id, on)
        area = store.area_of(session, order)
        count = store.figures(session, area, on, 0).get(need, 0)
        page = Paginator(range(count), _PAGE).get_page(request.GET.get("page"))
        skip = (page.number - 1) * _PAGE
        rows = store.needing(session, area, on, need, page=_PAGE, skip=skip, zone_id=zone_id)
        names = names_of(session, rows)
    for row in rows:
        row["age"], row["place"] = reasons.age(row["birth_date"], on), names.get(row["unit_id"])
    shown = {"zone": order, "on": on, "need": sheets.WORDS[need], "people": rows, "page": page, "count": count}
    return render(request, "zones/needing.html", shown)


@permission_required("zone.people")
def difference(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Whose list differs between two days, each under the border of its day."""
    with begin(request.actor) as session:
        today = session.today
        given = {"first": today - dt.timedelta(days=7), "last": today}
        form = BetweenForm(request.GET if "first" in request.GET else given)
        order = store.history(session, zone_id)[0]
        rows = []
        if form.is_valid():
            first, last = form.cleaned_data["first"], form.cleaned_data["last"]
            rows = store.difference(session, _area(session, zone_id, first), _area(session, zone_id, last))
        page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
        people = store.named(session, [r["person_id"] for r in page.object_list])
        names = territory.names(session, {r["unit_id"] for r in page.object_list if r["unit_id"]})
    counts = Counter((_list(r["before"]), _list(r["after"])) for r in rows)
    lines = [
        {"who": people.get(r["person_id"]), "person_id": r["person_id"], "before": _list(r["before"]),
         "after": _list(r["after"]), "place": names.get(r["unit_id"])}
        for r in page.object_list
    ]  # fmt: skip
    shown = {"zone": order, "form": form, "rows": lines, "page": page, "counts": sorted(counts.items())}
    return render(request, "zones/difference.html", shown)


def _area(session: Session, zone_id: int, on: dt.date) -> tuple[Area, dt.date]:
    return store.area_of(session, store.order_on(session, zone_id, on)), on


def _list(name: str | None) -> str:
    return sheets.WORDS[name] if name else sheets.NOT_CONCERNED
