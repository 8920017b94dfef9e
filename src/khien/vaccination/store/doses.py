"""Reading doses and what they need. Every function runs one named query of `queries.sql`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from khien import rulebook
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.vaccination import reasons

SQL = Queries("khien.vaccination")


@cache
def dose_checks() -> dict[str, Mapping[str, Any]]:
    """The entries of rulebook/vaccination/dose_checks.toml by id."""
    return {check["id"]: check for check in rulebook.load("vaccination", "dose_checks")["check"]}


def doses_of_person(session: Session, person_id: int) -> list[dict[str, Any]]:
    """The person's whole history, corrections included, newest first; empty outside the actor's scope."""
    session.actor.must("dose.read")
    session.log("dose.read", [person_id])
    return session.rows(SQL.doses_of_person, person_id=person_id)


def standing_dose(session: Session, person_id: int, dose_id: int) -> dict[str, Any]:
    """A dose that nothing has corrected yet. Raises NotFound, also outside the actor's scope."""
    session.actor.must("dose.read")
    found = session.row(SQL.standing_dose, person_id=person_id, dose_id=dose_id)
    if found is None:
        raise NotFound(N_("There is no such dose, or it was corrected already."))
    session.log("dose.read", [person_id])
    return found


def products(session: Session, on: dt.date) -> list[dict[str, Any]]:
    """Vaccines licensed in the country on a day."""
    return session.rows(SQL.products, on=on)


def usable_lots(session: Session, on: dt.date) -> list[dict[str, Any]]:
    """Lots that have arrived, have not expired and are not blocked on a day; those that expire first come first."""
    return session.rows(SQL.usable_lots, on=on)


def sites(session: Session) -> list[dict[str, Any]]:
    """Vaccination sites within the actor's area."""
    return session.rows(SQL.sites_in_area, area=session.actor.area)


def all_products(session: Session) -> list[dict[str, Any]]:
    """Every vaccine, licensed here or not: elsewhere they gave others."""
    return session.rows(SQL.all_products)


def all_sites(session: Session) -> list[dict[str, Any]]:
    """Every vaccination site of the country: vaccine may be sent to any."""
    return session.rows(SQL.all_sites)


def flag_titles(flags: Sequence[str], language: str) -> list[str]:
    """The sentences behind a dose's flags."""
    checks = dose_checks()
    return [checks[flag]["title"][language] if flag in checks else reasons.text(flag, language) for flag in flags]
