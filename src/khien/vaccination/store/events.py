"""Reading adverse events, their deadlines, signals by lot, and the doses that wait for verification."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from khien import rulebook
from khien.core.errors import NotFound
from khien.core.session import Session
from khien.core.sql import Queries
from khien.vaccination.rules.adverse_events import LotCount, Signal, deadlines, signals

SQL = Queries("khien.vaccination", "events.sql")
VIET_NAM = dt.timezone(dt.timedelta(hours=7))


def event_rules() -> Mapping[str, Any]:
    return rulebook.load("vaccination", "adverse_events")


def event(session: Session, person_id: int, event_id: int) -> dict[str, Any]:
    """One event. Logged. Raises NotFound, also outside the actor's scope."""
    session.actor.must("event.read")
    found = session.row(SQL.event, person_id=person_id, event_id=event_id)
    if found is None:
        raise NotFound
    session.log("event.read", [person_id])
    return found


def work_list(session: Session) -> list[dict[str, Any]]:
    """Open events of the actor's area, each with its next `deadline` and if it is `late`; most urgent first."""
    session.actor.must("event.read")
    rows = session.rows(SQL.open_events)
    if rows:
        session.log("event.read", {row["person_id"] for row in rows})
    for row in rows:
        done = {"report": row["reported_at"], "monthly": row["reported_at"], "conclude": row["concluded_at"]}
        steps = deadlines(row["known_at"], bool(row["seriousness"]), event_rules(), VIET_NAM)
        row["deadlines"] = [d for d in steps if done[d.id] is None]
        row["deadline"] = min(row["deadlines"], key=lambda d: d.due, default=None)
        row["late"] = row["deadline"] is not None and row["deadline"].due < session.now
    return sorted(rows, key=lambda r: (r["deadline"] is None, r["deadline"].due if r["deadline"] else session.now))


def lot_signals(session: Session, product: str | None = None, *, serious: bool = False) -> list[Signal]:
    """Each lot's rate of events against the other lots of its vaccine, over the whole nation; no person is named."""
    session.actor.must("event.read")
    rule = event_rules()["signal"]
    key = "serious" if serious else "events"
    counts = [
        LotCount(r["product"], r["lot_number"], r["doses"], r[key])
        for r in session.rows(SQL.lot_events, product=product)
    ]
    return signals(counts, above=rule["above"], events=rule["events"], confidence=rule["confidence"])


def declared_doses(session: Session, most: int = 200) -> list[dict[str, Any]]:
    """Doses that people of the area declared and nobody has verified yet. Logged."""
    session.actor.must("dose.verify")
    rows = session.rows(SQL.declared_doses, most=most)
    if rows:
        session.log("dose.read", {row["person_id"] for row in rows}, declared=True)
    return rows
