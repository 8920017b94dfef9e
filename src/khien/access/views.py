"""Pages of access: the own account, taking up another post, who looked at a record."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable
from typing import Any

from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from khien.access import log_words, store
from khien.access.actor import actor_for
from khien.access.gate import account_required, permission_required
from khien.access.middleware import has_second_factor
from khien.access.roles import purposes
from khien.core.errors import NotAllowed
from khien.core.session import begin
from khien.core.spreadsheet import plain

_PAGE = 100
_PAGE_ROWS, FILE_ROWS = 50, 50_000  # of a list, of its file


@account_required
def account(request: HttpRequest) -> HttpResponse:
    """Who I am, what I may serve as, what I did lately."""
    deeds, day = [], None
    if request.actor.purpose:
        with begin(request.actor) as session:
            deeds, day = store.own_deeds(session), session.today
    posts = [
        {"post": p, "title": p.role.title.text(language()), "purposes": _purposes(p.purposes, day)}
        for p in request.posts
    ]
    shown = {
        "posts": posts,
        "deeds": named(deeds),
        "second_factor": has_second_factor(request.user),
        "needs_second_factor": request.needs_second_factor,
    }
    return render(request, "access/account.html", shown)


@require_POST
@account_required
def take_up_post(request: HttpRequest) -> HttpResponse:
    """Serve as another of one's posts, or for another purpose, until sign-out."""
    chosen, _, purpose = request.POST.get("post", "").partition(":")
    if not chosen.isdecimal():
        raise Http404
    try:
        actor_for(request.user.pk, request.user.name, request.posts, int(chosen), purpose)
    except NotAllowed:
        raise Http404 from None
    request.session["assignment"], request.session["purpose"] = int(chosen), purpose
    return redirect("home")


@account_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """This post needs a second factor that is not set up yet: say so, and where."""
    return render(request, "access/second_factor.html")


def ask_administrator(request: HttpRequest) -> HttpResponse:
    """Where others would sign up, change an address or reset a password: who does that here."""
    return render(request, "access/ask_administrator.html")


ask_administrator.permissions = ()  # type: ignore[attr-defined]  # open to everybody: nothing about anybody stands on it


@permission_required("person.own")
def own_record(request: HttpRequest) -> HttpResponse:
    """A citizen's way to their own record; until an agency has opened it to the account, who does that."""
    with begin(request.actor) as session:
        person_id = store.own_record(session)
    if person_id is None:
        return render(request, "access/no_record.html")
    return redirect("population:person", person_id=person_id)


@permission_required("access.read")
def looks_at_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Who looked at or changed one record; for the person themselves and for those who may see the record."""
    before = moment(request.GET.get("before", ""))
    with begin(request.actor) as session:
        found = store.looks_at_person(session, person_id, limit=_PAGE + 1, before=before)
        session.log("access.read", [person_id])
    older = found[_PAGE - 1]["at"].isoformat() if len(found) > _PAGE else None
    return render(request, "access/looks.html", {"looks": named(found[:_PAGE]), "older": older, "person_id": person_id})


def moment(text: str) -> dt.datetime | None:
    """The instant in an address, which has a time zone; None for none. Raises Http404 for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        raise Http404 from None
    if text and (found is None or found.tzinfo is None):
        raise Http404
    return found


def page_number(request: HttpRequest) -> int:
    """The page of a list that is asked for; the first one for anything that is no number."""
    return max(1, int(page)) if (page := request.GET.get("page", "1")).isdecimal() and len(page) < 6 else 1


# Answers a request: the form that asks for a list, and the rows from `offset` on, `limit` of them at most.
Asked = Callable[..., tuple[Form, list[dict[str, Any]]]]


def listed(request: HttpRequest, template: str, asked: Asked) -> HttpResponse:
    """A page of a list with the form that asks for it; each of its rows tells the `total` of all."""
    number = page_number(request)
    with begin(request.actor) as session:
        form, rows = asked(request, session, limit=_PAGE_ROWS, offset=(number - 1) * _PAGE_ROWS)
    total = rows[0]["total"] if rows else 0
    page = Paginator(range(total), _PAGE_ROWS).get_page(number)
    shown = {"form": form, "rows": rows, "total": total, "page": page}
    return render(request, template, shown, status=422 if form.errors else 200)


def filed(
    request: HttpRequest,
    name: str,
    head: tuple[str, ...],
    asked: Asked,
    cells: Callable[[dict[str, Any]], Iterable[Any]],
) -> HttpResponse:
    """The same list as CSV."""
    with begin(request.actor) as session:
        form, rows = asked(request, session, limit=FILE_ROWS, offset=0)
        day = session.today
    if form.errors:
        raise Http404
    return spreadsheet(f"{name}-{day}", head, map(cells, rows))


def spreadsheet(name: str, head: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> HttpResponse:
    """A CSV file that spreadsheets open as it is meant: with the mark of UTF-8, and no cell taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    response = HttpResponse(out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def language() -> str:
    """The reader's, as the rulebook names it."""
    return "vi" if (get_language() or "vi").startswith("vi") else "en"


def named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of the log in the reader's words."""
    return log_words.named(rows, language())


def _purposes(ids: tuple[str, ...], day: dt.date | None) -> list[tuple[str, str]]:
    known = purposes(day or dt.date.max)
    return [(i, known[i].title.text(language()) if i in known else i) for i in ids]
