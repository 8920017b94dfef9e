"""Questions about access: what an account may serve as, who looked at a record, whether the log is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from khien.core.errors import NotFound
from khien.core.session import Session
from khien.core.sql import Queries

SQL = Queries("khien.access")
_EVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def assignments(session: Session, account_id: int) -> list[dict[str, Any]]:
    """What the account may serve as today: assignment_id, role, agency_id, agency, unit_id, unit, purposes, area."""
    return session.rows(SQL.assignments, account_id=account_id)


def has_account(session: Session, username: str) -> bool:
    """Whether there is an account of this name. Raises NotAllowed without "account.manage"."""
    session.actor.must("account.manage")
    return bool(session.value(SQL.has_account, username=username))


def looks_at_person(
    session: Session, person_id: int, *, limit: int = 100, before: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Who looked at a record: at (UTC), action, purpose, agency, machine; account names only for an auditor.

    Raises NotAllowed without "access.read", NotFound for a person outside the actor's scope.
    """
    session.actor.must("access.read")
    if not session.value(SQL.person_visible, person_id=person_id):
        raise NotFound
    by_name = session.actor.may("access.audit")
    return session.rows(SQL.looks_at_person, person_id=person_id, limit=limit, before=before or _EVER, by_name=by_name)


def own_record(session: Session) -> int | None:
    """Whose record the actor's account was given as its own; None if none was."""
    found = session.value(SQL.own_record, account_id=session.actor.account_id)
    return int(found) if found is not None else None


def own_deeds(session: Session, *, limit: int = 50, before: dt.datetime | None = None) -> list[dict[str, Any]]:
    """What the actor's own account did: at (UTC), action, purpose, agency, number of persons."""
    return session.rows(SQL.deeds_of_account, account_id=session.actor.account_id, limit=limit, before=before or _EVER)


def deeds_of_account(
    session: Session, account_id: int, *, limit: int = 100, before: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """The same for any account. Raises NotAllowed without "access.audit"."""
    session.actor.must("access.audit")
    return session.rows(SQL.deeds_of_account, account_id=account_id, limit=limit, before=before or _EVER)


def verify(session: Session, anchor: Sequence[tuple[int, int, str]] = ()) -> list[dict[str, Any]]:
    """Everything wrong with the log: lane, seq, at, what. Empty: it is whole.

    `anchor` are (lane, seq, digest in hex) noted down earlier, see `heads`: a link that is gone or different
    now was cut off or rewritten. Raises NotAllowed without "access.verify".
    """
    session.actor.must("access.verify")
    found = session.rows(SQL.verify)
    if anchor:
        now = {
            (r["lane"], r["seq"]): r["digest"]
            for r in session.rows(SQL.links, lanes=[a[0] for a in anchor], seqs=[a[1] for a in anchor])
        }
        found += [
            {
                "lane": lane,
                "seq": seq,
                "at": None,
                "what": "tail cut" if now[lane, seq] is None else "history rewritten",
            }
            for lane, seq, digest in anchor
            if now[lane, seq] != digest
        ]
    return found


def heads(session: Session) -> list[dict[str, Any]]:
    """The last link of every lane: lane, seq, at, digest in hex. Kept elsewhere, it shows a tail cut off later.

    Raises NotAllowed without "access.verify".
    """
    session.actor.must("access.verify")
    return session.rows(SQL.heads)
