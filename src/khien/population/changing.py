"""What all writes to the register share: replays, locks, the log row, and what an event changed, to be undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.population.rules.residence import Spell, present_place

_q = Queries("khien.population")
Subject = Literal["residence", "household"]


def replayed(session: Session, client_id: UUID) -> int | None:
    """The person an earlier message with this id was about. Holds other copies of the message back meanwhile."""
    session.execute(_q.lock_message, client_id=client_id)
    found = session.value(_q.message, client_id=client_id)
    return None if found is None else int(found)


def done(session: Session, action: str, person_id: int, client_id: UUID | None, **detail: object) -> None:
    """The log row, and the message remembered."""
    if client_id is not None:
        session.execute(_q.remember_message, person_id=person_id, client_id=client_id, action=action)
    session.log(action, [person_id], **detail)


def locked(session: Session, person_id: int) -> dict[str, Any]:
    record = session.row(_q.lock_person, person_id=person_id)
    if record is None:
        raise NotFound
    return record


def place(session: Session, person_id: int, spells: tuple[Spell, ...]) -> None:
    """Keep person.home_unit and person.present_unit in step: scope and zones go by them."""
    today = session.today
    present = present_place(spells, today).unit
    home = next((s.unit for s in reversed(spells) if s.kind == "permanent" and s.covers(today)), None)
    session.execute(_q.set_places, person_id=person_id, home_unit=home, present_unit=present)


def not_future(day: dt.date, field: str, today: dt.date) -> None:
    if day > today:
        raise bad(field, N_("The date lies in the future."))


def bad(field: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))


def state_of(session: Session, subject: Subject, persons: Iterable[int]) -> dict[int, Any]:
    """The rows of people's residence or household as they stand, to compare with what an event makes of them."""
    rows = session.rows(_q.states, subject=subject, ids=sorted(set(persons)))
    return {row["person_id"]: row["state"] for row in rows}


def changed(session: Session, subject: Subject, before: Mapping[int, Any], client_id: UUID | None) -> UUID:
    """Keep what an event changed, as it stood before and after; the id under which it can be undone."""
    change = client_id or uuid4()
    after = state_of(session, subject, before)
    moved = [person for person in before if after[person] != before[person]]
    session.execute(
        _q.keep_change, change_id=change, subject=subject, persons=moved, at=session.now,
        before=[Jsonb(before[p]) for p in moved], after=[Jsonb(after[p]) for p in moved],
        account_id=session.actor.account_id,
    )  # fmt: skip
    return change
