"""The officer's page: choose the checkpoint, scan, read the answer, record with one key."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.checkpoints import forms
from khien.checkpoints.actions import check_identity
from khien.checkpoints.movement import actions, checking, store
from khien.checkpoints.rules import declared, passes, passing
from khien.checkpoints.rules.passages import PassageEntry
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_, translate
from khien.core.session import Session, begin
from khien.population.rules.card import parse_card

_SALT = "khien.barrier"
_HELD = 900  # seconds a check may wait for its passage
_DAY = dt.timedelta(hours=24)


@permission_required("identity.check", "passage.record")
def barrier(request: HttpRequest) -> HttpResponse:
    """The page itself; the answers come into it part by part."""
    with begin(request.actor) as session:
        found = store.checkpoints(session)
        chosen = _chosen(request, found)
        counts = _counts(session, chosen)
    context = {"checkpoints": found, "chosen": chosen, "counts": counts, "who": forms.WhoForm()}
    return render(request, "checkpoints/barrier.html", context)


@permission_required("identity.check", "passage.record")
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the checkpoint for this shift."""
    code = request.POST.get("checkpoint", "")
    with begin(request.actor) as session:
        request.session["checkpoint"] = store.checkpoint(session, code=code)["code"]
    return redirect("checkpoints:barrier")


@permission_required("identity.check", "passage.record")
def check(request: HttpRequest) -> HttpResponse:
    """The answer to a scanned card or pass, or to what was typed."""
    language = get_language() or "vi"
    who = forms.WhoForm(request.POST if "number" in request.POST else None)
    try:
        with begin(request.actor) as session:
            if who.is_bound:
                if not who.is_valid():
                    return _part(request, {"who": who, "typed": True}, 422)
                answer = _of_person(session, who.told(), None)
            else:
                answer = _of_text(session, request.POST.get("card", ""))
    except BadInput as wrong:
        fault = wrong.faults[0] if wrong.faults else wrong
        return _part(request, {"error": fault.text(language), "who": forms.WhoForm()}, 422)
    return _part(request, answer)


@permission_required("identity.check", "passage.record")
def record(request: HttpRequest) -> HttpResponse:
    """Record the passage of the check just made. Pressing twice records once."""
    language = get_language() or "vi"
    try:
        held = signing.loads(request.POST.get("held", ""), salt=_SALT, max_age=_HELD)
    except signing.BadSignature:
        return _part(request, {"error": _("The check is too long ago. Scan again."), "who": forms.WhoForm()}, 422)
    form = forms.PassageForm(request.POST)
    with begin(request.actor) as session:
        chosen = _chosen(request, store.checkpoints(session))
        now = session.now
    if chosen is None:
        raise NotFound
    try:
        if not form.is_valid():
            raise BadInput(N_("The number of companions must be from 0 to 200."))
        entry = _entry(held, form.cleaned_data, request.POST.get("direction", ""), now)
        outcome = actions.record_passage(by=request.actor, checkpoint_id=chosen["checkpoint_id"], entry=entry)
    except BadInput as wrong:
        fault = wrong.faults[0] if wrong.faults else wrong
        return _part(request, {"error": fault.text(language), "who": forms.WhoForm()}, 422)
    with begin(request.actor) as session:
        counts = _counts(session, chosen)
    context = {"recorded": outcome.result, "direction": entry.direction, "counts": counts, "name": held["name"]}
    return _part(request, context)


def _of_text(session: Session, text: str) -> dict[str, Any]:
    if passes.looks_like(text):
        state = checking.verify_pass(session, text)
        if state.state == "forged":
            return _shown(session, ("pass_forged",), None, None)
        try:
            facts = checking.facts_of_pass(session, state.pass_id)
        except NotFound:
            return _shown(
                session, ("pass_unknown",) if state.state == "unknown" else (f"pass_{state.state}",), None, None
            )
        told = {k: facts[k] for k in ("number", "name", "birth_date", "sex") if facts[k]}
        return _of_person(session, told, state, facts)
    card = parse_card(text)
    number = card.personal_number or card.old_number or card.provisional_id or card.passport
    if number is None or card.name is None or card.birth_date is None:
        message = N_("This says too little. Scan the card's QR or the pass, or type number, name and birth date below.")
        raise BadInput(message, faults=(Fault("card", message),))
    told = {"number": number, "name": card.name, "birth_date": str(card.birth_date)}
    if card.sex in ("male", "female"):
        told["sex"] = card.sex
    if card.kind in ("cccd_chip", "can_cuoc") and card.issued_on:
        told |= {"card_number": number, "card_issued_on": card.issued_on.isoformat()}
    return _of_person(session, told, None)


def _of_person(
    session: Session, told: dict[str, Any], state: checking.PassState | None, facts: dict[str, Any] | None = None
) -> dict[str, Any]:
    who = declared.read(told)
    answer = check_identity(by=session.actor, declared=who)
    codes = passing.codes_of(answer, state.state if state else None)
    held = {
        "client_id": str(uuid4()), "number": who.number, "name": who.name,
        "born": [d.isoformat() if d else None for d in (who.born_first, who.born_last)],
        "pass_id": str(state.pass_id) if state and state.state != "forged" else None,
    }  # fmt: skip
    shown = {
        "name": told["name"],
        "birth_date": "/".join(reversed(told["birth_date"].split("-"))),
        "number": told["number"],
    }
    return _shown(session, codes, held if who.number else None, shown, facts)


def _shown(
    session: Session, codes: tuple[str, ...], held: dict[str, Any] | None, person: dict[str, Any] | None,
    facts: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    language = get_language() or "vi"
    decided = passing.decide(codes, session.today)
    reasons = [passing.text_of(code, language) for code in decided.reasons]
    rest = [passing.text_of(code, language) for code in decided.codes if code not in decided.reasons]
    doses = next((c.removeprefix("doses_") for c in codes if c.startswith("doses_")), None)
    return {
        "tone": decided.tone,
        "word": translate(passing.WORDS[decided.tone], language),
        "reason": " ".join(reasons),
        "notes": rest,
        "doses": doses,
        "person": person,
        "facts": facts,
        "document": decided.document,
        "held": signing.dumps(held, salt=_SALT) if held else None,
        "plate": (facts or {}).get("plate") or "",
        "who": forms.WhoForm(),
    }


def _entry(held: dict[str, Any], data: dict[str, Any], direction: str, now: dt.datetime) -> PassageEntry:
    first, last = (dt.date.fromisoformat(d) if d else None for d in held["born"])
    return PassageEntry(
        UUID(held["client_id"]),
        now,
        direction,
        number=held["number"],
        name=held["name"],
        born_first=first,
        born_last=last,
        pass_id=UUID(held["pass_id"]) if held["pass_id"] else None,
        plate=data["plate"] or None,
        companions=data["companions"] or 0,
    )


def _chosen(request: HttpRequest, found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The checkpoint of this shift; the only one of the area needs no choice."""
    code = request.session.get("checkpoint")
    return next((c for c in found if c["code"] == code), found[0] if len(found) == 1 else None)


def _counts(session: Session, chosen: dict[str, Any] | None) -> dict[str, Any] | None:
    """Passages of this hour and of the last twenty-four."""
    if chosen is None:
        return None
    now = session.now
    hours = store.per_hour(session, chosen["checkpoint_id"], since=now - _DAY, until=now + dt.timedelta(minutes=10))
    this = now.replace(minute=0, second=0, microsecond=0)
    of_hour = next((h for h in hours if h["hour"] == this), {"came_in": 0, "went_out": 0})
    total = sum(h["came_in"] + h["went_out"] for h in hours)
    return {"came_in": of_hour["came_in"], "went_out": of_hour["went_out"], "day": total}


def _part(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The answer alone, or within a page where scripts are off."""
    whole = "HX-Request" not in request.headers
    context = {"part": "checkpoints/answer.html", **context}
    return render(request, "checkpoints/alone.html" if whole else "checkpoints/answer.html", context, status=status)
