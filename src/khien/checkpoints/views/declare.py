"""The declaration: for the public on a phone, for a family, and for officers who key in paper.

No answer tells whether the register knows somebody: whoever fills in the form gets a pass.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from allauth.core.ratelimit import consume
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.checkpoints import forms
from khien.checkpoints.movement import actions, communes, qr
from khien.checkpoints.movement.actions import PassGiven
from khien.checkpoints.rules import declared
from khien.checkpoints.rules.declaration import Declaration, form_on
from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, Fault
from khien.core.session import Session, begin
from khien.population.rules import partial_date
from khien.population.rules.card import parse_card

_SALT = "khien.declaration"
_PUBLIC = machine("movement-control", "declaration.write")


def declare(request: HttpRequest) -> HttpResponse:
    """The public page. Nothing of it is kept in the browser or in a session."""
    return _page(request, _PUBLIC, on_paper=False)


@permission_required("declaration.write")
def paper(request: HttpRequest) -> HttpResponse:
    """The same form for an officer who keys in what was declared on paper."""
    return _page(request, request.actor, on_paper=True)


def suggestions(request: HttpRequest) -> HttpResponse:
    """Options of communes for what is typed; units are public."""
    text = next(iter(request.GET.values()), "")[:100]
    with begin(machine("movement-control")) as session:
        found = communes.suggest(session, text)
    return render(request, "checkpoints/communes.html", {"labels": found})


def _page(request: HttpRequest, actor: Actor, *, on_paper: bool) -> HttpResponse:
    with begin(actor) as session:
        asked, today = form_on(session.today), session.today
    if request.method != "POST":
        form = forms.DeclarationForm(initial=forms.first(today), form=asked, on_paper=on_paper)
        return _form(request, form, on_paper)
    if "card" in request.POST:
        return _prefilled(request, forms.first(today), asked, on_paper)
    if "another" in request.POST:
        return _form(request, _another(request, forms.first(today), asked, on_paper), on_paper)
    form = forms.DeclarationForm(request.POST, form=asked, on_paper=on_paper)
    if not form.is_valid():
        return _form(request, form, on_paper, status=422)
    number = form.cleaned_data["number"]
    if not on_paper and not consume(request, action="declare", key=f"declare:{number}"):
        form.add_error(None, _("Too many declarations from here. Please try again later."))
        return _form(request, form, on_paper, status=429)
    given = _declare(form, actor, on_paper)
    if given is None:
        return _form(request, form, on_paper, status=422)
    return _passes(request, form, given, on_paper)


def _declare(form: forms.DeclarationForm, actor: Actor, on_paper: bool) -> PassGiven | None:
    """The pass; None where the form now says what is wrong."""
    told, answers = form.told(), form.answers()
    language = get_language() or "vi"
    try:
        who = declared.read(told)
        if who.malformed:
            for name in who.malformed:
                form.add_error(name, _("This cannot be right: a digit or letter is missing or too many."))
            return None
        with begin(actor) as session:
            units = _units(session, form, answers)
        data = form.cleaned_data
        party = data["party"] or uuid4()
        form.cleaned_data["party"] = party
        declaration = Declaration(data["client_id"], who, told["birth_date"], answers, *units, party)
        channel = "paper" if on_paper else data["for_whom"]
        given = actions.declare(by=actor, declarations=[declaration], channel=channel)[0]
    except BadInput as wrong:
        for fault in wrong.faults:
            name = f"q_{fault.field}" if f"q_{fault.field}" in form.fields else fault.field
            form.add_error(name if name in form.fields else None, fault.text(language))
        return None
    if given.text is None:
        form.add_error(None, _("This page was sent before with other answers. Please open it again."))
        return None
    return given


def _units(session: Session, form: forms.DeclarationForm, answers: dict[str, Any]) -> tuple[int | None, int | None]:
    """The communes of departure and arrival; all faults at once."""
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for asked in form.asked.fields:
        if asked.kind == "commune" and answers.get(asked.id):
            try:
                found[asked.id] = communes.find(session, str(answers[asked.id]), asked.id)
            except BadInput as wrong:
                faults += wrong.faults
    if faults:
        raise BadInput(faults[0].message, faults=tuple(faults), **faults[0].params)
    return found.get("from"), found.get("to")


def _prefilled(request: HttpRequest, initial: dict[str, Any], asked: Any, on_paper: bool) -> HttpResponse:
    """The form with what the card says. What is typed already is kept by the browser's own form, not sent here."""
    carried = {"party": request.POST.get("party") or None, "earlier": request.POST.get("earlier", "")}
    try:
        read = forms.from_card(parse_card(request.POST["card"]))
    except BadInput as wrong:
        form = forms.DeclarationForm(initial={**initial, **carried}, form=asked, on_paper=on_paper)
        fault = wrong.faults[0] if wrong.faults else wrong
        return _form(request, form, on_paper, status=422, card_error=fault.text(get_language() or "vi"))
    form = forms.DeclarationForm(initial={**initial, **carried, **read}, form=asked, on_paper=on_paper)
    return _form(request, form, on_paper, read=True)


def _another(request: HttpRequest, initial: dict[str, Any], asked: Any, on_paper: bool) -> forms.DeclarationForm:
    """A form for the next one of the family: the same journey, another person."""
    same = {f"q_{f.id}": request.POST.get(f"q_{f.id}", "") for f in asked.fields if f.section == "journey"}
    same.pop("q_travel_on", None)
    for key in ("q_phone", "q_permanent"):
        same[key] = request.POST.get(key, "")
    more = {"party": request.POST.get("party"), "earlier": request.POST.get("earlier", ""), "for_whom": "proxy"}
    return forms.DeclarationForm(initial={**initial, **same, **more}, form=asked, on_paper=on_paper)


def _form(
    request: HttpRequest, form: forms.DeclarationForm, on_paper: bool, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"form": form, "on_paper": on_paper, **more}
    return render(request, "checkpoints/declare.html", context, status=status)


def _passes(request: HttpRequest, form: forms.DeclarationForm, given: PassGiven, on_paper: bool) -> HttpResponse:
    """The passes of everybody declared together, each with its picture. Sending the page again shows the same."""
    data = form.cleaned_data
    born = partial_date.parse_iso(data["birth_date"].isoformat())
    by_another = data.get("for_whom") == "proxy"
    number = "".join(letter for letter in data["number"].upper() if letter.isalnum())
    personal = qr.personal_code(number, data["name"], born, by_another=by_another)
    assert given.expires_at is not None
    mine = {"text": given.text, "name": data["name"], "until": given.expires_at.isoformat(), "personal": personal}
    earlier = [p for p in _earlier(data["earlier"]) if p["text"] != given.text]
    together = [*earlier, mine]
    journey = {k: v for k, v in form.data.items() if k.startswith("q_")}
    shown = [
        {**p, "until": dt.datetime.fromisoformat(p["until"]), "picture": qr.picture_url(p["text"]),
         "personal_picture": qr.picture_url(p["personal"])}
        for p in together
    ]  # fmt: skip
    context = {
        "passes": shown, "party": data["party"], "earlier": signing.dumps(together, salt=_SALT), "journey": journey,
        "on_paper": on_paper,
    }  # fmt: skip
    return render(request, "checkpoints/passes.html", context)


def _earlier(text: str) -> list[dict[str, str]]:
    """The passes given before on this journey, as we signed them an hour ago at most."""
    try:
        found: list[dict[str, str]] = signing.loads(text, salt=_SALT, max_age=3600) if text else []
    except signing.BadSignature:
        return []
    return found[:20]
