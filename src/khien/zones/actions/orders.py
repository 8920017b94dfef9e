"""Opening, changing and closing zones. Orders follow the table of `rules.lifecycle`; what was once in force stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.core.text import nfc
from khien.zones import store
from khien.zones.rules.area import Area
from khien.zones.rules.lifecycle import next_state

_q = Queries("khien.zones")


@dataclass(frozen=True, slots=True)
class Signed:
    """The legal paper: number and date of the document, and the name and office of who signed it."""

    document: str
    by: str


def open_zone(
    *, by: Actor, name: str, area: Area, grade: int, signed: Signed, from_day: dt.date | None = None,
    until_day: dt.date | None = None, regime: str | None = None, proposed: bool = False,
) -> tuple[int, int]:  # fmt: skip
    """Open a zone by its first order; (zone_id, order_id). In force at once, or a proposal that somebody signs later.

    Raises BadInput for an empty area or impossible days, NotFound for an area beyond the actor's.
    """
    by.must("zone.open")
    with begin(by) as session:
        cleaned = nfc(name)
        if not cleaned:
            raise _bad("name", N_("A zone needs a name."))
        first = from_day or session.today
        zone_id = int(session.value(_q.add_zone, name=cleaned))
        state = "proposed" if proposed else "in_force"
        order_id = _add_order(session, zone_id, state, grade, area, signed, first, until_day, regime, None)
        session.log("zone.open", zone=zone_id, order=order_id, grade=grade, state=state)
        return zone_id, order_id


def put_in_force(*, by: Actor, order_id: int, signed: Signed, from_day: dt.date | None = None) -> None:
    """A proposal is signed and holds from a day on. Raises Refused in another state, NotFound."""
    by.must("zone.open")
    with begin(by) as session:
        order = _locked(session, order_id)
        next_state(order["state"], "put_in_force")
        first = from_day or max(order["from_day"], session.today)
        _check_days(first, order["until_day"])
        _check_signed(signed)
        session.execute(
            _q.put_in_force, order_id=order_id, document=signed.document, signed_by=signed.by, from_day=first
        )
        session.log("zone.open", zone=order["zone_id"], order=order_id, grade=order["grade"], state="in_force")


def withdraw(*, by: Actor, order_id: int, signed: Signed) -> None:
    """A proposal is given up. Raises Refused in another state, NotFound."""
    by.must("zone.close")
    with begin(by) as session:
        order = _locked(session, order_id)
        state = next_state(order["state"], "withdraw")
        session.execute(
            _q.end_order, order_id=order_id, state=state, on=None, by_order=None, document=signed.document,
            signed_by=signed.by,
        )  # fmt: skip
        session.log("zone.close", zone=order["zone_id"], order=order_id, state=state)


def close_zone(*, by: Actor, zone_id: int, signed: Signed, on: dt.date | None = None) -> None:
    """Lift the zone's order: `on` is the first day on which it no longer holds. Raises Refused, NotFound."""
    by.must("zone.close")
    with begin(by) as session:
        order = _current(session, zone_id)
        state = next_state(order["state"], "lift")
        _check_signed(signed)
        day = on or session.today
        if day <= order["from_day"]:
            raise _bad("on", N_("The order has not begun before that day."))
        if order["until_day"] is not None:
            day = min(day, order["until_day"])
        session.execute(
            _q.end_order, order_id=order["order_id"], state=state, on=day, by_order=None, document=signed.document,
            signed_by=signed.by,
        )  # fmt: skip
        session.log("zone.close", zone=zone_id, order=order["order_id"], state=state, on=str(day))


def supersede(
    *, by: Actor, zone_id: int, signed: Signed, grade: int | None = None, area: Area | None = None,
    from_day: dt.date | None = None, until_day: dt.date | None = None, regime: str | None = None,
) -> int:  # fmt: skip
    """Change borders or grade: a new order takes the place of the one in force from a day on; its order_id.

    None keeps what was; the new order has no end unless one is given. Raises Refused, BadInput, NotFound.
    """
    by.must("zone.grade" if area is None else "zone.open")
    with begin(by) as session:
        old = _current(session, zone_id)
        state = next_state(old["state"], "supersede")
        first = from_day or session.today
        covered = area if area is not None else store.area_of(session, old)
        if first < old["from_day"]:
            raise _bad("from", N_("The new order begins before the one it supersedes."))
        # Both rows speak of each other, and no two orders of a zone may hold on one day: end the old one first.
        session.execute(
            _q.end_order, order_id=old["order_id"], state=state, on=first, by_order=old["order_id"], document=None,
            signed_by=None,
        )  # fmt: skip
        order_id = _add_order(
            session, zone_id, "in_force", grade or old["grade"], covered, signed, first, until_day,
            regime if regime is not None else old["regime"], old["order_id"],
        )  # fmt: skip
        session.execute(_q.link_orders, order_id=old["order_id"], by_order=order_id)
        session.log(
            "zone.supersede", zone=zone_id, order=order_id, grade=grade or old["grade"], borders=area is not None
        )
        return order_id


def _add_order(
    session: Session, zone_id: int, state: str, grade: int, area: Area, signed: Signed, from_day: dt.date,
    until_day: dt.date | None, regime: str | None, supersedes: int | None,
) -> int:  # fmt: skip
    if area.empty:
        raise _bad("area", N_("An order needs an area."))
    if grade not in (1, 2, 3, 4):
        raise _bad("grade", N_("A grade is 1, 2, 3 or 4."))
    _check_days(from_day, until_day)
    _check_signed(signed)
    store.must_reach(session, area)
    order_id = int(
        session.value(
            _q.add_order,
            zone_id=zone_id,
            state=state,
            grade=grade,
            regime=regime,
            area=area.units,
            from_day=from_day,
            until_day=until_day,
            document=nfc(signed.document),
            signed_by=nfc(signed.by),
            supersedes=supersedes,
            account=session.actor.account_id,
            today=session.today,
        )  # fmt: skip
    )
    _add_parts(session, order_id, area.households, [(p.unit_id, p.name) for p in area.places])
    return order_id


def _add_parts(session: Session, order_id: int, households: Iterable[int], places: Sequence[tuple[int, str]]) -> None:
    if places:
        units, names = [p[0] for p in places], [nfc(p[1]) for p in places]
        session.execute(_q.add_places, order_id=order_id, units=units, names=names)
    if ids := list(households):
        session.execute(_q.add_households, order_id=order_id, ids=ids)


def _locked(session: Session, order_id: int) -> store.Row:
    order = session.row(_q.lock_order, order_id=order_id)
    if order is None:
        raise NotFound(N_("There is no such order."))
    store.must_reach(session, store.area_of(session, order))
    return order


def _current(session: Session, zone_id: int) -> store.Row:
    """The order in force, locked. Raises NotFound without a zone, Refused where nothing is in force."""
    order_id = session.value(_q.lock_current, zone_id=zone_id)
    if order_id is None:
        store.history(session, zone_id)
        raise Refused(N_("This zone has no order in force."), rule="zone_not_in_force")
    return _locked(session, order_id)


def _check_days(from_day: dt.date, until_day: dt.date | None) -> None:
    if until_day is not None and until_day <= from_day:
        raise _bad("until", N_("The last day lies before the first."))


def _check_signed(signed: Signed) -> None:
    if not signed.document.strip():
        raise _bad("document", N_("An order needs its document."))
    if not signed.by.strip():
        raise _bad("signed_by", N_("An order needs the name of who signed it."))


def _bad(field: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
