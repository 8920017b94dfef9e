"""Reading stock: balances, movements, who got a lot. Counted in doses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from khien import rulebook
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries

SQL = Queries("khien.vaccination", "stock.sql")


@cache
def stock_checks() -> dict[str, Mapping[str, Any]]:
    """The entries of rulebook/vaccination/stock.toml by id."""
    return {check["id"]: check for check in rulebook.load("vaccination", "stock")["check"]}


def balances(session: Session, site: str | None = None) -> list[dict[str, Any]]:
    """What is left of each lot at the sites of the actor's area, or at one of them by its code."""
    session.actor.must("stock.read")
    return session.rows(SQL.balances, area=session.actor.area, site=site, on=session.today)


def movements(session: Session, site: str | None = None, most: int = 200) -> list[dict[str, Any]]:
    """The newest lines of the ledger at the sites of the actor's area."""
    session.actor.must("stock.read")
    return session.rows(SQL.movements, area=session.actor.area, site=site, most=most)


def open_vials(session: Session, site: str) -> list[dict[str, Any]]:
    """Vials opened at a site in the last day, with the moment each has to be discarded."""
    session.actor.must("stock.read")
    return session.rows(SQL.open_vials, site=site, now=session.now)


def recipients(
    session: Session, product: str, lot_number: str, *, since: dt.date | None = None, site: str | None = None
) -> list[dict[str, Any]]:
    """Who got doses of a lot, newest first: those whose records the actor may see. The read is logged."""
    session.actor.must("dose.read")
    found = session.rows(SQL.recipients, product=product, lot_number=lot_number, since=since, site=site)
    if found:
        session.log("dose.read", {row["person_id"] for row in found}, lot=lot_number)
    return found


def lot(session: Session, product: str, lot_number: str) -> dict[str, Any]:
    """One lot, with what is left of it everywhere. Raises NotFound."""
    session.actor.must("stock.read")
    found = session.row(SQL.lot_state, product=product, lot_number=lot_number)
    if found is None:
        raise NotFound(N_("No such lot of this vaccine."))
    return found
