"""The administrator's pages of agencies: found, made, renamed, moved, closed and opened again."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access import actions, store
from khien.access.forms import AgencyForm, ChangeAgencyForm, LastDayForm, SoughtAgencyForm, take
from khien.access.gate import permission_required
from khien.access.models import Agency
from khien.access.roles import roles
from khien.access.rules import mark
from khien.access.views import filed, language, listed
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session, begin
from khien.territory import store as territory


@permission_required("account.manage")
def agencies(request: HttpRequest) -> HttpResponse:
    """Agencies of the administrator's area, by name, state, kind and area."""
    return listed(request, "access/agencies.html", _asked)


@permission_required("account.manage")
def agencies_file(request: HttpRequest) -> HttpResponse:
    """The same as CSV, a line an agency."""
    head = ("code", "name", "kind", "unit_id", "unit", "last_day", "posts")
    told = ("code", "name", "kind", "unit_id", "unit", "valid_until", "posts")
    return filed(request, "agencies", head, _asked, itemgetter(*told))


@permission_required("account.manage")
def new_agency(request: HttpRequest) -> HttpResponse:
    form = AgencyForm(request.POST or None)
    given = None
    if request.method == "POST" and form.is_valid():
        with begin(request.actor) as session:
            given = form.values(session)
    if given is not None:
        try:
            made = actions.add_agency(by=request.actor, **given)
        except BadInput as wrong:
            take(form, wrong)
        else:
            messages.success(request, _("The agency is made."))
            return redirect("access:one_agency", made)
    return render(request, "access/new_agency.html", {"form": form}, status=422 if form.errors else 200)


@permission_required("account.manage")
def one_agency(request: HttpRequest, agency_id: int) -> HttpResponse:
    """One agency: who serves in it, and what can be changed."""
    return _agency(request, agency_id)


@permission_required("account.manage")
@require_POST
def change_agency(request: HttpRequest, agency_id: int) -> HttpResponse:
    form = ChangeAgencyForm(request.POST)
    with begin(request.actor) as session:
        store.agency(session, agency_id)
        given = form.values(session) if form.is_valid() else None
    if given is not None:
        try:
            actions.change_agency(by=request.actor, agency_id=agency_id, **given)
        except BadInput as wrong:
            take(form, wrong)
        else:
            messages.success(request, _("The agency is changed."))
            return redirect("access:one_agency", agency_id)
    return _agency(request, agency_id, form)


@permission_required("account.manage")
@require_POST
def take_back(request: HttpRequest, agency_id: int) -> HttpResponse:
    """Take the last change back, the one that the page showed."""
    to = request.POST.get("to", "")
    return _done(request, agency_id, _("The last change is taken back."), actions.take_back_agency, to=to)


@permission_required("account.manage")
@require_POST
def close_agency(request: HttpRequest, agency_id: int) -> HttpResponse:
    closing = LastDayForm(request.POST)
    if closing.is_valid():
        try:
            actions.close_agency(by=request.actor, agency_id=agency_id, **closing.cleaned_data)
        except BadInput as wrong:
            take(closing, wrong)
        else:
            messages.success(request, _("The last day of the agency is set."))
            return redirect("access:one_agency", agency_id)
    return _agency(request, agency_id, closing=closing)


@permission_required("account.manage")
@require_POST
def reopen_agency(request: HttpRequest, agency_id: int) -> HttpResponse:
    return _done(request, agency_id, _("The agency works again."), actions.reopen_agency)


def _done(request: HttpRequest, agency_id: int, said: str, action: Any, **more: Any) -> HttpResponse:
    try:
        action(by=request.actor, agency_id=agency_id, **more)
    except BadInput as wrong:
        messages.error(request, wrong.text(language()))
    else:
        messages.success(request, said)
    return redirect("access:one_agency", agency_id)


def _agency(
    request: HttpRequest, agency_id: int, form: ChangeAgencyForm | None = None, closing: LastDayForm | None = None
) -> HttpResponse:
    with begin(request.actor) as session:
        agency, today = store.agency(session, agency_id), session.today
        named = agency["unit_code"] or ""
        if agency["unit_id"] is not None and not _is_called(session, named, agency["unit_id"]):
            named = str(agency["unit_id"])  # a unit of other days, whose code names another one today
    known = roles(today)
    for post in agency["served"]:
        post["title"] = known[post["role"]].title.text(language()) if post["role"] in known else post["role"]
    first = {name: agency[name] for name in ("name", "kind")}
    first |= {"unit": named} if agency["unit_id"] is not None else {"nation": True}
    form = form or ChangeAgencyForm(initial=first)
    closing = closing or LastDayForm()
    if agency["unit"]:
        form.fields["unit"].help_text = _("{unit} now. A commune, district or province, by code or name.").format(
            unit=agency["unit"]
        )
    before = agency["previous"] and agency["previous"] | {
        "kind": Agency.Kind(agency["previous"]["kind"]).label, "unit": agency["previous_unit"],
        "mark": mark(agency["previous"]),
    }  # fmt: skip
    shown = {
        "agency": agency, "kind": Agency.Kind(agency["kind"]).label,
        "hidden": agency["posts"] - len(agency["served"]), "form": form, "before": before, "closing": closing,
    }  # fmt: skip
    return render(request, "access/one_agency.html", shown, status=422 if form.errors or closing.errors else 200)


def _is_called(session: Session, code: str, unit_id: int) -> bool:
    try:
        return bool(territory.find(session, code, session.today)["unit_id"] == unit_id)
    except NotFound:
        return False


def _asked(request: HttpRequest, session: Session, **part: int) -> tuple[SoughtAgencyForm, list[dict[str, Any]]]:
    form = SoughtAgencyForm(request.GET)
    sought = form.sought(session)
    rows = store.agencies(session, sought, **part) if sought else []
    for row in rows:
        row["kind_title"] = Agency.Kind(row["kind"]).label
    return form, rows
