"""Scan a card, search, one person. Identifiers travel in request bodies, never in addresses."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access import actions as access
from khien.access.gate import permission_required
from khien.core.actor import Actor
from khien.core.errors import BadInput, NotFound
from khien.core.session import begin
from khien.population import actions, store
from khien.population.forms import SearchForm
from khien.population.rules.card import parse_card
from khien.population.rules.card_reading import CardReading


@permission_required("person.open")
def scan(request: HttpRequest) -> HttpResponse:
    """Read a card and go to its owner's page. Nothing tells whether a number that does not open exists."""
    text = request.POST.get("card", "")
    error = ""
    if request.method == "POST":
        try:
            return redirect("population:person", person_id=_open(request.actor, parse_card(text)))
        except BadInput as fault:
            error = fault.faults[0].text(get_language() or "vi") if fault.faults else fault.text(get_language() or "vi")
        except NotFound:
            error = _("No such person can be opened here. Check the card, or search by name.")
    return render(request, "population/scan.html", {"error": error}, status=422 if error else 200)


def _open(actor: Actor, card: CardReading) -> int:
    """The person a card belongs to: in the actor's area by its number, elsewhere by number and what else it says."""
    number = card.personal_number or card.old_number or card.provisional_id or card.insurance_number or card.passport
    if number is None:
        raise NotFound
    with begin(actor) as session:
        found = store.find_by_identifier(session, number)
    if found is not None:
        return int(found)
    born = card.birth_date.full if card.birth_date is not None else None
    if card.name is None and born is None:
        raise NotFound
    return access.open_by_card(by=actor, number=number, name=card.name, birth_date=born)


@permission_required("person.search")
def search(request: HttpRequest) -> HttpResponse:
    """People by name, sorted as Vietnamese names are: by given name. Names are sent in the body, not in the address."""
    form = SearchForm(request.POST or None)
    found = None
    if request.method == "POST" and form.is_valid():
        with begin(request.actor) as session:
            found = store.search(session, form.cleaned_data["name"], birth_year=form.cleaned_data["birth_year"])
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "population/search.html", {"form": form, "found": found}, status=status)


@permission_required("person.read")
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person: identity, household, residence. Reading it is logged."""
    with begin(request.actor) as session:
        record = store.person(session, person_id)
        changes = store.changes(session, person_id) if request.actor.may("residence.write") else []
    return render(request, "population/person.html", {"person": record, "changes": changes})


@permission_required("person.read")
@require_POST
def undo(request: HttpRequest, person_id: int, subject: str, change_id: UUID) -> HttpResponse:
    """Take back the last event on somebody's residence or household."""
    if subject not in _UNDO:
        raise Http404
    try:
        _UNDO[subject](by=request.actor, change_id=change_id)
    except BadInput as fault:
        messages.error(request, fault.text(get_language() or "vi"))
    else:
        messages.success(request, _("It was taken back. What was entered stays readable."))
    return redirect("population:person", person_id=person_id)


_UNDO = {"residence": actions.undo_residence, "household": actions.undo_household}
