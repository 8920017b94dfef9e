"""Writing in tracing: reporting cases and what becomes of them, and tracing, which writes the contacts down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.tracing import store
from khien.tracing.contact import Contact
from khien.tracing.found import Found
from khien.tracing.history import note
from khien.tracing.movement import derive
from khien.tracing.rules import cases, exposure
from khien.tracing.rules.window import VIET_NAM, Window, contact_rule, infectious_window
from khien.vaccination import actions as vaccination

_q = Queries("khien.tracing")

MOST_DEPTH = 5


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A case as reported. `reported_on` None: today. One of onset and sample must be known."""

    client_id: UUID
    person_id: int
    state: str = "confirmed"
    onset_on: dt.date | None = None
    sampled_on: dt.date | None = None
    reported_on: dt.date | None = None
    isolated_at: dt.datetime | None = None
    variant: str | None = None
    source: str = "unknown"
    disease: str = "covid-19"


@dataclass(frozen=True, slots=True)
class Reported:
    """`result`: recorded or replayed. `was_contact`: the cases on whose contact lists this person stood."""

    result: str
    case_id: int
    was_contact: tuple[tuple[int, int], ...] = ()


def report_case(*, by: Actor, entry: CaseEntry, retrace: bool = True) -> Reported:
    """Report a case. Whoever is on a contact list stands there as a case from now on, is no longer isolated as one, and
    is traced at once (`retrace`). The same client_id again changes nothing.

    Raises BadInput, Refused (a second open case), NotAllowed.
    """
    by.must("case.report")
    with begin(by) as session:
        found = session.value(_q.case_of_message, person_id=entry.person_id, client_id=entry.client_id)
        if found is not None:
            return Reported("replayed", found)
        reported_on = entry.reported_on or session.today
        _check(entry, reported_on, session.today)
        if session.row(_q.open_case, person_id=entry.person_id):
            raise Refused(N_("This person has an open case already. Change that one."), rule="open_case")
        case_id = session.value(
            _q.add_case, person_id=entry.person_id, client_id=entry.client_id, disease=entry.disease,
            state=entry.state, definition=cases.definition(reported_on)["id"], onset_on=entry.onset_on,
            sampled_on=entry.sampled_on, reported_on=reported_on, isolated_at=entry.isolated_at, variant=entry.variant,
            source=entry.source, account=by.account_id, now=session.now,
        )  # fmt: skip
        session.log("case.report", [entry.person_id], case=case_id, state=entry.state)
        note(session, "case", entry.person_id, (entry.person_id, case_id), None, entry.state)
        if entry.state == "confirmed":
            _note_infection(by, asdict(entry))
        lists = _left_the_contacts(session, entry.person_id, reported_on)
        if lists and retrace:  # by the product itself: who reports need not be one who may trace
            trace(by=machine("epidemic-control", "trace.run"), persons=[entry.person_id])
    return Reported("recorded", case_id, lists)


def _check(entry: CaseEntry, reported_on: dt.date, today: dt.date) -> None:
    faults = []
    if entry.state not in cases.OPEN_CASE:
        faults.append(Fault("state", N_("A report names a suspected, probable or confirmed case.")))
    if entry.onset_on is None and entry.sampled_on is None:
        faults.append(Fault("onset", N_("Give the day of onset or of the sample.")))
    for name, day in (("onset", entry.onset_on), ("sampled", entry.sampled_on), ("reported", reported_on)):
        if day is not None and day > today:
            faults.append(Fault(name, N_("This day is in the future.")))
    if faults:
        raise BadInput(N_("The case cannot be reported like this."), faults=tuple(faults))


def _note_infection(by: Actor, case: Mapping[str, Any]) -> None:
    """A confirmed case puts the person's next dose off, where a programme says so."""
    vaccination.note_infection(
        by=by, client_id=_infection(case), person_id=case["person_id"], disease=case["disease"],
        since=case["onset_on"] or case["sampled_on"],
    )  # fmt: skip


def _infection(case: Mapping[str, Any]) -> UUID:
    """The number by which vaccination knows the infection of a case."""
    return uuid5(case["client_id"], "infection")


def _left_the_contacts(session: Session, person_id: int, on: dt.date) -> tuple[tuple[int, int], ...]:
    lists = []
    for row in session.rows(_q.contact_became_case, person_id=person_id):
        cause = (row["case_person_id"], row["case_id"])
        note(session, "contact", person_id, cause, None, "case")
        lists.append(cause)
    for row in session.rows(_q.end_isolation, person_id=person_id, on=on, reason="case"):
        note(session, "isolation", person_id, (row["case_person_id"], row["case_id"]), None, "case")
    return tuple(lists)


@dataclass(frozen=True, slots=True)
class Traced:
    """The contacts of one case, by degree and score; `cuts` says what was left out and why."""

    person_id: int
    case_id: int
    window: Window
    contacts: list[Contact]
    cuts: list[dict[str, Any]]


def trace(
    *,
    by: Actor,
    persons: Sequence[int],
    depth: int = 1,
    moment: dt.datetime | None = None,
    days: int | None = None,
    keep: bool = True,
) -> list[Traced]:
    """Trace the open cases of these people forward, all in one go, and write the contacts down (`keep`).

    depth: 1 for F1, 2 for F2 ...; moment: as known then (default now, with time zone); days: look back so many days
    before `moment` instead of by the rule. Raises NotFound for somebody without an open case in the actor's area,
    BadInput, NotAllowed. Logged with its cases.
    """
    by.must("trace.run")
    if not 1 <= depth <= MOST_DEPTH:
        fault = Fault("depth", N_("The depth is a number from 1 to {most}."), params={"most": MOST_DEPTH})
        raise BadInput(N_("The trace cannot be made like this."), faults=(fault,))
    with begin(by) as session:
        at = moment or session.now
        found = {c["person_id"]: c for c in store.open_cases(session, persons)}
        if not persons or any(p not in found for p in persons):
            raise NotFound(store.NO_CASE)
        rule = contact_rule(at.astimezone(VIET_NAM).date())
        windows = {p: _window(c, at, days) for p, c in found.items()}
        span = (min(w.start for w in windows.values()), max(w.end for w in windows.values()))
        derived = derive.derive(session, start=span[0], end=span[1], persons=list(found))
        rows = store.traced(
            session, persons=list(found), cases=[c["case_id"] for c in found.values()],
            starts=[windows[p].start for p in found], ends=[windows[p].end for p in found],
            onsets=[c["onset_on"] for c in found.values()], moment=at, depth=depth,
            rule=Jsonb(exposure.for_sql(rule)), keep=rule["id"] if keep else None,
            shared=not derived,
        )  # fmt: skip
        traced = _sorted_out(found, windows, rows)
        session.log("trace.run", list(found), cases=[c["case_id"] for c in found.values()], depth=depth,
                    contacts=sum(len(one.contacts) for one in traced))  # fmt: skip
    return traced


def _window(case: dict[str, Any], moment: dt.datetime, days: int | None) -> Window:
    return infectious_window(
        case["onset_on"], case["sampled_on"], moment=moment, isolated_at=case["isolated_at"], days=days
    )


def _sorted_out(cases: dict[int, dict[str, Any]], windows: dict[int, Window], found: list[Found]) -> list[Traced]:
    traced = {p: Traced(p, c["case_id"], windows[p], [], []) for p, c in cases.items()}
    for one in sorted(found, key=lambda one: one.degree):
        mine = traced[one.case_person_id]
        mine.contacts.extend(one.contacts())
        mine.cuts.extend(cut for row in one.cuts() for cut in row.cuts)
    return list(traced.values())


def change_case(
    *,
    by: Actor,
    person_id: int,
    case_id: int,
    state: str,
    on: dt.date | None = None,
    reason: str = "",
    onset_on: dt.date | None = None,
    sampled_on: dt.date | None = None,
    isolated_at: dt.datetime | None = None,
) -> None:
    """Move a case on in its life. A refuted one withdraws what it caused: contacts and isolation that no other open
    case holds up, the infection that puts doses off. Raises NotFound, Refused for a state that cannot follow,
    NotAllowed."""
    by.must("case.report")
    with begin(by) as session:
        found = session.row(_q.lock_case, person_id=person_id, case_id=case_id)
        if found is None:
            raise NotFound
        if state != found["state"] and not cases.case_may_become(found["state"], state):
            raise Refused(
                N_("A case that is {before} cannot become {after}."),
                rule="case_state",
                before=found["state"],
                after=state,
            )
        if state == "refuted" and not reason:
            raise BadInput(
                N_("Say why the case is lifted."), faults=(Fault("reason", N_("Say why the case is lifted.")),)
            )
        ended = None if state in cases.OPEN_CASE else (on or session.today)
        session.execute(
            _q.set_case, person_id=person_id, case_id=case_id, state=state, ended_on=ended, onset_on=onset_on,
            sampled_on=sampled_on, isolated_at=isolated_at,
        )  # fmt: skip
        session.log("case.report", [person_id], case=case_id, state=state)
        note(session, "case", person_id, (person_id, case_id), found["state"], state, reason)
        if state == "refuted":
            session.execute(_q.withdraw, person_id=person_id, case_id=case_id, on=session.today)
            vaccination.withdraw_infection(by=by, client_id=_infection(found), person_id=person_id)
        elif state == "confirmed" or found["state"] in ("confirmed", "recovered"):
            told = {"onset_on": onset_on, "sampled_on": sampled_on}
            _note_infection(by, found | {name: day for name, day in told.items() if day is not None})


def decide_link(*, by: Actor, person_id: int, case_id: int, infector: int | None, reason: str) -> None:
    """Note who infected a case: the number of the infector's case, None for somebody outside the known cases.

    It stands above what is estimated until it is decided anew. Raises NotFound, NotAllowed.
    """
    by.must("trace.run")
    with begin(by) as session:
        if session.row(_q.lock_case, person_id=person_id, case_id=case_id) is None:
            raise NotFound
        infector_id = session.value(_q.case_number, case_id=infector) if infector is not None else None
        if (infector is not None and infector_id is None) or infector_id == person_id:
            raise NotFound
        session.execute(
            _q.decide_link, person_id=person_id, case_id=case_id, infector_id=infector_id, reason=reason,
            account=by.account_id, now=session.now,
        )  # fmt: skip
        note(session, "link", person_id, (person_id, case_id), None, str(infector or "outside"), reason)
        session.log("trace.run", [person_id], case=case_id, link=infector)
