"""Pages of campaigns and sessions: boards, call lists, what is in the fridge."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien import rulebook
from khien.access.gate import permission_required
from khien.core.errors import BadInput
from khien.core.session import Session, begin
from khien.territory import store as territory
from khien.vaccination import actions, due, programmes, sending, sheets, store
from khien.vaccination.forms import AllocationForm, CampaignForm, CloseForm, SessionForm
from khien.vaccination.store import campaign, desk, stock
from khien.vaccination.views.asking import ask, done, language, told
from khien.vaccination.views.sheet import sheet_response


def _groups() -> list[tuple[str, str]]:
    tongue = language()
    found = [(name, programmes.find(name)) for name in programmes.shipped()]
    return [
        (f"{name}|{group.name}", f"{one.title.get(tongue, name)}: {rulebook.named(group.name, tongue)}")
        for name, one in found
        for group in one.groups
    ]


@permission_required("campaign.read")
def campaigns(request: HttpRequest) -> HttpResponse:
    """Campaigns of the area; who may, begins one."""
    with begin(request.actor) as session:
        today = session.today
        rows = campaign.campaigns(session)
    first = {"client_id": uuid4(), "starts_on": today, "ends_on": today + dt.timedelta(days=90)}
    form = CampaignForm(request.POST or None, initial=first, groups=_groups())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        programme, _bar, group = data["group"].partition("|")
        try:
            with begin(request.actor) as session:
                unit_id = territory.top_of_area(session, session.today)
                made = actions.open_campaign(
                    by=request.actor, client_id=data["client_id"], name=data["name"], programme=programme,
                    vaccine_group=group, unit_id=unit_id, starts_on=data["starts_on"], ends_on=data["ends_on"],
                    document=data["document"],
                )  # fmt: skip
        except BadInput as refusal:
            form.add_error(None, told(refusal))
        else:
            return redirect("vaccination:campaign", campaign_id=made)
    status = 422 if request.method == "POST" else 200
    return render(request, "vaccination/campaigns.html", {"campaigns": rows, "form": form}, status=status)


@permission_required("campaign.read")
def board(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Due, called, given, refused and in the fridge, commune by commune; the sessions; a new session."""
    with begin(request.actor) as session:
        shown = campaign.board(session, campaign_id)
        shown["allocations"] = campaign.allocations(session, campaign_id)
        choices = _choices(session, shown["campaign"])
        today = session.today
    form = SessionForm(request.POST or None, initial={"client_id": uuid4(), "day": today, "places": 100}, **choices)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        product, _bar, lot = data["vaccine"].partition("|")
        try:
            made = actions.open_session(
                by=request.actor, client_id=data["client_id"], campaign_id=campaign_id, site=data["site"],
                day=data["day"], product=product, lot_number=lot, places=data["places"], kind=data["kind"],
            )  # fmt: skip
        except BadInput as refusal:
            form.add_error(None, told(refusal))
        else:
            return redirect("vaccination:session", session_id=made)
    keys = ("due", "called", "given", "refused", "stock")
    shown["totals"] = {key: sum(row[key] for row in shown["units"]) for key in keys}
    status = 422 if request.method == "POST" else 200
    return render(request, "vaccination/campaign.html", {**shown, "form": form}, status=status)


@permission_required("campaign.read")
def board_file(request: HttpRequest, campaign_id: int, kind: str) -> HttpResponse:
    with begin(request.actor) as session:
        shown = campaign.board(session, campaign_id)
    head = [_("Unit"), _("Due"), _("Called"), _("Given"), _("Refused"), _("Doses in stock")]
    rows = [[r["name"], r["due"], r["called"], r["given"], r["refused"], r["stock"]] for r in shown["units"]]
    return sheet_response(f"campaign-{campaign_id}", kind, [head, *rows])


@permission_required("campaign.read")
def due_people(request: HttpRequest, campaign_id: int, unit_id: int) -> HttpResponse:
    """Household by household: who has had no dose yet (the list of the team at the door), whom a mobile team visits, or
    everybody who is due. Printable; CSV and XLSX."""
    who = request.GET.get("who", "first")
    with begin(request.actor) as session:
        one = campaign.campaign(session, campaign_id)
        unit = territory.unit(session, unit_id)
        rows = campaign.door_to_door(session, campaign_id, unit_id, first_only=who == "first", at_home=who == "home")
    kind = request.GET.get("file", "")
    if kind:
        head = [_("Address"), _("Name"), _("Birth date"), _("Phone"), _("Dose")]
        body = [[r["address"], r["name"], f"{r['birth_date']:%d/%m/%Y}", r["phone"], r["dose_number"]] for r in rows]
        return sheet_response(f"due-{unit_id}", kind, [head, *body])
    homes = {r["household_id"] or -r["person_id"] for r in rows}
    shown = {"campaign": one, "unit": unit, "rows": rows, "households": len(homes), "who": who}
    return render(request, "vaccination/due_people.html", shown)


@permission_required("campaign.manage")
def allocate(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Promise doses to a unit or a site; what is below a unit comes out of what it was given."""
    with begin(request.actor) as session:
        one = campaign.campaign(session, campaign_id)
        form = AllocationForm(
            request.POST or None, initial={"client_id": uuid4()}, products=_products(session, one),
            units=campaign.units_to_allocate(session, one), sites=store.sites(session),
        )  # fmt: skip

    def work(data: dict[str, Any]) -> None:
        what, _bar, value = data["place"].partition("|")
        actions.allocate(
            by=request.actor, client_id=data["client_id"], campaign_id=campaign_id, product=data["product"],
            doses=data["doses"], document=data["document"], unit_id=int(value) if what == "unit" else None,
            site=value if what == "site" else None,
        )  # fmt: skip

    if done(request, form, work):
        messages.success(request, _("The doses were allocated."))
        return redirect("vaccination:campaign", campaign_id=campaign_id)
    return ask(
        request, form, title=_("Allocate doses"), button=_("Allocate"), caption=one["name"],
        back=reverse("vaccination:campaign", args=[campaign_id]),
    )  # fmt: skip


@permission_required("campaign.read")
def sessions(request: HttpRequest) -> HttpResponse:
    """Today's sessions first: the way to the desk."""
    with begin(request.actor) as session:
        today = session.today
        rows = campaign.sessions(session, today - dt.timedelta(days=7), today + dt.timedelta(days=14))
        counted = desk.figures(session, [row["session_id"] for row in rows])
    for row in rows:
        row["figures"] = counted[row["session_id"]]
    now, others = [r for r in rows if r["day"] == today], [r for r in rows if r["day"] != today]
    return render(request, "vaccination/sessions.html", {"now": now, "others": others, "today": today})


@permission_required("campaign.read")
def session_board(request: HttpRequest, session_id: int) -> HttpResponse:
    """One session: figures, call list, its lot, its end and whether the doses add up."""
    return _board(request, session_id)


def _board(request: HttpRequest, session_id: int, close_form: CloseForm | None = None) -> HttpResponse:
    """The page, with the form that ends the session as it was sent, where that was wrong."""
    with begin(request.actor) as session:
        one = campaign.vaccination_session(session, session_id)
        shown: dict[str, Any] = {
            "one": one,
            "today": session.today,
            "figures": desk.figures(session, [session_id])[session_id],
            "calls": campaign.call_list(session, session_id),
            "lots": [r for r in store.usable_lots(session, session.today) if r["product"] == one["product"]],
            "reconciled": desk.reconcile(session, session_id),
            "vials": stock.open_vials(session, one["site"]) if request.actor.may("stock.read") else [],
            "message": uuid4(),
        }
    form = close_form or CloseForm(initial={"client_id": uuid4(), "used": shown["figures"]["given"]})
    status = 422 if close_form else 200
    return render(request, "vaccination/session.html", {**shown, "close_form": form}, status=status)


@permission_required("campaign.read")
def session_file(request: HttpRequest, session_id: int, kind: str) -> HttpResponse:
    with begin(request.actor) as session:
        rows = campaign.call_list(session, session_id)
    head = [_("Priority group"), _("Address"), _("Name"), _("Birth date"), _("Phone"), _("Dose"), _("State")]
    body = sheets.call_list(rows)
    return sheet_response(f"session-{session_id}", kind, [head, *body])


@permission_required("campaign.manage")
@require_POST
def call(request: HttpRequest, session_id: int) -> HttpResponse:
    try:
        called = actions.call_people(by=request.actor, session_id=session_id)
        messages.success(request, _("%(people)s people were called.") % {"people": called})
    except BadInput as refusal:
        messages.error(request, told(refusal))
    return redirect("vaccination:session", session_id=session_id)


@permission_required("campaign.manage")
@require_POST
def invite(request: HttpRequest, session_id: int) -> HttpResponse:
    done = actions.send_invitations(by=request.actor, session_id=session_id, through=sending.sender())
    messages.success(request, _("Invitations sent: %(sent)s, failed: %(failed)s.") % done)
    return redirect("vaccination:session", session_id=session_id)


@permission_required("desk.work")
@require_POST
def note(request: HttpRequest, session_id: int, person_id: int) -> HttpResponse:
    """What came of calling somebody."""
    try:
        actions.note_call(
            by=request.actor, session_id=session_id, person_id=person_id, state=request.POST.get("state", ""),
            reason=request.POST.get("reason", ""),
        )  # fmt: skip
    except BadInput as refusal:
        messages.error(request, told(refusal))
    return redirect("vaccination:session", session_id=session_id)


@permission_required("desk.work")
@require_POST
def lot(request: HttpRequest, session_id: int) -> HttpResponse:
    try:
        actions.choose_lot(by=request.actor, session_id=session_id, lot_number=request.POST.get("lot", ""))
    except BadInput as refusal:
        messages.error(request, told(refusal))
    return redirect("vaccination:session", session_id=session_id)


@permission_required("desk.work", "dose.record")
@require_POST
def vial(request: HttpRequest, session_id: int) -> HttpResponse:
    """A vial of the session's lot was opened; its life begins."""
    with begin(request.actor) as session:
        one = campaign.vaccination_session(session, session_id)
    try:
        actions.open_vial(
            by=request.actor, client_id=UUID(request.POST.get("client_id", "")), product=one["product"],
            lot_number=one["lot_number"] or "", site=one["site"], session_id=session_id,
        )  # fmt: skip
    except ValueError:
        messages.error(request, _("Send the page again."))
    except BadInput as refusal:
        messages.error(request, told(refusal))
    return redirect("vaccination:session", session_id=session_id)


@permission_required("desk.work", "stock.move", "campaign.read")  # what was wrong comes back on the session's page
@require_POST
def close(request: HttpRequest, session_id: int) -> HttpResponse:
    form = CloseForm(request.POST)
    if form.is_valid():
        try:
            actions.close_session(by=request.actor, session_id=session_id, **form.cleaned_data)
        except BadInput as refusal:
            form.add_error(None, told(refusal))
        else:
            messages.success(request, _("The session is closed."))
            return redirect("vaccination:session", session_id=session_id)
    return _board(request, session_id, form)


def _products(session: Session, one: dict[str, Any]) -> list[dict[str, Any]]:
    """Vaccines of the campaign's group that are licensed today."""
    wanted = due.products_of_group(one["programme"], one["vaccine_group"])
    return [product for product in store.products(session, session.today) if product["product"] in wanted]


def _choices(session: Session, one: dict[str, Any]) -> dict[str, Any]:
    names = {product["product"]: product["name"] for product in _products(session, one)}
    return {
        "sites": store.sites(session),
        "lots": [lot for lot in store.usable_lots(session, session.today) if lot["product"] in names],
        "names": names,
    }
