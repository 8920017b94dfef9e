"""The auditor's pages: who did what on which day, as a list and a file, and whether the log is whole."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access import log_words, store
from khien.access.forms import LogForm
from khien.access.gate import permission_required
from khien.access.store import Asked
from khien.access.views import language, moment, named, spreadsheet
from khien.core.errors import NotFound
from khien.core.i18n import translate
from khien.core.session import begin

_PAGE, _MOST = 100, 50_000  # rows of a page, of a file


@permission_required("access.audit")
def log(request: HttpRequest) -> HttpResponse:
    """The log of some days, by action, purpose, account or person. Looking through it is logged."""
    before = moment(request.GET.get("before", ""))
    with begin(request.actor) as session:
        form = _form(request, store.log_day(session))
        found = store.log(session, _asked(form), limit=_PAGE + 1, before=before) if form.is_valid() else []
        heads = store.heads(session) if request.actor.may("access.verify") else None
    older = found[_PAGE - 1]["at"].isoformat() if len(found) > _PAGE else None
    shown: dict[str, Any] = {
        "form": form, "rows": named(found[:_PAGE]), "older": older, "heads": heads,
        "links": sum(h["seq"] for h in heads or ()),
    }  # fmt: skip
    return render(request, "access/log.html", shown, status=200 if form.is_valid() else 422)


@permission_required("access.audit")
def log_file(request: HttpRequest) -> HttpResponse:
    """The same as CSV, a line a call. Who is meant stands in it by number of record, never by name."""
    with begin(request.actor) as session:
        form = _form(request, store.log_day(session))
        if not form.is_valid():
            raise Http404
        found = named(store.log(session, _asked(form), limit=_MOST))
    head = ("at", "lane", "seq", "account", "agency", "action", "title", "purpose", "persons", "detail", "told")
    rows = (
        (r["at"].isoformat(), r["lane"], r["seq"], r["username"], r["agency"], r["action"], r["action_title"],
         r["purpose"], r["persons"], json.dumps(r["detail"], ensure_ascii=False), log_words.line(r))
        for r in found
    )  # fmt: skip
    return spreadsheet("access-log-{first}-{last}".format(**form.cleaned_data), head, rows)


@permission_required("access.audit")
@require_POST
def log_of_person(request: HttpRequest) -> HttpResponse:
    """Find the log of one person by a number, which travels in the body and not in the address."""
    try:
        with begin(request.actor) as session:
            person_id = store.person_of_number(session, request.POST.get("number", ""))
            session.log("access.log", [person_id])
    except NotFound as absent:
        messages.error(request, absent.text(language()))
        return redirect("access:log")
    return redirect(f"{reverse('access:log')}?person={person_id}")


@permission_required("access.audit", "access.verify")
@require_POST
def verify_log(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain now, and say what is wrong with it."""
    with begin(request.actor) as session:
        faults = store.verify(session)
        session.log("access.verify", faults=len(faults))
    if not faults:
        messages.success(request, _("The access log is whole."))
        return redirect("access:log")
    shown = [{**fault, "title": translate(store.LOG_FAULTS[fault["what"]], language())} for fault in faults[:500]]
    return render(request, "access/log_faults.html", {"faults": shown, "count": len(faults)}, status=200)


def _form(request: HttpRequest, day: Any) -> LogForm:
    given = request.GET.copy()
    for name in ("first", "last"):
        given.setdefault(name, day.isoformat())
    return LogForm(given)


def _asked(form: LogForm) -> Asked:
    data = form.cleaned_data
    return Asked(
        data["first"], data["last"], data["action"] or None, data["purpose"] or None, data["username"] or None,
        data["person"],
    )  # fmt: skip
