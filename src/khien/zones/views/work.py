"""The work of a commune's police: who came from zones, and what does not fit in what was entered."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access.gate import permission_required
from khien.core.errors import BadInput
from khien.core.session import begin
from khien.territory import store as territory
from khien.zones import actions, findings, movement, sheets, store
from khien.zones.views.shown import as_file, chosen_day, day_form, language

_WEEK = 7  # days
_STATES = ("open", "seen", "not_found", "moved_on")


@permission_required("zone.people")
@require_POST
def push(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Give those who left to the police of the communes where they are."""
    made = actions.push(by=request.actor, zone_id=zone_id)
    messages.success(request, _("%(count)d new tasks for the police of other communes.") % {"count": made})
    return redirect("zones:zone", zone_id=zone_id)


@permission_required("zone.people")
def tasks(request: HttpRequest) -> HttpResponse:
    """People who came from zones to the actor's communes this week: who is to be visited, who was seen."""
    if request.method == "POST":
        return _report(request)
    with begin(request.actor) as session:
        rows = movement.tasks(session, session.today - dt.timedelta(days=_WEEK))
        unit = territory.unit(session, territory.top_of_area(session, session.today))
        own = store.area_of_units(session, [unit["unit_id"]])
        zones = store.zones(session, session.today, area=own.units)
        today, visible = session.today, store.named(session, [r["person_id"] for r in rows])
    for row in rows:
        row["visible"] = row["person_id"] in visible
    counts = {state: sum(r["state"] == state for r in rows) for state in _STATES}
    only = request.GET.get("state", "")
    listed = [r for r in rows if r["state"] == only] if only in _STATES else rows
    shown = {
        "rows": listed, "unit": unit, "counts": counts, "all": len(rows), "only": only, "today": today,
        "zones": [z for z in zones if z["in_force"]],
    }  # fmt: skip
    return render(request, "zones/tasks.html", shown)


@permission_required("zone.people")
def tasks_file(request: HttpRequest, kind: str) -> HttpResponse:
    """The same list for the teams, as CSV or XLSX."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    with begin(request.actor) as session:
        rows = movement.tasks(session, session.today - dt.timedelta(days=_WEEK))
        today = session.today
    return as_file(sheets.tasks(rows, today, language()), f"zone-visits-{today}", kind)


def _report(request: HttpRequest) -> HttpResponse:
    told = request.POST
    state = told.get("state")
    if state not in ("seen", "not_found", "moved_on"):
        raise Http404
    try:
        of = {key: int(told[key]) for key in ("person_id", "zone_id", "unit_id")}
        came_on = dt.date.fromisoformat(told["came_on"])
    except (KeyError, ValueError):
        raise Http404 from None
    try:
        note = told.get("note", "")[:200]
        actions.report_task(by=request.actor, **of, came_on=came_on, state=state, note=note)
    except BadInput as fault:
        messages.error(request, fault.text(language()))
    return redirect("zones:tasks")


@permission_required("zone.people")
def doubts(request: HttpRequest) -> HttpResponse:
    """What does not fit in orders and movement, with what it was concluded from. Nothing is resolved silently."""
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        found = findings.everything(session, on)
        people = store.named(session, [f.person_id for f in found if f.person_id is not None])
    order = list(findings.TITLES)
    found.sort(key=lambda f: order.index(f.kind))
    counts = [(kind, findings.TITLES[kind], len(list(group))) for kind, group in groupby(found, lambda f: f.kind)]
    only = request.GET.get("kind", "")
    page = Paginator([f for f in found if only in ("", f.kind)], 50).get_page(request.GET.get("page"))
    rows = [
        {"title": findings.TITLES[f.kind], "text": f.text(language()), "proof": f.proof(language()),
         "who": people.get(f.person_id or 0), "person_id": f.person_id, "evidence": f.evidence}
        for f in page.object_list
    ]  # fmt: skip
    shown = {"on": on, "rows": rows, "page": page, "counts": counts, "only": only, "all": len(found),
             "form": day_form(request, on)}  # fmt: skip
    return render(request, "zones/doubts.html", shown)
