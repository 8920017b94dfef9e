"""The life of an order: proposed, signed or withdrawn, changed by another, lifted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import begin
from khien.zones import actions, store
from khien.zones.actions import Signed
from khien.zones.forms import ChangeForm, CloseForm, NewForm, SignForm, WithdrawForm
from khien.zones.views.shown import language


@permission_required("zone.open")
def new(request: HttpRequest) -> HttpResponse:
    """Open a zone by its first order, in force or as a proposal."""
    with begin(request.actor) as session:
        form = NewForm(request.POST or None, initial={"from_day": session.today, "state": "in_force"})
        area = form.area(session) if request.method == "POST" and form.is_valid() else None
    opened: list[int] = []

    def enter(data: dict[str, Any]) -> str:
        assert area is not None
        zone_id, _order = actions.open_zone(
            by=request.actor, name=data["name"], area=area, grade=data["grade"], regime=data["regime"] or None,
            signed=_signed(data), from_day=data["from_day"], until_day=data["until_day"],
            proposed=data["state"] == "proposed",
        )  # fmt: skip
        opened.append(zone_id)
        return _("The order is proposed.") if data["state"] == "proposed" else _("The zone is open.")

    if area is not None and _entered(request, form, enter):
        return redirect("zones:zone", zone_id=opened[0])
    return _form(request, form, _("Open a zone"), reverse("zones:zones"))


@permission_required("zone.open")
def change(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Change borders or grade by a new order."""
    with begin(request.actor) as session:
        order = store.order_on(session, zone_id, session.today)
        area = store.area_of(session, order)
        units = store.units_of(session, area, session.today)
        typed = [u["code"] if u["exists_then"] else str(u["unit_id"]) for u in units]
        typed += [f"{p.unit_id}: {p.name}" for p in area.places]
        first = {
            "units": "\n".join(typed), "grade": order["grade"], "regime": order["regime"], "from_day": session.today,
            "keep": area.households,
        }  # fmt: skip
        kept = store.addresses(session, area.households)
        form = ChangeForm(request.POST or None, initial=first, households=kept)
        covered = form.area(session) if request.method == "POST" and form.is_valid() else None

    def enter(data: dict[str, Any]) -> str:
        assert covered is not None
        keep = tuple(int(household) for household in data.get("keep", ()))
        actions.supersede(
            by=request.actor, zone_id=zone_id, area=replace(covered, households=(*keep, *covered.households)),
            grade=data["grade"], regime=data["regime"] or None, signed=_signed(data), from_day=data["from_day"],
            until_day=data["until_day"],
        )  # fmt: skip
        return _("The new order holds.")

    return _about(request, form, zone_id, order["name"], _("Change borders or grade"), enter, ready=covered is not None)


@permission_required("zone.close")
def close(request: HttpRequest, zone_id: int) -> HttpResponse:
    """Lift the zone's order."""
    with begin(request.actor) as session:
        name = store.order_on(session, zone_id, session.today)["name"]
        form = CloseForm(request.POST or None, initial={"on": session.today})

    def enter(data: dict[str, Any]) -> str:
        actions.close_zone(by=request.actor, zone_id=zone_id, signed=_signed(data), on=data["on"])
        return _("The order is lifted.")

    return _about(request, form, zone_id, name, _("Lift the order"), enter)


@permission_required("zone.open")
def sign(request: HttpRequest, zone_id: int, order_id: int) -> HttpResponse:
    """A proposal is signed and holds."""
    with begin(request.actor) as session:
        order = store.order(session, zone_id, order_id)
        begins = max(order["from_day"], session.today)
        first = {"document": order["document"], "signed_by": order["signed_by"], "from_day": begins}
        form = SignForm(request.POST or None, initial=first)

    def enter(data: dict[str, Any]) -> str:
        actions.put_in_force(by=request.actor, order_id=order_id, signed=_signed(data), from_day=data["from_day"])
        return _("The order is signed and holds.")

    return _about(request, form, zone_id, order["name"], _("Sign the order"), enter)


@permission_required("zone.close")
def withdraw(request: HttpRequest, zone_id: int, order_id: int) -> HttpResponse:
    """A proposal is given up."""
    with begin(request.actor) as session:
        order = store.order(session, zone_id, order_id)
        form = WithdrawForm(request.POST or None)

    def enter(data: dict[str, Any]) -> str:
        actions.withdraw(by=request.actor, order_id=order_id, signed=_signed(data))
        return _("The proposal is withdrawn.")

    return _about(request, form, zone_id, order["name"], _("Withdraw the proposal"), enter)


Enter = Callable[[dict[str, Any]], str]  # from what was typed to what is said when it is done


def _signed(data: dict[str, Any]) -> Signed:
    return Signed(data["document"], data["signed_by"])


def _entered(request: HttpRequest, form: Any, enter: Enter) -> bool:
    try:
        messages.success(request, enter(form.cleaned_data))
    except (BadInput, NotFound) as fault:
        form.add_error(None, fault.text(language()))
        return False
    return True


def _about(
    request: HttpRequest, form: Any, zone_id: int, name: str, title: str, enter: Enter, *, ready: bool = True
) -> HttpResponse:
    """A form about one zone: enter what was typed and go back to the zone, or show what is wrong with it."""
    if request.method == "POST" and ready and form.is_valid() and _entered(request, form, enter):
        return redirect("zones:zone", zone_id=zone_id)
    return _form(request, form, title, reverse("zones:zone", args=[zone_id]), name)


def _form(request: HttpRequest, form: Any, title: str, back: str, about: str = "") -> HttpResponse:
    shown = {"form": form, "title": title, "back": back, "about": about}
    return render(request, "zones/form.html", shown, status=422 if request.method == "POST" else 200)
