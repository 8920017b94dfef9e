"""Taking back what was entered in error on residence and households."""

from __future__ import annotations

from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.population import store
from khien.population.changing import Subject, locked, place

_q = Queries("khien.population")


def undo_residence(*, by: Actor, change_id: UUID) -> list[int]:
    """Put everybody whose residence an event changed back to where they stood before it; whom. Undone already: nobody.

    The event and what it said stay readable. Raises NotFound for no such event, Refused where something newer was
    entered since: that is undone first.
    """
    by.must("residence.write")
    with begin(by) as session:
        persons = _undo(session, change_id, "residence")
        for person_id in persons:
            place(session, person_id, store.spells(session, person_id))
        return persons


def undo_household(*, by: Actor, change_id: UUID) -> list[int]:
    """The same for an event on households."""
    by.must("household.write")
    with begin(by) as session:
        return _undo(session, change_id, "household")


def _undo(session: Session, change_id: UUID, subject: Subject) -> list[int]:
    found = [row for row in session.rows(_q.changed_by, change_id=change_id) if row["subject"] == subject]
    if not found:
        raise NotFound
    persons = [row["person_id"] for row in found if row["undone_at"] is None]
    for person_id in persons:
        locked(session, person_id)
    for person_id in persons:
        outcome = session.value(_q.restore, person_id=person_id, change_id=change_id, at=session.now)
        if outcome == "changed_since":
            message = N_("Something newer was entered for this person. Undo that first.")
            raise Refused(message, rule="changed_since")
    if persons:
        session.log(f"{subject}.undo", persons)
    return persons
