"""Movement between communes, and the work it makes for the police where people of a zone are now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from khien.core.errors import WrongUsage
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries

Row = dict[str, Any]
_q = Queries("khien.zones.movement")
_LEVELS = {"province": 1, "district": 2, "commune": 3}


def flows(session: Session, first: dt.date, last: dt.date, level: str = "province") -> list[Row]:
    """People by day, unit left and unit reached (from_*, to_*: unit, code, name), of those the actor sees.

    From changes of residence and from passages; the same way twice a day counts once. `late` of them were recorded more
    than a day after they happened. Both days are included. Raises WrongUsage for an unknown level.
    """
    session.actor.must("zone.read")
    if level not in _LEVELS:
        raise WrongUsage(N_("Flows are between provinces, districts or communes."))
    return session.rows(_q.flows, first=first, last=last, level=_LEVELS[level])


def tasks(session: Session, since: dt.date) -> list[Row]:
    """The work of the actor's communes: whatever is open, and what was made since a day. Logged.

    Rows of zone_tasks in functions.sql with home_name and unit_name.
    """
    session.actor.must("zone.people")
    rows = session.rows(_q.tasks, since=since)
    if rows:
        session.log("zone.people", sorted({r["person_id"] for r in rows}), tasks=True)
    return rows


def needs_of(session: Session, person_id: int) -> list[Row]:
    """What was recorded of one person's needs: kind, from_day, until_day, source, now. The caller logs the reading."""
    session.actor.must("need.record")
    return session.rows(_q.needs, person_id=person_id, on=session.today)
