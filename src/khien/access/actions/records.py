"""Opening one person by a card, a citizen's own record, and the retention of the log."""

from __future__ import annotations

import datetime as dt
from typing import Any

from khien.access.roles import opening
from khien.access.store import SQL
from khien.access.writing import account_named, writing
from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import begin


def open_by_card(*, by: Actor, number: str, name: str | None = None, birth_date: dt.date | None = None) -> int:
    """Open the person whose card was held out, wherever they live, for some hours. Returns the person_id.

    `number` (normalised, as in `identifier`) must be exact, and so must the name (compared folded) and the birth date,
    of which at least one is given. Raises NotFound when anything does not match: a near miss looks like an absence,
    and so does everything after too many of them.
    """
    by.must("person.open")
    with begin(by) as session:
        hours, misses = opening(session.today)
        person_id = session.value(
            SQL.open_by_card, number=number, named=name, born=birth_date, hours=hours, misses=misses
        )
    # After the commit, so that a guess stays in the log.
    if person_id is None:
        raise NotFound
    return int(person_id)


def open_own_record(*, by: Actor, username: str, person_id: int) -> None:
    """Show a citizen's account its own record, without end. Raises NotFound for a person `by` does not see."""
    by.must("account.manage")
    with writing(by) as session:
        account = account_named(username)
        if not session.value(SQL.open_own_record, person_id=person_id, account_id=account.pk):
            raise NotFound
        session.log("account.own_record", [person_id], account=account.pk)


def drop_months(*, by: Actor, before: dt.date) -> list[dict[str, Any]]:
    """Drop the months of the access log that end before the month of `before`; the chain keeps the proof.

    Returns partition and number of entries of each. Raises Refused for the current month and later ones.
    """
    by.must("access.retain")
    with begin(by, role="khien_owner") as session:
        if before > session.value("SELECT (now() AT TIME ZONE 'UTC')::date"):
            raise Refused(N_("The current month of the access log cannot be dropped."), rule="current_month")
        return session.rows(SQL.retain, before=before)
