"""What is noted about a person for vaccination: health, how to reach them, the priority group of a list."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_, Message
from khien.core.session import begin
from khien.vaccination import programmes
from khien.vaccination.rules.listed import read_list
from khien.vaccination.store.people import SQL, health_codes

_PHONE = re.compile(r"\+?[0-9]{8,15}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f,;<>]{1,64}@[^@\s\x00-\x1f,;<>]{1,255}")


def note_health_fact(
    *, by: Actor, client_id: UUID, person_id: int, code: str, since: dt.date, until: dt.date | None = None,
    source: str = "station",
) -> None:  # fmt: skip
    """What the rules ask for (rulebook/vaccination/health_facts.toml): an infection, immune deficiency, pregnancy.

    `until` is the first day on which it no longer holds. Replays change nothing. Raises BadInput, NotFound.
    """
    by.must("desk.work")
    if code not in health_codes():
        raise _wrong("code", N_("Not a condition or infection of the rulebook."))
    if until is not None and until <= since:
        raise _wrong("until", N_("Must be after the first day."))
    with begin(by) as session:
        if since > session.today:
            raise _wrong("since", N_("Must not be in the future."))
        if not session.value(SQL.person_exists, person_id=person_id):
            raise NotFound
        made = session.value(
            SQL.insert_fact, person_id=person_id, client_id=client_id, code=code, since=since, until=until,
            source=source, by=by.account_id, now=session.now,
        )  # fmt: skip
        if made is not None:
            session.log("desk.work", [person_id], fact=made)


def end_health_fact(*, by: Actor, person_id: int, fact_id: int) -> None:
    """It no longer holds from today on; noted today by mistake, it holds for today only. Again changes nothing."""
    by.must("desk.work")
    with begin(by) as session:
        if not session.value(SQL.fact_exists, person_id=person_id, fact_id=fact_id):
            raise NotFound
        if session.execute(SQL.end_fact, person_id=person_id, fact_id=fact_id, on=session.today):
            session.log("desk.work", [person_id], fact=fact_id, ended=True)


def note_infection(*, by: Actor, client_id: UUID, person_id: int, disease: str, since: dt.date) -> None:
    """A case of a disease is confirmed: from then on it puts doses off where a programme says so.

    `client_id`: one number a case. Told again with another first day the fact moves; otherwise that changes nothing.
    A disease that no programme asks about is not noted.
    """
    by.must("case.report")
    if health_codes().get(disease, {}).get("kind") != "infection":
        return
    with begin(by) as session:
        made = session.value(
            SQL.put_infection, person_id=person_id, client_id=client_id, code=disease, since=since, by=by.account_id,
            now=session.now,
        )  # fmt: skip
        if made is not None:
            session.log("case.report", [person_id], fact=made)


def withdraw_infection(*, by: Actor, client_id: UUID, person_id: int) -> None:
    """The case was none: what `note_infection` noted of it never held. Again changes nothing."""
    by.must("case.report")
    with begin(by) as session:
        taken = session.value(SQL.withdraw_infection, person_id=person_id, client_id=client_id)
        if taken is not None:
            session.log("case.report", [person_id], fact=taken, withdrawn=True)


def note_contact(*, by: Actor, person_id: int, phone: str = "", email: str = "") -> None:
    """How an invitation reaches the person; an empty one takes the old one away. Raises BadInput, NotFound."""
    by.must("desk.work")
    number = re.sub(r"[\s.\-()]", "", phone)
    faults = []
    if number and not _PHONE.fullmatch(number):
        faults.append(Fault("phone", N_("Not a telephone number: 8 to 15 digits.")))
    if email.strip() and not _EMAIL.fullmatch(email.strip()):
        faults.append(Fault("email", N_("Not an e-mail address.")))
    if faults:
        raise BadInput(faults[0].message, faults=tuple(faults))
    with begin(by) as session:
        if not session.value(SQL.person_exists, person_id=person_id):
            raise NotFound
        for system, value in (("phone", number), ("email", email.strip())):
            session.execute(SQL.set_contact, person_id=person_id, system=system, value=value)
        session.log("desk.work", [person_id], contact=True)


def set_priorities(*, by: Actor, programme: str, group_number: int, people: Sequence[int], source: str) -> int:
    """Put people of a list (an employer's, a commune's) into a priority group; how many of them exist in the area."""
    by.must("campaign.manage")
    if group_number not in {g.number for g in programmes.find(programme).priority_groups}:
        raise _wrong("group_number", N_("The programme has no such priority group."))
    with begin(by) as session:
        done = session.rows(
            SQL.set_priorities, programme=programme, group_number=group_number, people=list(people), source=source
        )
        if done:
            session.log("campaign.manage", [row["person_id"] for row in done], group=group_number)
        return len(done)


@dataclass(frozen=True, slots=True)
class Prioritised:
    """How many are in the group now, and the lines of the list that put nobody in."""

    done: int
    faults: tuple[Fault, ...]


def prioritise(*, by: Actor, programme: str, group_number: int, content: bytes, source: str) -> Prioritised:
    """`set_priorities` for a list of personal numbers (see rules/listed.py). Raises BadInput for what is no list."""
    by.must("campaign.manage")
    listed = read_list(content)
    with begin(by) as session:
        found = {r["value"]: r["person_id"] for r in session.rows(SQL.people_by_number, numbers=list(listed.numbers))}
        people = list(dict.fromkeys(found.values()))
        done = set_priorities(by=by, programme=programme, group_number=group_number, people=people, source=source)
    unknown = N_("Nobody of this number is known in your area.")
    absent = [Fault("personal_number", unknown, n) for value, n in listed.numbers.items() if value not in found]
    return Prioritised(done, tuple(sorted((*listed.faults, *absent), key=lambda fault: fault.line or 0)))


def _wrong(field: str, message: Message) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
