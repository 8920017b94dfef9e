"""Movements of vaccine. Counted in doses; no balance falls below nought; a replayed message changes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_, Message
from khien.core.session import Session, begin
from khien.core.text import free_text
from khien.vaccination.refusal import refused_by
from khien.vaccination.store import doses as doses_store
from khien.vaccination.store.stock import SQL, recipients, stock_checks

# Kinds that make a balance smaller: not from a lot that is blocked or expired, except to throw it away.
_OUT = ("transfer_out", "use", "waste")
_BARRED = ("transfer_out", "use")


@dataclass(frozen=True, slots=True)
class Movement:
    """`balance`: what is left at the site that was named first, in doses."""

    result: str  # 'recorded' or 'replayed'
    balance: int


@dataclass(frozen=True, slots=True)
class Excursion:
    """What followed from a temperature excursion. `recipients`: who got the lot, as far as the actor may see."""

    result: str
    exposed: int  # doses of the lot at the site
    recipients: list[dict[str, Any]]


def receive_lot(
    *, by: Actor, product: str, lot_number: str, arrived_on: dt.date, expires_on: dt.date,
    doses_per_vial: int | None = None, open_vial_hours: int | None = None,
) -> None:  # fmt: skip
    """Make a lot known. Receiving the same lot again changes nothing. Raises BadInput."""
    by.must("lot.manage")
    if expires_on < arrived_on:
        raise BadInput(
            N_("The lot expires before it arrives."), faults=(Fault("expires_on", N_("Must be after the arrival.")),)
        )
    with begin(by) as session:
        if not session.value(doses_store.SQL.has_product, product=product):
            raise _wrong("product", N_("No such vaccine."))
        session.execute(
            SQL.insert_lot, product=product, lot_number=lot_number, arrived_on=arrived_on, expires_on=expires_on,
            doses_per_vial=doses_per_vial, open_vial_hours=open_vial_hours,
        )  # fmt: skip
        session.log("lot.receive", product=product, lot=lot_number)


def receive_stock(*, by: Actor, client_id: UUID, product: str, lot_number: str, site: str, doses: int) -> Movement:
    """Doses of a known lot arrive at a site from outside the product's books."""
    return move_stock(
        by=by, client_id=client_id, kind="receipt", product=product, lot_number=lot_number, site=site, doses=doses
    )


def transfer_stock(
    *, by: Actor, client_id: UUID, product: str, lot_number: str, site: str, to_site: str, doses: int
) -> Movement:
    """From one site to another: both sides in one transaction, so that no dose is ever nowhere or twice."""
    return move_stock(
        by=by, client_id=client_id, kind="transfer_out", product=product, lot_number=lot_number, site=site,
        doses=doses, to_site=to_site,
    )  # fmt: skip


def move_stock(
    *, by: Actor, client_id: UUID, kind: str, product: str, lot_number: str, site: str, doses: int, reason: str = "",
    to_site: str | None = None, session_id: int | None = None,
) -> Movement:  # fmt: skip
    """One movement: 'receipt', 'transfer_out' (with `to_site`), 'use' or 'waste' (with a reason).

    Raises BadInput for a site, lot or number that cannot be, Refused where the stock or the lot's state forbids it.
    """
    by.must("stock.move")
    if doses <= 0:
        raise _wrong("doses", N_("Must be a number above nought."))
    if kind == "waste" and not reason.strip():
        raise _wrong("reason", N_("Give the reason."))
    if to_site == site:
        raise _wrong("to_site", N_("Must be another site."))
    with begin(by) as session:
        session.execute(SQL.lock_message, client_id=client_id)
        here = _site(session, "site", site, own=True)
        there = _site(session, "to_site", to_site, own=False) if to_site is not None else None
        lot = _lot(session, product, lot_number)
        places = [here] if there is None else [here, there]
        session.execute(SQL.ready_stock, product=product, lot_number=lot_number, sites=places)
        locked = session.rows(SQL.lock_stock, product=product, lot_number=lot_number, sites=places)
        balance = {row["site_id"]: row["doses"] for row in locked}[here]
        if _replayed(session, client_id, (kind, product, lot_number, site, doses)):
            return Movement("replayed", balance)
        _check(kind, lot, session.today, balance, doses)
        kinds = [kind] if there is None else [kind, "transfer_in"]
        after = session.rows(
            SQL.insert_movements, client_id=client_id, kind=kinds, site_id=places,
            other_site=[there] if there is None else [there, here], product=product, lot_number=lot_number,
            doses=doses, session_id=session_id, reason=free_text(reason), now=session.now, by=by.account_id,
        )  # fmt: skip
        session.log("stock.move", kind=kind, product=product, lot=lot_number, site=site, doses=doses)
        return Movement("recorded", {row["site_id"]: row["doses"] for row in after}[here])


def report_excursion(
    *, by: Actor, client_id: UUID, product: str, lot_number: str, site: str, reason: str, since: dt.date | None = None
) -> Excursion:
    """A lot got too warm or too cold at a site: it is blocked everywhere at once, and whoever got it is listed.

    `since`: the day the excursion began; None lists everybody who got the lot. The doses stay in the books until they
    are thrown away.
    """
    by.must("lot.manage")
    if not reason.strip():
        raise _wrong("reason", N_("Give the reason."))
    with begin(by) as session:
        session.execute(SQL.lock_message, client_id=client_id)
        here = _site(session, "site", site, own=True)
        _lot(session, product, lot_number, change=True)
        session.execute(SQL.ready_stock, product=product, lot_number=lot_number, sites=[here])
        [row] = session.rows(SQL.lock_stock, product=product, lot_number=lot_number, sites=[here])
        replayed = _replayed(session, client_id, ("excursion", product, lot_number, site, None))
        if not replayed:
            session.execute(
                SQL.insert_movements, client_id=client_id, kind=["excursion"], site_id=[here], other_site=[None],
                product=product, lot_number=lot_number, doses=row["doses"], session_id=None, reason=free_text(reason),
                now=session.now, by=by.account_id,
            )  # fmt: skip
            _block(session, product, lot_number, reason)
        got = recipients(session, product, lot_number, since=since) if by.may("dose.read") else []
        return Excursion("replayed" if replayed else "recorded", row["doses"], got)


def block_lot(*, by: Actor, product: str, lot_number: str, reason: str) -> None:
    """Recall or suspend a lot everywhere. A lot that is blocked already stays as it is."""
    by.must("lot.manage")
    if not reason.strip():
        raise _wrong("reason", N_("Give the reason."))
    with begin(by) as session:
        _lot(session, product, lot_number, change=True)
        _block(session, product, lot_number, reason)


def release_lot(*, by: Actor, product: str, lot_number: str, reason: str) -> None:
    """Lift a block after the inquiry found the lot sound. The reason stands in the log."""
    by.must("lot.manage")
    if not reason.strip():
        raise _wrong("reason", N_("Give the reason."))
    with begin(by) as session:
        _lot(session, product, lot_number, change=True)
        if session.execute(SQL.release_lot, product=product, lot_number=lot_number):
            session.log("lot.release", product=product, lot=lot_number, reason=free_text(reason))


def open_vial(
    *, by: Actor, client_id: UUID, product: str, lot_number: str, site: str, session_id: int | None = None
) -> None:
    """Note that a vial was opened; the lot's open-vial life says when it has to be discarded."""
    by.must("dose.record")
    with begin(by) as session:
        here = _site(session, "site", site, own=True)
        lot = _lot(session, product, lot_number)
        _check("use", lot, session.today, 1, 1)
        written = session.execute(
            SQL.insert_vial, client_id=client_id, product=product, lot_number=lot_number, site_id=here,
            session_id=session_id, now=session.now, hours=lot["open_vial_hours"],
        )  # fmt: skip
        if written:
            session.log("stock.move", kind="open_vial", product=product, lot=lot_number, site=site)


def _block(session: Session, product: str, lot_number: str, reason: str) -> None:
    if session.execute(
        SQL.block_lot, product=product, lot_number=lot_number, on=session.today, reason=free_text(reason)
    ):
        session.log("lot.block", product=product, lot=lot_number, reason=free_text(reason))


def _check(kind: str, lot: dict[str, Any], today: dt.date, balance: int, doses: int) -> None:
    checks = stock_checks()
    if kind in _BARRED and lot["blocked_on"] is not None:
        raise refused_by(checks["lot_blocked"])
    if kind in _BARRED and lot["expires_on"] < today:
        raise refused_by(checks["lot_expired"])
    if lot["arrived_on"] > today:
        raise refused_by(checks["lot_not_arrived"])
    if kind in _OUT and balance < doses:
        raise refused_by(checks["stock_short"], balance=balance)


def _replayed(session: Session, client_id: UUID, told: tuple[str, str, str, str, int | None]) -> bool:
    earlier = session.row(SQL.earlier_movement, client_id=client_id)
    if earlier is None:
        return False
    kind, product, lot_number, site, doses = told
    same = (earlier["kind"], earlier["product"], earlier["lot_number"], earlier["site"]) == (
        kind, product, lot_number, site
    )  # fmt: skip
    if not same or doses not in (None, earlier["doses"]):
        raise refused_by(stock_checks()["client_id_reused"])
    return True


def _lot(session: Session, product: str, lot_number: str, *, change: bool = False) -> dict[str, Any]:
    query = SQL.lot_to_change if change else SQL.lot
    found = session.row(query, product=product, lot_number=lot_number)
    if found is None:
        raise _wrong("lot_number", N_("No such lot of this vaccine."))
    return found


def _site(session: Session, field: str, code: str, *, own: bool) -> int:
    """The site's id. One's own doings are only at sites of one's own area; a site elsewhere looks like none."""
    found = session.row(SQL.site_by_code, code=code, area=session.actor.area)
    if found is None or (own and not found["ours"]):
        raise _wrong(field, N_("No such vaccination site."))
    return int(found["site_id"])


def _wrong(field: str, message: Message) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
