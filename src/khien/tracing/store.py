"""Reading cases, contacts and work lists. What returns identified people logs it here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session, beside
from khien.core.sql import Queries
from khien.tracing.contact import told_exposures
from khien.tracing.found import Found, read, whole
from khien.tracing.rules.cases import OPEN_CONTACT

_q = Queries("khien.tracing")

PAGE = 50
BREACH_DAYS = dt.timedelta(days=7)
NO_CASE = N_("This person has no open case that you may trace. Report the case first.")


def open_case(session: Session, person_id: int) -> dict[str, Any]:
    """The newest open case of a person within the actor's area. Raises NotFound."""
    found = session.row(_q.open_case, person_id=person_id)
    if found is None:
        raise NotFound(NO_CASE)
    return found


def open_cases(session: Session, persons: Sequence[int]) -> list[dict[str, Any]]:
    """The newest open case of each of these people who has one."""
    return session.rows(_q.open_cases_of, persons=list(persons))


def case(session: Session, person_id: int, case_id: int) -> dict[str, Any]:
    """One case with its person's name. Logged. Raises NotFound."""
    found = session.row(_q.case, person_id=person_id, case_id=case_id)
    if found is None:
        raise NotFound
    session.log("case.read", [person_id], case=case_id)
    return found


def cases(
    session: Session, *, state: str | None = None, page: int = 1, size: int = PAGE
) -> tuple[list[dict[str, Any]], int]:
    """A page of the area's cases, newest first, and how many there are. Logged."""
    rows = session.rows(_q.cases, state=state, page=size, offset=(page - 1) * size)
    if rows:
        session.log("case.read", [row["person_id"] for row in rows], list=True)
    return rows, session.value(_q.count_cases, state=state)


def people_of(session: Session, numbers: Sequence[str]) -> list[int | None]:
    """The person of each number (personal or provisional), in order; None where nobody has it."""
    found: dict[int, int | None] = {}
    for row in session.rows(_q.numbers_to_people, numbers=[n.strip().upper() for n in numbers]):
        found.setdefault(row["row"], row["person_id"])
    return [found.get(n) for n in range(1, len(numbers) + 1)]


def place_names(session: Session, places: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Code, kind, name and commune of places, by their id."""
    return {row["place_id"]: row for row in session.rows(_q.place_names, places=list(places))}


def traced(
    session: Session,
    *,
    persons: Sequence[int],
    cases: Sequence[int],
    starts: Sequence[dt.datetime],
    ends: Sequence[dt.datetime],
    onsets: Sequence[dt.date | None],
    moment: dt.datetime,
    depth: int,
    rule: Any,
    keep: str | None,
    shared: bool = False,
) -> list[Found]:
    """What `trace_contacts` (contacts.sql) found, by degree and case. Not logged. `shared`: half of the second degree
    may be sought in a session beside, which sees only what is committed."""
    asked = {
        "persons": list(persons), "cases": list(cases), "starts": list(starts), "ends": list(ends),
        "onsets": list(onsets), "moment": moment, "depth": depth, "rule": rule, "keep": keep, "half": None,
    }  # fmt: skip
    if shared and depth == 2 and keep is None:
        with beside(session) as other:
            if other is not None and (found := _by_halves(session, other, asked)) is not None:
                return found
    return _traced(session, asked)


def _by_halves(session: Session, other: Session, asked: dict[str, Any]) -> list[Found] | None:
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(_traced, other, asked | {"half": 1})
        first = _traced(session, asked | {"half": 0})
        try:
            return whole(first, second.result())
        except psycopg.OperationalError:  # of the second session alone: one search answers all the same
            return None


def _traced(session: Session, asked: dict[str, Any]) -> list[Found]:
    with session.connection.cursor(binary=True) as cursor:
        return read(cursor.execute(_q.trace, asked))


def contacts(
    session: Session, person_id: int, case_id: int, *, page: int = 1, size: int = PAGE
) -> list[dict[str, Any]]:
    """A page of a case's contacts whom the actor may see, by degree and risk. Logged with the case."""
    rows = session.rows(
        _q.contacts_of_case, person_id=person_id, case_id=case_id, page=size, offset=(page - 1) * size
    )  # fmt: skip
    for row in rows:
        row["exposures"] = told_exposures(row["exposures"])
    if rows:
        session.log("contact.read", [row["person_id"] for row in rows], case=case_id)
    return rows


def contact_counts(session: Session, person_id: int, case_id: int) -> list[dict[str, Any]]:
    """Contacts of a visible case by degree and commune, of the whole nation: numbers, not people."""
    return session.rows(_q.contact_counts, person_id=person_id, case_id=case_id)


def work_list(
    session: Session, *, states: Sequence[str] = OPEN_CONTACT, depth: int = 1, page: int = 1, size: int = PAGE
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Contacts in the actor's area who need something, the most at risk first, and how many by state. Logged."""
    rows = session.rows(_q.work_list, states=list(states), depth=depth, page=size, offset=(page - 1) * size)
    if rows:
        session.log("contact.read", [row["person_id"] for row in rows], list=True)
    counts = session.rows(_q.count_work, states=list(OPEN_CONTACT), depth=depth)
    return rows, {row["state"]: row["people"] for row in counts}


def breaches(session: Session, since: dt.datetime) -> list[dict[str, Any]]:
    """Isolated people of the area who passed a checkpoint, or were checked at one, since a moment. Logged."""
    shift = session.value(_q.clock_shift, now=session.now)
    rows = session.rows(_q.breaches, since=since, shift=shift)
    if rows:
        session.log("contact.read", [row["person_id"] for row in rows], breach=True)
    return rows


def contact_of(session: Session, person_id: int) -> dict[str, Any] | None:
    """The list (case_person_id, case_id, score, state) on which somebody is followed as an F1, or None. Logged."""
    found = session.row(_q.contact_of, person_id=person_id, states=list(OPEN_CONTACT))
    if found is not None:
        session.log("contact.read", [person_id], case=found["case_id"])
    return found


def isolated(session: Session, *, due: bool = False, page: int = 1, size: int = PAGE) -> list[dict[str, Any]]:
    """Open orders of isolation in the actor's area, those first that end first; `due`: only whose last day is over.
    Logged."""
    rows = session.rows(_q.isolated, today=session.today, due=due, page=size, offset=(page - 1) * size)
    if rows:
        session.log("contact.read", [row["person_id"] for row in rows], isolation=True)
    return rows


def diary(session: Session, person_id: int) -> list[dict[str, Any]]:
    """A person's symptom diary, newest first. Logged."""
    session.log("contact.read", [person_id], diary=True)
    return session.rows(_q.diary, person_id=person_id)


def readable(exposure: dict[str, Any], places: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """An exposure with times as such and its place's name."""
    place = places.get(exposure["place"] or 0)
    return {
        "kind": exposure["kind"], "place": (place["name"] or place["code"]) if place else "",
        "from_at": dt.datetime.fromisoformat(exposure["from"]),
        "until_at": dt.datetime.fromisoformat(exposure["until"]),
        "hours": exposure["seconds"] / 3600,
    }  # fmt: skip
