"""Pages about a person's doses, recording one, correcting one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from khien import rulebook
from khien.access.gate import permission_required
from khien.core.session import Session, begin
from khien.population import store as population
from khien.vaccination import actions, store
from khien.vaccination.forms import CorrectionForm, DoseForm
from khien.vaccination.forms.vaccines import vaccine_name
from khien.vaccination.store import schedule
from khien.vaccination.views.asking import ask, done, language


@permission_required("dose.read")
def doses(request: HttpRequest, person_id: int) -> HttpResponse:
    """The person's doses: a page of its own, or a part of the person's page."""
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        rows = store.doses_of_person(session, person_id)
        courses = schedule.courses(session, person_id, language=language()) if person["died_on"] is None else []
        today = session.today
    for row in courses:
        for key in ("earliest", "recommended"):
            row[f"{key}_day"] = dt.date.fromisoformat(row[key]) if row[key] else None
        row["late"] = bool(row["past_due"]) and row["past_due"] <= today.isoformat()
    for row in rows:
        row["flag_titles"] = store.flag_titles(row["flags"], language())
        row["standing"] = row["superseded_by"] is None and row["status"] == "completed"
    shown = {"person": person, "doses": rows, "courses": courses, "part": "HX-Request" in request.headers}
    return render(request, "vaccination/doses.html", shown)


@permission_required("dose.record")
def record(request: HttpRequest, person_id: int) -> HttpResponse:
    """One screen: vaccine and lot, site, date. Sending the form twice records one dose."""
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        choices = _choices(session, session.today)
        today = session.today
    last_site = request.session.get("site")
    form = DoseForm(request.POST or None, initial=DoseForm.first(today, last_site), **choices)
    findings: list[Any] = []
    if request.method == "POST" and form.is_valid():
        entry = form.entry(person_id)
        outcome = actions.record_doses(by=request.actor, entries=[entry])[0]
        if outcome.result in ("recorded", "replayed"):
            request.session["site"] = entry.site
            messages.success(request, _("The dose was recorded."))
            return redirect("vaccination:doses", person_id=person_id)
        findings = [
            {"title": f.title[language()], "document": rulebook.document(f.document, language())}
            for f in outcome.findings
        ]
        if outcome.fault is not None:
            form.add_error(None, outcome.fault.text(language()))
    status = 422 if request.method == "POST" else 200
    return render(
        request, "vaccination/record.html", {"person": person, "form": form, "findings": findings}, status=status
    )


@permission_required("dose.correct")
def correct(request: HttpRequest, person_id: int, dose_id: int) -> HttpResponse:
    """Supersede one dose: by the right date, or by a note that it was entered in error."""
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        dose = store.standing_dose(session, person_id, dose_id)
        lots = store.usable_lots(session, dose["given_on"])
        names = {p["product"]: p["name"] for p in store.all_products(session)}
    first = {"client_id": uuid4(), "what": "date", "given_on": dose["given_on"]}
    form = CorrectionForm(request.POST or None, initial=first, lots=lots, names=names)

    def work(data: dict[str, Any]) -> None:
        actions.correct_dose(
            by=request.actor, person_id=person_id, dose_id=dose_id, client_id=data["client_id"], reason=data["reason"],
            changes=form.changes(),
        )  # fmt: skip

    if done(request, form, work):
        messages.success(request, _("The dose was corrected. The old entry stays in the history."))
        return redirect("vaccination:doses", person_id=person_id)
    return ask(
        request, form, title=_("Correct a dose"), button=_("Correct"),
        back=reverse("vaccination:doses", args=[person_id]),
        caption=f"{person['name']} · {vaccine_name(names[dose['product']])} · {dose['given_on']:%d/%m/%Y}",
        note=_("Nothing is deleted: the old entry stays in the history, marked as corrected."),
    )  # fmt: skip


def _choices(session: Session, today: dt.date) -> dict[str, Any]:
    return {
        "lots": store.usable_lots(session, today),
        "names": {p["product"]: p["name"] for p in store.products(session, today)},
        "sites": store.sites(session),
    }
