"""Writing in the work on contacts: calls and visits, orders of isolation and their end, symptom diaries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import begin
from khien.core.sql import Queries
from khien.core.text import free_text
from khien.tracing.history import note
from khien.tracing.rules import cases, diary
from khien.tracing.rules.isolation import Isolation, isolation
from khien.tracing.rules.window import VIET_NAM

_q = Queries("khien.tracing")

_WORK = ("called", "visited", "sampled", "not_found")  # what may be noted by hand; the rest follows from other actions


def work_on_contact(
    *, by: Actor, person_id: int, case_person_id: int, case_id: int, state: str, remark: str = ""
) -> None:
    """Note what was done about a contact: called, visited, sampled, not found ... It holds for every list the person
    stands on in the same degree. Raises NotFound, Refused for a state that cannot follow, NotAllowed."""
    by.must("contact.work")
    with begin(by) as session:
        found = session.row(_q.lock_contact, person_id=person_id, case_person_id=case_person_id, case_id=case_id)
        if found is None:
            raise NotFound
        if state not in _WORK or not cases.contact_may_become(found["state"], state):
            raise Refused(
                N_("A contact that is {before} cannot become {after}."), rule="contact_state",
                before=found["state"], after=state,
            )  # fmt: skip
        session.execute(
            _q.set_contact, person_id=person_id, state=state, open=list(cases.OPEN_CONTACT), degree=found["degree"]
        )
        note(session, "contact", person_id, (case_person_id, case_id), found["state"], state, remark)
        session.log("contact.work", [person_id], case=case_id, state=state)


def order_isolation(
    *, by: Actor, person_id: int, case_person_id: int, case_id: int, place: str | None = None
) -> Isolation:
    """Order a contact of degree 1 to stay apart, for as long as the rule of today says: doses and recovery count.

    A second order while one is open changes nothing and gives what the rule says. `place` overrides the rule's. Raises
    NotFound, Refused for a contact that needs none, NotAllowed.
    """
    by.must("isolation.order")
    with begin(by) as session:
        found = session.row(_q.lock_contact, person_id=person_id, case_person_id=case_person_id, case_id=case_id)
        if found is None:
            raise NotFound
        if found["degree"] != 1 or found["state"] not in cases.OPEN_CONTACT:
            raise Refused(N_("Only an F1 who is still followed is isolated."), rule="isolation_f1")
        known = session.row(_q.protection, person_id=person_id, disease="covid-19") or {}
        last = found["last_at"] - dt.timedelta(microseconds=1)  # half-open: midnight belongs to the day before
        decided = isolation(
            ordered_on=session.today, last_exposed_on=min(last.astimezone(VIET_NAM).date(), session.today), **known
        )
        made = session.value(
            _q.add_isolation, person_id=person_id, case_person_id=case_person_id, case_id=case_id,
            place=place or decided.place, first=decided.first, until=decided.until, watch_until=decided.watch_until,
            tests=list(decided.tests), rule=decided.rule, account=by.account_id, now=session.now,
        )  # fmt: skip
        if made is not None:
            session.execute(
                _q.set_contact, person_id=person_id, state="isolated", open=list(cases.OPEN_CONTACT), degree=1
            )
            note(session, "isolation", person_id, (case_person_id, case_id), None, "isolated", decided.rule)
            session.log("isolation.order", [person_id], case=case_id, rule=decided.rule)
    return decided


def release(*, by: Actor, person_id: int, reason: str = "") -> None:
    """End a person's isolation today. Raises NotFound for somebody who is not isolated, NotAllowed."""
    by.must("isolation.order")
    with begin(by) as session:
        found = session.row(_q.open_isolation, person_id=person_id)
        if found is None:
            raise NotFound
        session.execute(_q.release, on=max(session.today, found["days"].lower), persons=[person_id])
        session.execute(_q.release_contacts, persons=[person_id], open=list(cases.OPEN_CONTACT))
        note(
            session, "isolation", person_id, (found["case_person_id"], found["case_id"]), "isolated", "released", reason
        )
        session.log("isolation.order", [person_id], released=True)


def release_due(*, by: Actor) -> int:
    """Release everybody in the area whose last day is over. How many. Raises NotAllowed."""
    by.must("isolation.order")
    with begin(by) as session:
        persons = [row["person_id"] for row in session.rows(_q.due_isolation, today=session.today)]
        if persons:
            session.execute(_q.release, on=session.today, persons=persons)
            session.execute(_q.release_contacts, persons=persons, open=list(cases.OPEN_CONTACT))
            session.log("isolation.order", persons, released=True)
    return len(persons)


def note_symptoms(
    *, by: Actor, person_id: int, client_id: UUID, symptoms: Sequence[str], temperature: Decimal | None = None,
    remark: str = "",
) -> None:  # fmt: skip
    """An entry in a contact's symptom diary; temperature in °C. The same client_id again changes nothing."""
    by.must("contact.work")
    with begin(by) as session:
        session.execute(
            _q.add_symptoms, person_id=person_id, client_id=client_id, now=session.now, temperature=temperature,
            symptoms=list(symptoms), note=free_text(remark, "remark"),
            alarming=diary.alarming(symptoms, temperature, session.today),
        )  # fmt: skip
        session.log("contact.work", [person_id], diary=True)
