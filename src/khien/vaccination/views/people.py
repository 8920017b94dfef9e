"""Pages about a person at a station: health, contact, doses from elsewhere, declared doses and their proof."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access.gate import permission_required
from khien.core.errors import NotFound
from khien.core.session import begin
from khien.population import store as population
from khien.vaccination import actions, store
from khien.vaccination.forms import ContactForm, ElsewhereForm, FactForm, ProofForm
from khien.vaccination.rules.dose_checks import DoseEntry
from khien.vaccination.store import events, people
from khien.vaccination.views.asking import ask, done, language


def _codes() -> list[tuple[str, list[tuple[str, str]]]]:
    """What may be noted, by kind."""
    kinds = {"infection": _("Infections"), "condition": _("Conditions"), "allergy": _("Allergies")}
    facts = people.health_codes().values()
    return [
        (title, [(f["id"], f["title"][language()]) for f in facts if f["kind"] == kind])
        for kind, title in kinds.items()
    ]


@permission_required("desk.work", "person.read")
def health(request: HttpRequest, person_id: int) -> HttpResponse:
    """What is noted of the person's health, how invitations reach them; both are entered here."""
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        facts = people.health_facts(session, person_id)
        contact = people.contact(session, person_id)
        today = session.today
    names = people.health_codes()
    for fact in facts:
        fact["title"] = names[fact["code"]]["title"][language()] if fact["code"] in names else fact["code"]
    what = request.POST.get("what")
    form = FactForm(
        request.POST if what == "fact" else None, initial={"client_id": uuid4(), "since": today}, codes=_codes()
    )
    reach = ContactForm(request.POST if what == "contact" else None, initial=contact)
    sent = {
        "fact": (form, lambda data: actions.note_health_fact(by=request.actor, person_id=person_id, **data)),
        "contact": (reach, lambda data: actions.note_contact(by=request.actor, person_id=person_id, **data)),
    }
    if what in sent and done(request, *sent[what]):
        messages.success(request, _("It was noted."))
        return redirect("vaccination:health", person_id=person_id)
    shown = {"person": person, "facts": facts, "form": form, "reach": reach}
    return render(request, "vaccination/health.html", shown, status=422 if request.method == "POST" else 200)


@permission_required("desk.work")
@require_POST
def end_fact(request: HttpRequest, person_id: int, fact_id: int) -> HttpResponse:
    """It no longer holds."""
    actions.end_health_fact(by=request.actor, person_id=person_id, fact_id=fact_id)
    return redirect("vaccination:health", person_id=person_id)


@permission_required("dose.read")
def elsewhere(request: HttpRequest, person_id: int) -> HttpResponse:
    """A dose given before or abroad; a citizen declares, a station records with what proves it."""
    records, declares = request.actor.may("dose.record"), request.actor.may("dose.declare")
    if not (records or declares):
        raise NotFound
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        products = store.all_products(session)
    form = ElsewhereForm(request.POST or None, initial={"client_id": uuid4()}, products=products, declares=not records)

    def work(data: dict[str, Any]) -> None:
        told = {
            "client_id": data["client_id"], "person_id": person_id, "product": data["product"],
            "given_on": data["given_on"], "lot_number": data["lot_number"] or None,
        }  # fmt: skip
        if records:
            actions.record_dose(by=request.actor, entry=DoseEntry(**told, evidence=data["evidence"]))
        else:
            actions.declare_dose(by=request.actor, **told)

    if done(request, form, work):
        messages.success(request, _("The dose was recorded."))
        return redirect("vaccination:doses", person_id=person_id)
    return ask(
        request, form, title=_("A dose from elsewhere") if records else _("Declare a dose"), button=_("Record"),
        back=reverse("vaccination:doses", args=[person_id]), caption=person["name"],
        note="" if records else _("It is shown as declared and counts once a health station has seen the proof."),
    )  # fmt: skip


@permission_required("dose.verify")
def declared(request: HttpRequest) -> HttpResponse:
    """Declared doses that wait for their proof, the oldest first."""
    with begin(request.actor) as session:
        rows = events.declared_doses(session)
    return render(request, "vaccination/declared.html", {"rows": rows})


@permission_required("dose.verify", "person.read", "dose.read")
def verify(request: HttpRequest, person_id: int, dose_id: int) -> HttpResponse:
    """A declared dose is proved."""
    with begin(request.actor) as session:
        person = population.identity(session, person_id)
        dose = store.standing_dose(session, person_id, dose_id)
        first = {"client_id": uuid4(), "given_on": dose["given_on"], "lot_number": dose["lot_number"]}
        form = ProofForm(request.POST or None, initial=first, sites=store.all_sites(session))

    def work(data: dict[str, Any]) -> None:
        changes = {"given_on": data["given_on"], "lot_number": data["lot_number"] or None, "site": data["site"] or None}
        actions.verify_dose(
            by=request.actor, client_id=data["client_id"], person_id=person_id, dose_id=dose_id,
            evidence=data["evidence"], reason=data["reason"], changes=changes,
        )  # fmt: skip

    if done(request, form, work):
        messages.success(request, _("The dose is verified and counts from now on."))
        return redirect("vaccination:declared")
    return ask(
        request, form, title=_("Verify a declared dose"), button=_("Verify"), back=reverse("vaccination:declared"),
        caption=f"{person['name']} · {dose['product']}",
    )  # fmt: skip
