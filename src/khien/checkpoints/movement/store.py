"""Reading movement. Whatever shows an identified person logs it here (DESIGN §4.4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from khien.checkpoints.rules.passages import plate as normal_plate
from khien.checkpoints.rules.passages import rule_on
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries

SQL = Queries("khien.checkpoints.movement")
MOST = 500


def checkpoints(session: Session) -> list[dict[str, Any]]:
    """Checkpoints of the actor's area that are open today: checkpoint_id, code, name, unit_id, unit_name, road."""
    return session.rows(SQL.checkpoints, area=session.actor.area, today=session.today)


def checkpoint(session: Session, *, code: str | None = None, checkpoint_id: int | None = None) -> dict[str, Any]:
    """One of them, open or not. Raises NotFound, also outside the actor's area."""
    found = session.row(SQL.checkpoint, code=code, checkpoint_id=checkpoint_id, area=session.actor.area)
    if found is None:
        raise NotFound(N_("There is no such checkpoint."))
    return found


def passages(
    session: Session, checkpoint_id: int, *, since: dt.datetime, until: dt.datetime, plate: str | None = None,
    name: str | None = None, most: int = MOST,
) -> list[dict[str, Any]]:  # fmt: skip
    """Who passed, newest first: person_id, name, birth_year, number_tail (last three characters), passed_at (UTC),
    direction, plate, companions, from_name, to_name, checked, with_pass, recorded_at.

    `plate` exactly, `name` by whole words, folded. Raises NotFound, BadInput for what is no plate.
    """
    session.actor.must("passage.read")
    checkpoint(session, checkpoint_id=checkpoint_id)
    try:
        wanted = normal_plate(plate)
    except ValueError:
        message = N_("This is not a number plate.")
        raise BadInput(message, faults=(Fault("plate", message),)) from None
    rows = session.rows(
        SQL.passages, checkpoint_id=checkpoint_id, since=since, until=until, plate=wanted, name=name or None, most=most
    )
    session.log("passage.read", sorted({row["person_id"] for row in rows}), checkpoint=checkpoint_id)
    return rows


def unmatched(
    session: Session, checkpoint_id: int, *, since: dt.datetime, until: dt.datetime, most: int = MOST
) -> list[dict[str, Any]]:
    """Passages whose person the register does not know by what was noted (`noted`)."""
    session.actor.must("passage.read")
    checkpoint(session, checkpoint_id=checkpoint_id)
    return session.rows(SQL.unmatched, checkpoint_id=checkpoint_id, since=since, until=until, most=most)


def per_hour(session: Session, checkpoint_id: int, *, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    """Counters: hour (UTC), came_in, went_out; hours without passages are absent."""
    session.actor.must("passage.read")
    checkpoint(session, checkpoint_id=checkpoint_id)
    return session.rows(SQL.per_hour, checkpoint_id=checkpoint_id, since=since, until=until)


def notices(session: Session, *, since: dt.datetime, state: str = "open", most: int = MOST) -> list[dict[str, Any]]:
    """The work list of the actor's communes, newest first: who leaves, who arrives. `state`: open, seen, not_found."""
    session.actor.must("passage.read")
    rows = session.rows(SQL.notices, units=session.actor.area, since=since, state=state, most=most)
    session.log("passage.read", sorted({row["person_id"] for row in rows}), list="notices")
    return rows


def notice_counts(session: Session, *, since: dt.datetime) -> dict[str, int]:
    """How many entries of the work list are open, seen, not_found."""
    session.actor.must("passage.read")
    counted = {r["state"]: r["entries"] for r in session.rows(SQL.notice_counts, units=session.actor.area, since=since)}
    return {state: counted.get(state, 0) for state in ("open", "seen", "not_found")}


def figures(session: Session, *, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    """Every checkpoint of the nation, without anybody's identity: passages, unmatched, with_pass, last_passage (UTC),
    checks and how they came out, median_gap (seconds between passages), and `state`: flowing, slow, silent.

    Needs "checkpoint.figures".
    """
    session.actor.must("checkpoint.figures")
    rule = rule_on(session.today)
    silent_before = min(until, session.now) - dt.timedelta(minutes=rule.silent_minutes)
    rows = session.rows(SQL.figures, since=since, until=until)
    for row in rows:
        if row["last_passage"] is None or row["last_passage"] < silent_before:
            row["state"] = "silent"
        else:
            row["state"] = "slow" if (row["median_gap"] or 0) > rule.slow_seconds else "flowing"
        row["mismatch"] = (row["checks"] - row["matched"]) / row["checks"] if row["checks"] else None
    return rows


def figures_by_hour(session: Session, *, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    """checkpoint_id, code, hour (UTC), came_in, went_out. Needs "checkpoint.figures"."""
    session.actor.must("checkpoint.figures")
    return session.rows(SQL.figures_by_hour, since=since, until=until)
