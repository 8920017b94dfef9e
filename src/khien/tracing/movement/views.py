"""Public pages on a phone: checking in at a place, keeping a symptom diary. They tell a stranger nothing: the answer is
the same whoever is named. And the pages of agencies for places and diary codes."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any
from uuid import uuid4

from allauth.core.ratelimit import consume
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access import store as accounts
from khien.access.gate import permission_required
from khien.checkpoints.movement import communes, qr
from khien.core.errors import BadInput, NotFound
from khien.core.session import begin
from khien.tracing.movement import diary, places, posters
from khien.tracing.movement.forms import AliasForm, DiaryForm, GuestForm, PlaceForm
from khien.tracing.movement.places import KINDS, Guest
from khien.tracing.rules import diary as asked

_REMEMBERED = "khien_guest"
_KEPT = dt.timedelta(days=90)


# Checking in ----------------------------------------------------------------------------------------------------------


def visit(request: HttpRequest, token: str) -> HttpResponse:
    """What a place's code opens: the guest's page, or the keeper's."""
    with begin(places.DOOR) as session:
        place, role = places.opened(session, token)
    page = {"guest": _guest, "keeper": _keeper}[role]
    return page(request, token, place)


def _guest(request: HttpRequest, token: str, place: dict[str, Any]) -> HttpResponse:
    known, own = _remembered(request), _own(request)
    form = GuestForm(initial={"message": uuid4()})
    if request.method != "POST":
        return _ask(request, place, form, known, own)
    leaving = request.POST.get("what") == "leave"
    if "forget" in request.POST:
        answer = redirect(request.path)
        answer.delete_cookie(_REMEMBERED)
        return answer
    guest = own if "own" in request.POST and own else known if "again" in request.POST else None
    if guest is None:
        form = GuestForm(request.POST)
        if not form.is_valid():
            return _ask(request, place, form, known, own, status=422)
        guest = form.guest
    if not consume(request, action="visit", key=f"visit:{guest.number}:{guest.own}"):
        form = GuestForm(initial={"message": uuid4()})
        return _ask(
            request,
            place,
            form,
            known,
            own,
            status=429,
            error=_("Too many check-ins from here. Please try again later."),
        )
    places.note(by=places.DOOR, code=token, guest=guest, role="guest", leaving=leaving)
    with begin(places.DOOR) as session:
        now = session.now
    answer = render(request, "tracing/noted.html", {"place": place, "leaving": leaving, "at": now})
    if form.is_bound and form.cleaned_data["remember"]:
        _remember(answer, guest)
    return answer


def _ask(
    request: HttpRequest, place: dict[str, Any], form: GuestForm, known: Guest | None, own: Guest | None, *,
    status: int = 200, error: str = "",
) -> HttpResponse:  # fmt: skip
    initial = known.name.split()[-1][0] if known and known.name else ""
    context = {"place": place, "form": form, "known": known, "initial": initial, "own": own, "error": error,
               "days": posters.retention()}  # fmt: skip
    return render(request, "tracing/visit.html", context, status=status)


def _keeper(request: HttpRequest, token: str, place: dict[str, Any]) -> HttpResponse:
    """The keeper scans guests one after the other; the page says that it was noted, and not of whom."""
    context: dict[str, Any] = {"place": place}
    status = 200
    if request.method == "POST":
        try:
            if not consume(request, action="keeper", key=f"keeper:{place['place_id']}"):
                context["error"], status = _("Too many check-ins from here. Please try again later."), 429
            else:
                guest = places.guest_of(request.POST.get("card", ""))
                leaving = request.POST.get("what") == "leave"
                places.note(by=places.DOOR, code=token, guest=guest, role="keeper", leaving=leaving)
                with begin(places.DOOR) as session:
                    context |= {"noted": session.now, "left": leaving}
        except BadInput as wrong:
            fault = wrong.faults[0] if wrong.faults else wrong
            context["error"], status = fault.text(get_language() or "vi"), 422
    return render(request, "tracing/keeper.html", context, status=status)


def find_place(request: HttpRequest) -> HttpResponse:
    """Scan or type the code on a poster, ours or another system's, and go to its page."""
    error = ""
    if request.method == "POST":
        try:
            if not consume(request, action="visit", key="find"):
                raise NotFound
            with begin(places.DOOR) as session:
                found, role = places.opened(session, request.POST.get("code", ""), "guest")
            return redirect(places.path_of(found["place_id"], role))
        except (BadInput, NotFound):
            error = _("No place is known under this code.")
    return render(request, "tracing/find_place.html", {"error": error}, status=422 if error else 200)


def _own(request: HttpRequest) -> Guest | None:
    """The citizen who is signed in and has their own record."""
    if not request.actor.may("person.own"):
        return None
    with begin(request.actor) as session:
        person = accounts.own_record(session)
    return Guest(own=person) if person is not None else None


def _box() -> Fernet:
    digest = hashlib.sha256(b"khien guest\n" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def _remember(answer: HttpResponse, guest: Guest) -> None:
    """Keep who somebody is on their own phone, readable by us alone."""
    days = [day.isoformat() if day else None for day in (guest.born_first, guest.born_last)]
    text = json.dumps([guest.number, guest.name, *days]).encode()
    answer.set_cookie(
        _REMEMBERED, _box().encrypt(text).decode(), max_age=_KEPT, httponly=True, samesite="Lax", path="/v/",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip


def _remembered(request: HttpRequest) -> Guest | None:
    try:
        text = _box().decrypt(request.COOKIES.get(_REMEMBERED, ""), ttl=int(_KEPT.total_seconds()))
    except InvalidToken:
        return None
    number, name, first, last = json.loads(text)
    born_first, born_last = (dt.date.fromisoformat(day) if day else None for day in (first, last))
    return Guest(number, "", name, born_first, born_last)


# Diaries --------------------------------------------------------------------------------------------------------------


def keep_diary(request: HttpRequest, code: str) -> HttpResponse:
    """A contact's diary, opened by its code. No name, nothing of earlier entries: a lost code tells nothing."""
    with begin(diary.DOOR) as session:
        found = diary.opened(session, code)
        today = session.today
    rule = asked.rule_on(today)
    form = DiaryForm(request.POST or None, asked=rule["symptoms"], initial={"client_id": uuid4()})
    context = {"form": form, "found": found, "day": (today - found["made_on"]).days + 1, "today": today}
    if request.method == "POST" and form.is_valid():
        if not consume(request, action="diary", key=f"diary:{hashlib.sha256(code.encode()).hexdigest()}"):
            form.add_error(None, _("Too many entries from here. Please try again later."))
            return render(request, "tracing/diary.html", context, status=429)
        alarming = diary.write(by=diary.DOOR, code=code, **form.cleaned_data)
        return render(request, "tracing/diary_noted.html", {**context, "alarming": alarming})
    return render(request, "tracing/diary.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@permission_required("contact.work")
def diary_code(request: HttpRequest, person_id: int) -> HttpResponse:
    """A sheet for a contact: the code of their diary, to print or to show."""
    code, ends_on, name = diary.make_code(by=request.actor, person_id=person_id)
    address = request.build_absolute_uri(f"/diary/{code}/")
    context = {"name": name, "ends_on": ends_on, "address": address, "picture": qr.picture_url(address)}
    return render(request, "tracing/diary_code.html", context)


@require_POST
@permission_required("contact.work")
def diary_answered(request: HttpRequest, person_id: int) -> HttpResponse:
    diary.answered(by=request.actor, person_id=person_id)
    messages.success(request, _("Noted that you called."))
    return redirect("tracing:work")


# Places ---------------------------------------------------------------------------------------------------------------


@permission_required("place.manage")
def list_places(request: HttpRequest) -> HttpResponse:
    """Places of the area with their codes."""
    text, page = _asked(request)
    with begin(request.actor) as session:
        rows, total = places.places(session, text, page=page)
    context = {"rows": rows, "total": total, "q": text, "kinds": KINDS,
               "page": Paginator(range(total), places.PAGE).get_page(page)}  # fmt: skip
    return render(request, "tracing/places.html", context)


def _asked(request: HttpRequest) -> tuple[str, int]:
    """What the list of places is asked for: a part of the name, and the page."""
    text, asked_page = request.GET.get("q", "")[:100], request.GET.get("page", "1")
    return text, max(1, int(asked_page)) if asked_page.isdecimal() and len(asked_page) < 6 else 1


@permission_required("place.manage")
def posters_pdf(request: HttpRequest) -> HttpResponse:
    """The posters of the places on a page of the list, those that are open, in one PDF."""
    text, page = _asked(request)
    with begin(request.actor) as session:
        rows, _total = places.places(session, text, page=page)
        still_open = [row for row in rows if row["closed_at"] is None]
        made = posters.sheets(session, still_open, host=request.build_absolute_uri("/"))
    return _pdf(made, "posters")


@permission_required("place.manage")
def new_place(request: HttpRequest) -> HttpResponse:
    form = PlaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        try:
            with begin(request.actor) as session:
                unit = communes.find(session, data.pop("commune"), "commune")
            made = places.add_place(by=request.actor, unit_id=unit, **data)
            messages.success(request, _("The place is registered. Print its poster."))
            return redirect("tracing:place", place_id=made)
        except BadInput as wrong:
            form.add_error("commune", wrong.text(get_language() or "vi"))
        except NotFound:
            form.add_error("commune", _("This commune is not in your area."))
    status = 422 if request.method == "POST" else 200
    return render(
        request, "tracing/new_place.html", {"form": form, "breadcrumbs": _way(_("Register a place"))}, status=status
    )


@permission_required("place.manage")
def show_place(request: HttpRequest, place_id: int) -> HttpResponse:
    """One place: its posters, other systems' codes, closing it."""
    form = AliasForm(request.POST if "code" in request.POST else None)
    if request.method == "POST":
        if "close" in request.POST:
            places.close_place(by=request.actor, place_id=place_id)
            messages.success(request, _("The place is closed: its codes take nothing any more."))
            return redirect("tracing:place", place_id=place_id)
        if form.is_valid():
            try:
                places.add_alias(by=request.actor, place_id=place_id, text=form.cleaned_data["code"])
                messages.success(request, _("The place is known under this code now."))
                return redirect("tracing:place", place_id=place_id)
            except BadInput as wrong:
                form.add_error("code", wrong.text(get_language() or "vi"))
    with begin(request.actor) as session:
        found = places.place(session, place_id)
    context = {"place": found, "form": form, "kind": KINDS.get(found["kind"], ""), "breadcrumbs": _way(found["name"])}
    return render(request, "tracing/place.html", context, status=422 if form.errors else 200)


@permission_required("place.manage")
def poster(request: HttpRequest, place_id: int, role: str) -> HttpResponse:
    """A page to print: the code for the wall, or the keeper's own."""
    if role not in ("guest", "keeper"):
        raise NotFound
    with begin(request.actor) as session:
        found = places.place(session, place_id)
    address = request.build_absolute_uri(places.path_of(place_id, role))
    context = {"place": found, "role": role, "picture": qr.picture_url(address), "breadcrumbs": _way(found["name"])}
    return render(request, "tracing/poster.html", context)


@permission_required("place.manage")
def poster_pdf(request: HttpRequest, place_id: int, role: str) -> HttpResponse:
    """The same as a PDF, an A4 sheet."""
    if role not in ("guest", "keeper"):
        raise NotFound
    with begin(request.actor) as session:
        found = places.place(session, place_id)
        made = posters.sheets(session, [found], host=request.build_absolute_uri("/"), role=role)
    return _pdf(made, f"poster-{place_id}-{role}")


def _pdf(sheets: str, name: str) -> HttpResponse:
    answer = HttpResponse(posters.typeset(sheets)[0], content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return answer


def _way(here: str) -> list[tuple[str, str]]:
    return [(_("Places and codes"), "/places/"), (here, "")]
