"""The vaccination desk: scan, screen, consent and dose, observe. Two clicks and a scan for the plain case."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien import rulebook
from khien.access import actions as access
from khien.access.gate import permission_required
from khien.core.actor import Actor
from khien.core.errors import BadInput, NotFound, Refused
from khien.core.session import Session, begin
from khien.population import store as population
from khien.population.rules.card import parse_card
from khien.vaccination import actions, store
from khien.vaccination.forms import GiveForm, ReasonForm, ScreeningForm
from khien.vaccination.rules.screening import age_on
from khien.vaccination.store import campaign, desk
from khien.vaccination.views.asking import language, told


@permission_required("desk.work", "person.open")
def scan(request: HttpRequest, session_id: int) -> HttpResponse:
    """The desk between two people: the scanner, and the last doses with their undo."""
    error = ""
    if request.method == "POST":
        try:
            person_id = _open(request.actor, request.POST.get("card", ""))
            return redirect("vaccination:desk_screen", session_id=session_id, person_id=person_id)
        except NotFound:
            error = _("No such person can be opened here. Check the card, or search by name.")
        except BadInput as fault:
            error = told(fault)
    with begin(request.actor) as session:
        one = campaign.vaccination_session(session, session_id)
        last = [row for row in desk.observed(session, session_id) if row["left_at"] is None]
    last.sort(key=lambda row: row["given_at"], reverse=True)
    answer = {"one": one, "error": error, "last": last[:3], "observed": len(last)}
    return render(request, "vaccination/desk_scan.html", answer, status=422 if error else 200)


def _open(actor: Actor, text: str) -> int:
    """Whose card it is: in the actor's area by its number, elsewhere by number and what else it says."""
    card = parse_card(text)
    number = card.personal_number or card.old_number or card.provisional_id or card.insurance_number or card.passport
    if number is None:
        raise NotFound
    with begin(actor) as session:
        found = population.find_by_identifier(session, number)
    if found is not None:
        return found
    born = card.birth_date.full if card.birth_date is not None else None
    if card.name is None and born is None:
        raise NotFound
    return access.open_by_card(by=actor, number=number, name=card.name, birth_date=born)


@permission_required("desk.work", "person.read")
def screen(request: HttpRequest, session_id: int, person_id: int) -> HttpResponse:
    """Who it is and whether a dose is due; below it the screening form of the day."""
    with begin(request.actor) as session:
        shown = _shown(session, session_id, person_id)
        form_of_day = desk.screening_form(shown["person"]["birth_date"], session.today)
    if form_of_day is None:
        refusal = desk.desk_checks()["no_form"]["title"][language()]
        return render(request, "vaccination/desk_screen.html", {**shown, "refusal": refusal}, status=422)
    criteria = form_of_day.for_sex(shown["person"]["sex"])
    form = ScreeningForm(request.POST or None, criteria=criteria, language=language())
    result = None
    if request.method == "POST" and form.is_valid():
        try:
            result = actions.screen_person(
                by=request.actor, session_id=session_id, person_id=person_id, answers=form.answers()
            )
        except Refused as refused:
            form.add_error(None, told(refused))
        except BadInput as wrong:
            for fault in wrong.faults:
                form.add_error(fault.field if fault.field in form.fields else None, fault.text(language()))
        else:
            if result.may_be_given:
                return redirect("vaccination:desk_give", session_id=session_id, person_id=person_id)
    answer = {
        **shown, "form": form, "document": rulebook.document(form_of_day.document, language()), "result": result,
        "reasons": [c.title[language()] for c in result.reasons] if result else [],
    }  # fmt: skip
    status = 422 if request.method == "POST" and result is None else 200
    return render(request, "vaccination/desk_screen.html", answer, status=status)


@permission_required("desk.work", "dose.record")
def give(request: HttpRequest, session_id: int, person_id: int) -> HttpResponse:
    """Consent and dose: one button says both; the session's own lot is chosen already."""
    with begin(request.actor) as session:
        shown = _shown(session, session_id, person_id)
        visit = desk.visit(session, session_id, person_id)
        lots = [
            r["lot_number"]
            for r in store.usable_lots(session, session.today)
            if r["product"] == shown["one"]["product"]
        ]
        minor = age_on(shown["person"]["birth_date"], session.today) < desk.desk_rules()["consent"]["guardian_below"]
    if visit is None:
        return redirect("vaccination:desk_screen", session_id=session_id, person_id=person_id)
    first = {"client_id": uuid4(), "lot": shown["one"]["lot_number"]}
    form = GiveForm(request.POST or None, initial=first, lots=lots, minor=minor)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.give_dose(
                by=request.actor, client_id=data["client_id"], session_id=session_id, person_id=person_id, consent=True,
                guardian_name=data.get("guardian", ""), lot_number=data["lot"], already_given=data["already_given"],
            )  # fmt: skip
        except BadInput as refusal:
            form.add_error(None, told(refusal))
        else:
            messages.success(request, _("The dose was recorded. The observation has begun."))
            return redirect("vaccination:desk_scan", session_id=session_id)
    answer = {**shown, "form": form, "visit": visit, "refusal_form": ReasonForm()}
    return render(request, "vaccination/desk_give.html", answer, status=422 if request.method == "POST" else 200)


@permission_required("desk.work")
@require_POST
def refuse(request: HttpRequest, session_id: int, person_id: int) -> HttpResponse:
    """The person does not want the dose."""
    try:
        actions.refuse_consent(
            by=request.actor, session_id=session_id, person_id=person_id, reason=request.POST.get("reason", "")
        )
    except BadInput as refusal:
        messages.error(request, told(refusal))
        return redirect("vaccination:desk_give", session_id=session_id, person_id=person_id)
    messages.success(request, _("The refusal was recorded."))
    return redirect("vaccination:desk_scan", session_id=session_id)


@permission_required("desk.work")
@require_POST
def undo(request: HttpRequest, session_id: int, person_id: int) -> HttpResponse:
    """Take back the dose that this session recorded."""
    try:
        actions.undo_dose(by=request.actor, session_id=session_id, person_id=person_id)
    except BadInput as refusal:
        messages.error(request, told(refusal))
    else:
        messages.success(request, _("The dose was taken back. It stays in the history as entered in error."))
    return redirect("vaccination:desk_scan", session_id=session_id)


@permission_required("desk.work")
def observation(request: HttpRequest, session_id: int) -> HttpResponse:
    """Who is being observed and for how many more minutes; the list renews itself."""
    with begin(request.actor) as session:
        one = campaign.vaccination_session(session, session_id)
        rows = desk.observed(session, session_id)
    part = request.headers.get("HX-Request") == "true"
    template = "vaccination/observation_list.html" if part else "vaccination/observation.html"
    return render(request, template, {"one": one, "rows": rows})


@permission_required("desk.work")
@require_POST
def leave(request: HttpRequest, session_id: int, person_id: int) -> HttpResponse:
    """End somebody's observation: well, or with a reaction, which is then reported."""
    state = request.POST.get("state", "")
    try:
        actions.end_observation(by=request.actor, session_id=session_id, person_id=person_id, state=state)
    except BadInput as refusal:
        messages.error(request, told(refusal))
        return redirect("vaccination:observation", session_id=session_id)
    if state == "reaction" and request.actor.may("event.report"):
        with begin(request.actor) as session:
            visit = desk.visit(session, session_id, person_id)
        assert visit is not None
        return redirect("vaccination:event_new", person_id=person_id, dose_id=visit["dose_id"])
    return redirect("vaccination:observation", session_id=session_id)


def _shown(session: Session, session_id: int, person_id: int) -> dict[str, Any]:
    """What stands at the top of each step: who, what is due, and whether that may be given today."""
    one = campaign.vaccination_session(session, session_id)
    person = population.identity(session, person_id)
    advice = desk.advice(session, one, person_id)
    call = desk.call_of_person(session, session_id, person_id)
    if person["died_on"] is not None:
        tone, word = "stop", _("The register says that this person has died")
    elif advice.counts:
        tone, word = "go", _("Due: dose %(number)s") % {"number": advice.dose_number or 1}
    else:
        tone, word = "look", _("Not due today")
    sentences = [f"{text} ({document})" if document else text for text, document in advice.sentences(language())]
    if not advice.counts and advice.earliest is not None:
        earliest: dt.date = advice.earliest
        sentences.append(_("Next dose from %(day)s") % {"day": f"{earliest:%d/%m/%Y}"})
    if call is None:
        sentences.append(_("Not on the list of this session: comes without invitation"))
    return {
        "one": one, "person": person, "age": age_on(person["birth_date"], session.today), "call": call,
        "tone": tone, "word": word, "reason": " · ".join(sentences),
    }  # fmt: skip
