"""Writes about people of zones: work for the police where they are, where they are kept to be, what goes away."""

from __future__ import annotations

import datetime as dt

from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import begin
from khien.core.sql import Queries
from khien.core.text import free_text
from khien.zones import store
from khien.zones.rules.lifecycle import TASK_STATES, TaskState, task_may_become
from khien.zones.rules.presence import rule_of

_q = Queries("khien.zones.movement")


def push(*, by: Actor, zone_id: int, on: dt.date | None = None, days: int | None = None) -> int:
    """Give those who left a zone to the police of the communes where they are; how many tasks are new.

    The same again makes nothing; who has moved on meanwhile makes a task in the new commune. Raises NotFound.
    """
    by.must("zone.people")
    with begin(by) as session:
        day = on or session.today
        area = store.area_of(session, store.order_on(session, zone_id, day))
        store.must_reach(session, area)
        made = session.value(_q.push, zone_id=zone_id, **store.asked(session, area, day, days))
        if made:
            session.log("zone.push", made, zone=zone_id)
        return len(made)


def report_task(
    *, by: Actor, person_id: int, zone_id: int, unit_id: int, came_on: dt.date, state: TaskState, note: str = ""
) -> None:
    """Say what came of a task of the actor's communes. The same again changes nothing. Raises NotFound, Refused."""
    by.must("zone.people")
    with begin(by) as session:
        before = [s for s in TASK_STATES if task_may_become(s, state)]
        was = session.value(
            _q.task_done, person_id=person_id, zone_id=zone_id, unit_id=unit_id, came_on=came_on, state=state,
            before=before, today=session.today, note=free_text(note, "note"),
        )  # fmt: skip
        if was is None:
            raise NotFound
        if was == state:
            return
        if was not in before:
            raise Refused(N_("This task has been reported otherwise."), rule="task_transition")
        session.log("zone.task", [person_id], zone=zone_id, state=state)


def refresh_presence(*, by: Actor, on: dt.date | None = None) -> int:
    """Write again where the register says everybody is: stays end without anybody typing. Gives how many changed."""
    by.must("residence.write")
    with begin(by, role="khien_loader") as session:
        changed = [r["person_id"] for r in session.rows(_q.refresh_presence, on=on or session.today)]
        if changed:
            session.log("residence.refresh", changed)
        return len(changed)


def expire_tasks(*, by: Actor, before: dt.date | None = None) -> list[store.Row]:
    """Drop the months of tasks whose retention is over; the proof is in the log.

    `before`: drop the months that ended by this day, by default as the rulebook says. Gives partition, tasks and how
    many of them were open. Passages and notices go by `checkpoints.movement.actions.retain`.
    """
    by.must("zone.expire")
    with begin(by) as session:
        rule = rule_of("retention", session.today)
        return session.rows(_q.expire, before=before or session.today - dt.timedelta(days=rule["days"]))
