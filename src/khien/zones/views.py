"""Pages: the map of a day, a zone and its people, orders, grades, flows, a commune's work, residence events."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session, begin
from khien.population import actions as population
from khien.population import store as register
from khien.population.rules.residence_checks import stay_notice_due
from khien.territory import store as territory
from khien.zones import actions, findings, grading, movement, needs, sheets, store
from khien.zones.actions import Signed
from khien.zones.forms import ChangeForm, CloseForm, DayForm, FlowForm, OrderForm, ResidenceForm

_PAGE, _HOMES = 50, 40
_TASK_DAYS = 7


def _language() -> str:
    return get_language() or "vi"


def _chosen_day(request: HttpRequest, session: Session) -> dt.date:
    """The day of the address: `on`, or the slider's number of days since the first order; today by default."""
    form = DayForm(request.GET)
    if form.is_valid():
        return form.cleaned_data["on"]
    number = request.GET.get("n", "")
    first = store.first_day(session)
    if number.isdecimal() and len(number) < 6 and first is not None:
        return min(first + dt.timedelta(days=int(number)), session.today)
    return session.today


@permission_required("zone.read")
def zones(request: HttpRequest) -> HttpResponse:
    """Zones and grades of a day on the map, with a slider through the days, and in a table."""
    with begin(request.actor) as session:
        on = _chosen_day(request, session)
        code = request.GET.get("unit", "")
        unit_id = int(code) if code.isdecimal() else territory.country(session, on)["unit_id"]
        unit = territory.unit(session, unit_id, on)
        parts = territory.children(session, unit_id, on) or [unit]
        graded = store.unit_grades(session, [p["unit_id"] for p in parts], on)
        orders = store.zones(session, on, ended=request.GET.get("ended") == "1")
        above = territory.ancestors(session, unit_id, on)
        first, today = store.first_day(session) or on, session.today
    return render(request, "zones/zones.html", {
        "on": on, "unit": unit, "above": above, "orders": orders,
        "rows": [{"unit": p, "grade": graded.get(p["unit_id"])} for p in parts],
        "outlines": reverse("territory:outlines", args=[unit_id]),
        "position": max((on - first).days, 0), "last": max((today - first).days, 1),
        "form": DayForm({"on": on.isoformat()}),
    })  # fmt: skip


@permission_required("zone.read")
def zone(request: HttpRequest, zone_id: int) -> HttpResponse:
    """One zone: its orders, what does not fit, and for who may see them its people."""
    with begin(request.actor) as session:
        on = _chosen_day(request, session)
        history = store.history(session, zone_id)
        order = store.order_on(session, zone_id, on)
        area = store.area_of(session, order)
        shown: dict[str, Any] = {
            "on": on, "zone": order, "history": history, "area": area, "units": store.units_of(session, area, on),
            "findings": [f.text(_language()) for f in findings.of_zone(session, zone_id, on)],
        }  # fmt: skip
        if request.actor.may("zone.people"):
            shown |= _people(request, session, zone_id, area, on)
    return render(request, "zones/zone.html", shown)


def _people(request: HttpRequest, session: Session, zone_id: int, area: Any, on: dt.date) -> dict[str, Any]:
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
    names = territory.names(session, {u for r in rows for u in (r["unit_id"], r["other_unit"], r["home_unit"]) if u})
    for row in rows:
        row["unit_name"], row["other_name"] = names.get(row["unit_id"]), names.get(row["other_unit"])
        row["home_name"] = names.get(row["home_unit"])
    return {
        "figures": figures, "lists": [(name, sheets.WORDS[name], count) for name, count in counts.items()],
        "only": only, "people": rows, "page": page,
        "needs": [(sheets.WORDS[k], v) for k, v in figures.items() if k in sheets.WORDS and k not in counts],
    }  # fmt: skip


@permission_required("zone.people")
def people_file(request: HttpRequest, zone_id: int, kind: str) -> HttpResponse:
    """Everybody whom the zone concerns, as CSV or XLSX."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    with begin(request.actor) as session:
        on = _chosen_day(request, session)
        area = store.area_of(session, store.order_on(session, zone_id, on))
        rows = store.people(session, area, on, zone_id=zone_id)
        names = territory.names(
            session, {u for r in rows for u in (r["unit_id"], r["other_unit"], r["home_unit"]) if u}
        )
    lines = sheets.table(rows, names, on, _language())
    content = sheets.as_xlsx(lines) if kind == "xlsx" else sheets.as_csv(lines)
    mime = (
        "text/csv; charset=utf-8"
        if kind == "csv"
        else ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    )
    response = HttpResponse(content, content_type=mime)
    response["Content-Disposition"] = f'attachment; filename="zone-{zone_id}-{on}.{kind}"'
    return response


@permission_required("zone.people")
def household_sheets(request: HttpRequest, zone_id: int) -> HttpResponse:
    """A sheet a household, to be printed: who is there, their ages, doses and needs."""
    with begin(request.actor) as session:
        on = _chosen_day(request, session)
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
        row["age"] = needs.age(row["birth_date"], on)
        row["reasons"] = [sheets.WORDS[reason] for reason in needs.vulnerable(row, on)]
    return {"address": first["address"], "unit": names.get(first["household_unit"] or first["unit_id"]), "people": home}


@permission_required("zone.open")
def new(request: HttpRequest) -> HttpResponse:
    """Open a zone by its first order."""
    with begin(request.actor) as session:
        form = OrderForm(request.POST or None, initial={"from_day": session.today})
        area = form.area(session) if request.method == "POST" and form.is_valid() else None
    if area is not None:
        data = form.cleaned_data
        try:
            zone_id, _order = actions.open_zone(
                by=request.actor, name=data["name"], area=area, grade=data["grade"], regime=data["regime"] or None,
                signed=Signed(data["document"], data["signed_by"]), from_day=data["from_day"],
                until_day=data["until_day"],
            )  # fmt: skip
        except (BadInput, NotFound) as fault:
            form.add_error(None, fault.text(_language()))
        else:
            messages.success(request, _("The zone is open."))
            return redirect("zones:zone", zone_id=zone_id)
    return _form(request, form, _("Open a zone"), reverse("zones:zones"))


@permission_required("zone.open")
def change(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Change borders or grade by a new order."""
    with begin(request.actor) as session:
        order = store.order_on(session, zone_id, session.today)
        area = store.area_of(session, order)
        units = store.units_of(session, area, session.today)
        typed = [u["code"] if u["exists_then"] else str(u["unit_id"]) for u in units]
        typed += [f"{p.unit_id}: {p.name}" for p in area.places]
        first = {
            "units": "\n".join(typed),
            "grade": order["grade"],
            "regime": order["regime"],
            "from_day": session.today,
        }
        form = ChangeForm(request.POST or None, initial=first)
        covered = form.area(session) if request.method == "POST" and form.is_valid() else None
    if covered is not None:
        data = form.cleaned_data
        try:
            actions.supersede(
                by=request.actor, zone_id=zone_id, area=replace(covered, households=area.households),
                grade=data["grade"], regime=data["regime"] or None,
                signed=Signed(data["document"], data["signed_by"]), from_day=data["from_day"],
                until_day=data["until_day"],
            )  # fmt: skip
        except (BadInput, NotFound) as fault:
            form.add_error(None, fault.text(_language()))
        else:
            messages.success(request, _("The new order holds."))
            return redirect("zones:zone", zone_id=zone_id)
    return _form(request, form, _("Change borders or grade"), reverse("zones:zone", args=[zone_id]), order["name"])


@permission_required("zone.close")
def close(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Lift the zone's order."""
    with begin(request.actor) as session:
        order = store.order_on(session, zone_id, session.today)
        form = CloseForm(request.POST or None, initial={"on": session.today})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            signed = Signed(data["document"], data["signed_by"])
            actions.close_zone(by=request.actor, zone_id=zone_id, signed=signed, on=data["on"])
        except (BadInput, NotFound) as fault:
            form.add_error(None, fault.text(_language()))
        else:
            messages.success(request, _("The order is lifted."))
            return redirect("zones:zone", zone_id=zone_id)
    return _form(request, form, _("Lift the order"), reverse("zones:zone", args=[zone_id]), order["name"])


def _form(request: HttpRequest, form: Any, title: str, back: str, about: str = "") -> HttpResponse:
    shown = {"form": form, "title": title, "back": back, "about": about}
    return render(request, "zones/form.html", shown, status=422 if request.method == "POST" else 200)


@permission_required("zone.people")
@require_POST
def push(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Give those who left to the police of the communes where they are."""
    made = actions.push(by=request.actor, zone_id=zone_id)
    messages.success(request, _("%(count)d new tasks for the police of other communes.") % {"count": made})
    return redirect("zones:zone", zone_id=zone_id)


@permission_required("zone.grade")
def grades(request: HttpRequest) -> HttpResponse:
    """The proposed grade of every commune of a unit, with the figures behind it."""
    basis = "fortnight" if request.GET.get("basis") == "fortnight" else "week"
    with begin(request.actor) as session:
        on = _chosen_day(request, session)
        code = request.GET.get("unit", "")
        unit = territory.unit(session, int(code) if code.isdecimal() else territory.top_of_area(session, on), on)
        area = store.area_of_units(session, [unit["unit_id"]])
        store.must_reach(session, area)
        found = grading.proposals(session, on, basis=basis, area=area.units)
    only = request.GET.get("changed") == "1"
    page = Paginator(grading.changed(found) if only else found, 100).get_page(request.GET.get("page"))
    shown = {
        "on": on,
        "unit": unit,
        "page": page,
        "basis": basis,
        "only": only,
        "form": DayForm({"on": on.isoformat()}),
    }
    return render(request, "zones/grades.html", shown)


@permission_required("zone.read")
def flows(request: HttpRequest) -> HttpResponse:
    """Who went from where to where, by day, in a table."""
    with begin(request.actor) as session:
        today = session.today
        first = {"first": (today - dt.timedelta(days=6)).isoformat(), "last": today.isoformat(), "level": "province"}
        form = FlowForm(request.GET if "first" in request.GET else first)
        data = form.cleaned_data if form.is_valid() else {}
        rows = movement.flows(session, data["first"], data["last"], data["level"]) if data else []
    page = Paginator(rows, 100).get_page(request.GET.get("page"))
    return render(request, "zones/flows.html", {"form": form, "page": page, "people": sum(r["people"] for r in rows)})


@permission_required("zone.people")
def tasks(request: HttpRequest) -> HttpResponse:
    """People who came from zones to the actor's communes: who is to be visited, who was seen."""
    if request.method == "POST":
        return _report(request)
    with begin(request.actor) as session:
        rows = movement.tasks(session, session.today - dt.timedelta(days=_TASK_DAYS))
        unit = territory.unit(session, territory.top_of_area(session, session.today))
    counts = {state: sum(r["state"] == state for r in rows) for state in ("open", "seen", "not_found", "moved_on")}
    return render(request, "zones/tasks.html", {"rows": rows, "unit": unit, "counts": counts, "all": len(rows)})


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
        actions.report_task(by=request.actor, **of, came_on=came_on, state=state)  # type: ignore[arg-type]
    except BadInput as fault:
        messages.error(request, fault.text(_language()))
    return redirect("zones:tasks")


@permission_required("residence.write")
def residence(request: HttpRequest, person_id: int) -> HttpResponse:
    """Enter an arrival, a departure, a stay notice or an absence. Sending the form twice enters it once."""
    with begin(request.actor) as session:
        person = register.identity(session, person_id)
        form = ResidenceForm(
            request.POST or None, initial={"from_day": session.today, "client_id": uuid4(), "told_by": "police"}
        )
        due = stay_notice_due(session.now)
        unit = _commune(session, form) if request.method == "POST" and form.is_valid() else None
    if form.is_bound and form.is_valid() and (unit is not None or form.cleaned_data["kind"] == "end"):
        try:
            for text in _enter(request, person_id, unit, form.cleaned_data):
                messages.warning(request, text)
        except (BadInput, NotFound) as fault:
            form.add_error(None, fault.text(_language()))
        else:
            messages.success(request, _("The residence event was entered."))
            return redirect("population:person", person_id=person_id)
    shown = {"form": form, "person": person, "due": due}
    return render(request, "zones/residence.html", shown, status=422 if request.method == "POST" else 200)


def _commune(session: Session, form: ResidenceForm) -> int | None:
    if form.cleaned_data["kind"] == "end":
        return None
    try:
        return int(territory.find(session, form.cleaned_data["commune"], form.cleaned_data["from_day"])["unit_id"])
    except NotFound as absent:
        form.add_error("commune", absent.text(_language()))
        return None


def _enter(request: HttpRequest, person_id: int, unit: int | None, data: dict[str, Any]) -> list[str]:
    """Write it; the law's warnings."""
    if unit is None:
        population.end_residence(
            by=request.actor, person_id=person_id, kind=data["ends"], on=data["from_day"], client_id=data["client_id"]
        )
        return []
    found = population.move(
        by=request.actor, person_id=person_id, kind=data["kind"], unit_id=unit, from_day=data["from_day"],
        until_day=data["until_day"], address=data["address"], source=data["told_by"], client_id=data["client_id"],
    )  # fmt: skip
    return [f"{f.text(_language())} {f.document}".strip() for f in found]
