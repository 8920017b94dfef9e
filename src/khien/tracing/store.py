"""Reading cases, contacts and work lists. What returns identified people logs it here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries

_q = Queries("khien.tracing")

PAGE = 50
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
) -> list[dict[str, Any]]:
    """Rows of `trace_contacts` (functions.sql): contacts, and what was cut as rows without a person. Not logged."""
    return session.rows(
        _q.trace, persons=list(persons), cases=list(cases), starts=list(starts), ends=list(ends), onsets=list(onsets),
        moment=moment, depth=depth, rule=rule, keep=keep,
    )  # fmt: skip
