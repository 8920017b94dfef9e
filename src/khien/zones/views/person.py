"""What the police and the station enter about one person: residence events, and needs in an epidemic."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session, begin
from khien.population import actions as population
from khien.population import store as register
from khien.population.rules.residence_checks import stay_notice_due
from khien.territory import store as territory
from khien.zones import actions, movement, sheets
from khien.zones.forms import NeedForm, ResidenceForm
from khien.zones.views.shown import language


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
            form.add_error(None, fault.text(language()))
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
        form.add_error("commune", absent.text(language()))
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
    return [f"{f.text(language())} {f.document}".strip() for f in found]


@permission_required("need.record", "person.read")
def needs(request: HttpRequest, person_id: int) -> HttpResponse:
    """What somebody needs when a zone is closed: dialysis, oxygen, a birth to come. End it, or take an error back."""
    with begin(request.actor) as session:
        person = register.identity(session, person_id)
        rows = movement.needs_of(session, person_id)
        form = NeedForm(request.POST if request.POST.get("event") == "add" else None,
                        initial={"from_day": session.today})  # fmt: skip
    if request.method == "POST":
        try:
            if _entered(request, person_id, form):
                return redirect("zones:needs", person_id=person_id)
        except (BadInput, NotFound) as fault:
            form.add_error(None, fault.text(language())) if form.is_bound else messages.error(
                request, fault.text(language())
            )
    for row in rows:
        row["title"] = sheets.WORDS[row["kind"]]
    shown = {"form": form, "person": person, "rows": rows}
    return render(request, "zones/needs.html", shown, status=422 if request.method == "POST" else 200)


def _entered(request: HttpRequest, person_id: int, form: NeedForm) -> bool:
    """Whether what was sent was written."""
    event, kind = request.POST.get("event", ""), request.POST.get("kind", "")
    if event == "add":
        if not form.is_valid():
            return False
        data = form.cleaned_data
        added = actions.record_need(
            by=request.actor, person_id=person_id, kind=data["kind"], from_day=data["from_day"],
            until_day=data["until_day"],
        )  # fmt: skip
        messages.success(request, _("The need was recorded.") if added else _("This was known already."))
    elif event == "end":
        actions.end_need(by=request.actor, person_id=person_id, kind=kind)
        messages.success(request, _("The need has ended."))
    else:
        try:
            first = dt.date.fromisoformat(request.POST.get("from_day", ""))
        except ValueError:
            raise NotFound from None
        actions.take_back_need(by=request.actor, person_id=person_id, kind=kind, from_day=first)
        messages.success(request, _("It was taken back."))
    return True
