"""Pages of adverse events: the work list with its due dates, a report, a conclusion, signals by lot."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.errors import BadInput
from khien.core.session import begin
from khien.population import store as population
from khien.vaccination import actions, store
from khien.vaccination.forms import ConclusionForm, EventForm, LearnedForm
from khien.vaccination.store import events
from khien.vaccination.views.asking import ask, done, told


def _choices(what: str) -> list[tuple[str, str]]:
    language = get_language() or "vi"
    return [(entry["id"], entry["title"][language]) for entry in events.event_rules()[what]]


@permission_required("event.read")
def work_list(request: HttpRequest) -> HttpResponse:
    """Open events, the most urgent first, and the lots that stand out."""
    with begin(request.actor) as session:
        rows = events.work_list(session)
        names = {p["product"]: p["name"] for p in store.all_products(session)}
        signals = [(s, names[s.product]) for s in events.lot_signals(session) if s.events]
    language = get_language() or "vi"
    for row in rows:
        row["next"] = row["deadline"].title[language] if row["deadline"] else ""
    rule = events.event_rules()["signal"]
    rule = {**rule, "confidence_percent": round(rule["confidence"] * 100)}
    return render(request, "vaccination/events.html", {"rows": rows, "signals": signals, "rule": rule})


@permission_required("event.report")
def new(request: HttpRequest, person_id: int, dose_id: int) -> HttpResponse:
    """Report a reaction after a dose."""
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        dose = store.standing_dose(session, person_id, dose_id)
        now = session.now.astimezone(events.VIET_NAM)
    first = {"client_id": uuid4(), "day": now.date(), "hour": f"{now:%H:%M}"}
    form = EventForm(request.POST or None, initial=first, seriousness=_choices("seriousness"))

    def work(data: dict[str, Any]) -> None:
        actions.report_event(
            by=request.actor, client_id=data["client_id"], person_id=person_id, dose_id=dose_id,
            onset_at=dt.datetime.combine(data["day"], data["hour"], events.VIET_NAM), symptoms=data["symptoms"],
            seriousness=data["seriousness"],
        )  # fmt: skip

    if done(request, form, work):
        messages.success(request, _("The reaction was reported."))
        return redirect("vaccination:events")
    return ask(
        request, form, title=_("Report a reaction"), button=_("Report"),
        back=reverse("vaccination:doses", args=[person_id]),
        caption=f"{person['name']} · {dose['product']} · {dose['given_on']:%d/%m/%Y}",
    )  # fmt: skip


@permission_required("event.read")
def event(request: HttpRequest, person_id: int, event_id: int) -> HttpResponse:
    """One event: what is known, that the authority was told, what the council concluded."""
    with begin(request.actor) as session:
        one = events.event(session, person_id, event_id)
    concludes = request.method == "POST" and request.POST.get("what") == "conclude"
    form = ConclusionForm(request.POST if concludes else None, categories=_choices("causality"))
    learns = request.method == "POST" and request.POST.get("what") == "learned"
    learned = LearnedForm(
        request.POST if learns else None, seriousness=_choices("seriousness"),
        initial={"symptoms": one["symptoms"], "seriousness": one["seriousness"]},
    )  # fmt: skip
    if request.method == "POST":
        try:
            if learns and learned.is_valid():
                actions.update_event(by=request.actor, person_id=person_id, event_id=event_id, **learned.cleaned_data)
            elif not concludes and not learns:
                actions.update_event(by=request.actor, person_id=person_id, event_id=event_id, reported=True)
            elif form.is_valid():
                actions.conclude_event(by=request.actor, person_id=person_id, event_id=event_id, **form.cleaned_data)
        except BadInput as refusal:
            (learned if learns else form).add_error(None, told(refusal))
        if not (learned if learns else form).errors:
            return redirect("vaccination:event", person_id=person_id, event_id=event_id)
    named = dict(_choices("seriousness"))
    shown = {
        "one": one, "form": form, "learned": learned, "serious": [named[key] for key in one["seriousness"]],
        "category": dict(_choices("causality")).get(one["causality"], ""),
    }  # fmt: skip
    return render(request, "vaccination/event.html", shown, status=422 if request.method == "POST" else 200)
