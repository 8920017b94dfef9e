"""Proposed grades with the figures behind them, and what communes can treat."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from khien import rulebook
from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import begin
from khien.territory import store as territory
from khien.zones import actions, grading, store
from khien.zones.forms import CapacityForm
from khien.zones.rules.grading import scheme
from khien.zones.views.shown import chosen_day, chosen_unit, day_form, language


@permission_required("zone.grade")
def grades(request: HttpRequest) -> HttpResponse:
    """The proposed grade of every commune of a unit, with the figures and the decision behind it."""
    basis = "fortnight" if request.GET.get("basis") == "fortnight" else "week"
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        code = request.GET.get("unit", "")
        unit = territory.unit(session, int(code) if code.isdecimal() else territory.top_of_area(session, on), on)
        area = store.area_of_units(session, [unit["unit_id"]])
        store.must_reach(session, area)
        found = grading.proposals(session, on, basis=basis, area=area.units)
    found.sort(key=lambda g: g.facts.population == 0)  # where nobody lives comes last
    only = request.GET.get("show", "")
    anomalous = [g for g in found if g.proposal.report == "anomalous"]
    listed = {"changed": grading.changed(found), "anomalous": anomalous}.get(only, found)
    shown = {
        "on": on, "unit": unit, "page": Paginator(listed, 100).get_page(request.GET.get("page")), "basis": basis,
        "only": only, "form": day_form(request, on), "scheme": scheme(on), "anomalous": len(anomalous),
        "document": rulebook.document(scheme(on)["document"], language()),
        "early": on < scheme(on)["valid_from"],
    }  # fmt: skip
    return render(request, "zones/grades.html", shown)


@permission_required("zone.grade")
def capacity(request: HttpRequest) -> HttpResponse:
    """What each commune of a unit can treat (criterion 3 of Decision 4800): the newest reports, and a new one."""
    with begin(request.actor) as session:
        on = chosen_day(request, session)
        unit = chosen_unit(request, session, on)
        store.must_reach(session, store.area_of_units(session, [unit["unit_id"]]))
        rows = store.capacity(session, unit, on)
        form = CapacityForm(request.POST or None, initial={"on": on}, communes=rows)
    if request.method == "POST" and form.is_valid() and _reported(request, form):
        return redirect(f"{reverse('zones:capacity')}?unit={unit['unit_id']}")
    shown: dict[str, Any] = {"on": on, "unit": unit, "form": form}
    shown["page"] = Paginator(rows, 100).get_page(request.GET.get("page"))
    return render(request, "zones/capacity.html", shown, status=422 if request.method == "POST" else 200)


def _reported(request: HttpRequest, form: CapacityForm) -> bool:
    data = form.cleaned_data
    try:
        actions.report_capacity(
            by=request.actor, unit_id=int(data["commune"]), sufficient=data["sufficient"] == "yes", on=data["on"],
            note=data["note"],
        )  # fmt: skip
    except (BadInput, NotFound) as fault:
        form.add_error(None, fault.text(language()))
        return False
    messages.success(request, _("The capacity was reported."))
    return True
