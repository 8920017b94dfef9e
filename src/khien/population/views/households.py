"""The page of a household: to another one, an own one, another head. Sending a form twice enters it once."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import begin
from khien.population import actions, store
from khien.population.forms import JoinForm, RelationsForm, SplitForm
from khien.population.rules.household import Relation, under_new_head
from khien.territory import store as territory


@permission_required("household.write")
def household(request: HttpRequest, person_id: int) -> HttpResponse:
    """Who belongs together, and the three events: join, split, head."""
    with begin(request.actor) as session:
        person = store.person(session, person_id)
        today = session.today
        unit_id = person["household"]["unit_id"] if person["household"] else person["home_unit"]
        code = territory.unit(session, unit_id, today)["code"]
    forms = _forms(request, person, {"on": today, "commune": code})
    chosen = request.POST.get("event", "")
    form = forms.get(chosen)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            _ENTER[chosen](request, person, form)
        except (BadInput, NotFound) as fault:
            form.add_error(None, fault.text(get_language() or "vi"))
        else:
            messages.success(request, _("The household was changed."))
            return redirect("population:person", person_id=person_id)
    shown = {"person": person, "forms": forms, "form": form, "chosen": chosen, "head": _head_of(request)}
    return render(request, "population/household.html", shown, status=422 if request.method == "POST" else 200)


def _head_of(request: HttpRequest) -> str:
    """Who is to be the head: a number of a record, or nothing."""
    return request.GET.get("head") or request.POST.get("head") or ""


def _forms(request: HttpRequest, person: dict[str, Any], first: dict[str, Any]) -> dict[str, Form]:
    """The forms that this household allows, each under its event's name and with its own number of message."""
    members = person["household"]["members"] if person["household"] else [{**person, "relation": "head"}]
    relations = {m["person_id"]: cast(Relation, m["relation"]) for m in members}
    sent, event = request.POST or None, request.POST.get("event", "")

    def start(name: str) -> dict[str, Any]:
        return {"data": sent if event == name else None, "auto_id": f"{name}_%s",
                "initial": {**first, "client_id": uuid4()}}  # fmt: skip

    found: dict[str, Form] = {"join": JoinForm(**start("join"))}
    found["split"] = SplitForm(
        **start("split"), members=members, proposed={person["person_id"]: "head"}, may_stay=True
    )  # fmt: skip
    head = _head_of(request)
    if len(members) > 1 and head.isdecimal() and int(head) in relations:
        proposed = under_new_head(relations, int(head))
        found["head"] = RelationsForm(**start("head"), members=members, proposed=proposed, may_stay=False)
    return found


def _join(request: HttpRequest, person: dict[str, Any], form: Any) -> None:
    data = form.cleaned_data
    with begin(request.actor) as session:
        other = store.person_id_of(session, data["number"])
        goal = store.household_of(session, other)
    if goal is None:
        raise NotFound(_("That person belongs to no household."))
    actions.join_household(
        by=request.actor, person_id=person["person_id"], household_id=goal["household_id"], relation=data["relation"],
        on=data["on"], client_id=data["client_id"],
    )  # fmt: skip


def _split(request: HttpRequest, person: dict[str, Any], form: Any) -> None:
    data = form.cleaned_data
    with begin(request.actor) as session:
        unit_id = int(territory.find(session, data["commune"], data["on"])["unit_id"])
    actions.split_household(
        by=request.actor, members=form.relations(), unit_id=unit_id, address=data["address"], on=data["on"],
        client_id=data["client_id"],
    )  # fmt: skip


def _head(request: HttpRequest, person: dict[str, Any], form: Any) -> None:
    data = form.cleaned_data
    actions.change_head(
        by=request.actor, household_id=person["household"]["household_id"], relations=form.relations(), on=data["on"],
        client_id=data["client_id"],
    )  # fmt: skip


_ENTER = {"join": _join, "split": _split, "head": _head}
