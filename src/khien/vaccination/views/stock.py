"""Pages of the fridge: balances, movements, a lot and who got it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.errors import NotFound
from khien.core.session import Session, begin
from khien.vaccination import actions, store
from khien.vaccination.forms.stock import ExcursionForm, LotReasonForm, MoveForm, ReceiptForm
from khien.vaccination.forms.vaccines import vaccine_name
from khien.vaccination.store import stock
from khien.vaccination.views.asking import ask, done
from khien.vaccination.views.sheet import sheet_response


@permission_required("stock.read")
def fridge(request: HttpRequest) -> HttpResponse:
    """What is left of each lot, and the newest movements."""
    with begin(request.actor) as session:
        shown = {"balances": stock.balances(session), "movements": stock.movements(session, most=50)}
    kind = request.GET.get("file", "")
    if kind:
        head = [_("Vaccination site"), _("Vaccine"), _("Lot"), _("Expires on"), _("Number of doses")]
        rows = [
            [
                r["site_name"],
                vaccine_name(r["product_name"]),
                r["lot_number"],
                f"{r['expires_on']:%d/%m/%Y}",
                r["doses"],
            ]
            for r in shown["balances"]
        ]
        return sheet_response("stock", kind, [head, *rows])
    return render(request, "vaccination/stock.html", shown)


@permission_required("stock.move", "lot.manage")
def receive(request: HttpRequest) -> HttpResponse:
    """Doses arrive at a site; a lot that is not known yet is made known."""
    with begin(request.actor) as session:
        today = session.today
        form = ReceiptForm(
            request.POST or None, initial={"client_id": uuid4(), "arrived_on": today}, sites=store.sites(session),
            products=store.products(session, today),
        )  # fmt: skip

    def work(data: dict[str, Any]) -> None:
        lot = {"product": data["product"], "lot_number": data["lot_number"]}
        with begin(request.actor):
            actions.receive_lot(
                by=request.actor, **lot, arrived_on=data["arrived_on"], expires_on=data["expires_on"],
                doses_per_vial=data["doses_per_vial"], open_vial_hours=data["open_vial_hours"],
            )  # fmt: skip
            actions.receive_stock(
                by=request.actor, client_id=data["client_id"], site=data["site"], doses=data["doses"], **lot
            )

    if done(request, form, work):
        messages.success(request, _("The receipt was recorded."))
        return redirect("vaccination:stock")
    return ask(
        request, form, title=_("Receive vaccine"), button=_("Record the receipt"), back=reverse("vaccination:stock")
    )


@permission_required("stock.move")
def move(request: HttpRequest) -> HttpResponse:
    """Doses go to another site, or are thrown away."""
    with begin(request.actor) as session:
        form = MoveForm(
            request.POST or None, initial={"client_id": uuid4()}, held=_held(session), sites=store.all_sites(session)
        )

    def work(data: dict[str, Any]) -> None:
        site, product, lot_number = data["held"].split("|")
        waste = data["kind"] == "waste"
        actions.move_stock(
            by=request.actor, client_id=data["client_id"], kind=data["kind"], product=product, lot_number=lot_number,
            site=site, doses=data["doses"], reason=data["reason"], to_site=None if waste else data["to_site"],
        )  # fmt: skip

    if done(request, form, work):
        messages.success(request, _("The movement was recorded."))
        return redirect("vaccination:stock")
    return ask(request, form, title=_("Send or throw away"), button=_("Record"), back=reverse("vaccination:stock"))


@permission_required("lot.manage")
def excursion(request: HttpRequest) -> HttpResponse:
    """A lot got too warm or too cold: blocked everywhere at once; then the list of who got it."""
    with begin(request.actor) as session:
        form = ExcursionForm(request.POST or None, initial={"client_id": uuid4()}, held=_held(session))

    def work(data: dict[str, Any]) -> None:
        site, product, lot_number = data["held"].split("|")
        actions.report_excursion(
            by=request.actor, client_id=data["client_id"], product=product, lot_number=lot_number, site=site,
            reason=data["reason"], since=data["since"],
        )  # fmt: skip

    if done(request, form, work):
        _site, product, lot_number = form.cleaned_data["held"].split("|")
        messages.success(request, _("The lot is blocked everywhere. Below: who got it."))
        since = form.cleaned_data["since"]
        address = reverse("vaccination:lot", args=[product, lot_number])
        return redirect(f"{address}?since={since.isoformat()}" if since else address)
    return ask(
        request, form, title=_("Temperature excursion"), button=_("Block the lot"), back=reverse("vaccination:stock"),
        note=_("The lot is blocked at every site at once, and whoever got it is listed."),
    )  # fmt: skip


@permission_required("stock.read", "dose.read")
def lot(request: HttpRequest, product: str, lot_number: str) -> HttpResponse:
    """One lot: its state, and who of the area got it. Blocking and releasing."""
    with begin(request.actor) as session:
        one = stock.lot(session, product, lot_number)
        people = stock.recipients(session, product, lot_number, since=_day(request.GET.get("since", "")))
    kind = request.GET.get("file", "")
    if kind:
        head = [_("Date given"), _("Name"), _("Birth date"), _("Unit"), _("Vaccination site")]
        rows = [
            [f"{r['given_on']:%d/%m/%Y}", r["name"], f"{r['birth_date']:%d/%m/%Y}", r["unit_name"], r["site_name"]]
            for r in people
        ]
        return sheet_response(f"lot-{lot_number}", kind, [head, *rows])
    form = LotReasonForm(request.POST or None)
    if request.method == "POST":
        if not request.actor.may("lot.manage"):
            raise NotFound
        change = actions.release_lot if one["blocked_on"] else actions.block_lot

        def work(data: dict[str, Any]) -> None:
            change(by=request.actor, product=product, lot_number=lot_number, reason=data["reason"])

        if done(request, form, work):
            return redirect("vaccination:lot", product=product, lot_number=lot_number)
    status = 422 if request.method == "POST" else 200
    return render(request, "vaccination/lot.html", {"one": one, "people": people, "form": form}, status=status)


def _held(session: Session) -> list[tuple[str, str]]:
    """What the area's fridges hold, as choices "site|product|lot"."""
    return [
        (f"{r['site']}|{r['product']}|{r['lot_number']}",
         f"{r['site_name']} · {vaccine_name(r['product_name'])} · {r['lot_number']} ({r['doses']})")
        for r in stock.balances(session)
    ]  # fmt: skip


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
