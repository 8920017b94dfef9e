"""Questions about access: what an account may serve as, who looked at a record, whether the log is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from khien.access.roles import roles
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.core.text import fold
from khien.territory import store as territory

SQL = Queries("khien.access")
ACCOUNTS = Queries("khien.access", "accounts.sql")
AGENCIES = Queries("khien.access", "agencies.sql")
_AUDIT = Queries("khien.access", "audit.sql")
_VIET_NAM = dt.timezone(dt.timedelta(hours=7))
LOG_FAULTS = {
    "link removed": N_("a link was removed"), "link changed": N_("a link was changed"),
    "entries changed": N_("entries were changed"), "entries removed": N_("entries were removed"),
    "entry added": N_("an entry was added"), "stray month": N_("an entry lies in no month"),
    "tail cut": N_("the last links were cut off"), "history rewritten": N_("the links before were rewritten"),
}  # fmt: skip
UNITS = frozenset({"unit", "agency_unit", "agency_unit_was"})  # details that are the id of a unit
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
    """Who looked at a record: at (UTC), action, purpose, agency, machine, own (the actor's own
    account); account names only for an auditor.

    Raises NotAllowed without "access.read", NotFound for a person outside the actor's scope.
    """
    session.actor.must("access.read")
    if not session.value(SQL.person_visible, person_id=person_id):
        raise NotFound
    by_name = session.actor.may("access.audit")
    return session.rows(
        SQL.looks_at_person, person_id=person_id, limit=limit, before=before or _EVER, by_name=by_name,
        own=session.actor.account_id,
    )  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Sought:
    """Which accounts or agencies are asked for: words of a name; a state ("active" or "suspended", "open" or "closed");
    a role held today or a kind of agency; a unit."""

    words: str = ""
    state: str = ""
    kind: str = ""
    unit_id: int | None = None


def accounts(session: Session, sought: Sought, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Accounts all of whose posts lie inside the actor's area, by user name: columns of `accounts` in accounts.sql.

    Raises NotAllowed without "account.manage".
    """
    session.actor.must("account.manage")
    return session.rows(
        ACCOUNTS.accounts, today=session.today, words=_anywhere(sought.words), state=sought.state, role=sought.kind,
        unit=sought.unit_id, account=None, limit=limit, offset=offset,
    )  # fmt: skip


def account(session: Session, account_id: int) -> dict[str, Any]:
    """One of these, with all its posts (`every`). Raises NotAllowed without "account.manage", NotFound."""
    session.actor.must("account.manage")
    found = session.row(
        ACCOUNTS.accounts, today=session.today, words="%", state="", role="", unit=None, account=account_id, limit=1,
        offset=0,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return {**found, "every": session.rows(ACCOUNTS.posts, account=account_id, today=session.today)}


def agencies(
    session: Session, sought: Sought | None = None, *, limit: int = 50_000, offset: int = 0
) -> list[dict[str, Any]]:
    """Agencies inside the actor's area: columns of `agencies` in agencies.sql; without `sought` those that are open.

    Raises NotAllowed without "account.manage".
    """
    session.actor.must("account.manage")
    asked = sought or Sought(state="open")
    return session.rows(
        AGENCIES.agencies, today=session.today, words=_anywhere(asked.words), state=asked.state, kind=asked.kind,
        unit=asked.unit_id, agency=None, limit=limit, offset=offset,
    )  # fmt: skip


def agency(session: Session, agency_id: int) -> dict[str, Any]:
    """One of these, with the posts in it that have not ended and that the actor manages (`served`).

    Raises NotAllowed without "account.manage", NotFound.
    """
    session.actor.must("account.manage")
    found = session.row(
        AGENCIES.agencies, today=session.today, words="%", state="", kind="", unit=None, agency=agency_id, limit=1,
        offset=0,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return {**found, "served": session.rows(AGENCIES.agency_posts, agency=agency_id, today=session.today)}


def api_keys(
    session: Session, *, words: str = "", state: str = "", account_id: int | None = None, limit: int = 50_000,
    offset: int = 0,
) -> list[dict[str, Any]]:  # fmt: skip
    """Keys of accounts (or of one) that the actor manages, newest first: columns of `keys` in agencies.sql.

    `state` is one of those there. Raises NotAllowed without "account.manage".
    """
    session.actor.must("account.manage")
    return session.rows(
        AGENCIES.keys, today=session.today, words=_anywhere(words), state=state, key=None, account=account_id,
        serves=_serves(session.today), limit=limit, offset=offset,
    )  # fmt: skip


def api_key(session: Session, key_id: int) -> dict[str, Any]:
    """One of these. Raises NotAllowed without "account.manage", NotFound."""
    session.actor.must("account.manage")
    found = session.row(
        AGENCIES.keys, today=session.today, words="%", state="", key=key_id, account=None,
        serves=_serves(session.today), limit=1, offset=0,
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


def _serves(on: dt.date) -> Jsonb:
    return Jsonb({role.id: role.purposes for role in roles(on).values()})


def _anywhere(words: str) -> str:
    """A pattern for LIKE that finds the words, folded, anywhere."""
    folded = fold(words).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{folded}%"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the log is asked for: days in Viet Nam (both included), and one action, purpose, account or person."""

    first: dt.date
    last: dt.date
    action: str | None = None
    purpose: str | None = None
    username: str | None = None
    person_id: int | None = None


def log(session: Session, asked: Asked, *, limit: int = 100, before: dt.datetime | None = None) -> list[dict[str, Any]]:
    """Calls of some days, newest first: columns of `log` in audit.sql, and `units`: what those in its detail were
    called on that day, by id. That they were looked through is logged too.

    Raises NotAllowed without "access.audit".
    """
    session.actor.must("access.audit")
    rows = session.rows(
        _AUDIT.log, since=_midnight(asked.first), until=_midnight(asked.last + dt.timedelta(days=1)),
        before=before or _EVER, action=asked.action, purpose=asked.purpose, username=asked.username,
        person_id=asked.person_id, limit=limit,
    )  # fmt: skip
    told = [(row, row["at"].astimezone(_VIET_NAM).date(), _units(row["detail"])) for row in rows]
    names = territory.names_then(session, ((unit, day) for _, day, units in told for unit in units))
    for row, day, units in told:
        row["units"] = {unit: names[unit, day] for unit in units if (unit, day) in names}
    about = [asked.person_id] if asked.person_id is not None else []
    narrowed = {"actions": asked.action, "purpose": asked.purpose, "account": asked.username}
    session.log("access.log", about, first=str(asked.first), last=str(asked.last), rows=len(rows),
                **{name: value for name, value in narrowed.items() if value})  # fmt: skip
    return rows


def _units(detail: dict[str, Any]) -> set[int]:
    """Ids of units that a detail names."""
    return {value for name, value in detail.items() if name in UNITS and type(value) is int and 0 < value < 2**31}


def log_day(session: Session) -> dt.date:
    """Today by the log's clock, which is the real one also where decisions have another day (DESIGN §4.4)."""
    found: dt.date = session.value(_AUDIT.log_day)
    return found


def person_of_number(session: Session, number: str) -> int:
    """Whom a number belongs to, for the log of one person. Raises NotAllowed without "access.audit", NotFound."""
    session.actor.must("access.audit")
    found = session.value(_AUDIT.of_number, number="".join(c for c in number.upper() if c.isalnum()))
    if found is None:
        raise NotFound(N_("Nobody has this number."))
    return int(found)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), _VIET_NAM)


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
