"""A few people, places and visits in the test country."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

from khien.core.actor import machine
from khien.core.session import Session
from khien.tracing import actions
from khien.tracing.actions import CaseEntry
from tests.register import NORTH, add_country, add_person
from tests.tracing.brute import VIET_NAM, Visit

ALL = machine("epidemic-control", "*")


def at(day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    """A moment of August 2021 in Viet Nam."""
    return dt.datetime(2021, 8, day, hour, minute, tzinfo=VIET_NAM)


def add_people(session: Session, many: int, *, first: int = 1, unit: int = NORTH) -> list[int]:
    """People numbered from `first`, the personal number of person n being 001 followed by n."""
    add_country(session)
    people = list(range(first, first + many))
    for person in people:
        add_person(session, person, unit=unit)
        session.execute(
            "INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', %(value)s, %(person)s)",
            value=number(person), person=person,
        )  # fmt: skip
    return people


def number(person: int) -> str:
    return f"001{person:09d}"


def add_places(session: Session, **kinds: str) -> dict[str, int]:
    """Places by code and kind."""
    return {
        code: session.value("INSERT INTO place (code, kind) VALUES (%(c)s, %(k)s) RETURNING place_id", c=code, k=kind)
        for code, kind in kinds.items()
    }


def add_visits(session: Session, places: dict[str, int], visits: list[Visit]) -> None:
    for v in visits:
        session.execute(
            "INSERT INTO visit (person_id, place_id, came_at, left_at, span, source) VALUES (%(person)s, %(place)s,"
            " %(came)s, %(left)s, visit_class(%(came)s, %(left)s), 'guest') ON CONFLICT DO NOTHING",
            person=v.person, place=places[v.place], came=v.came, left=v.left,
        )  # fmt: skip


def add_home(session: Session, household: int, *people: int, unit: int = NORTH) -> None:
    session.execute(
        "INSERT INTO household (household_id, unit_id, address) VALUES (%(h)s, %(u)s, 'Số 1')", h=household, u=unit
    )
    for person in people:
        session.execute(
            "INSERT INTO household_member (person_id, household_id, relation, valid)"
            " VALUES (%(p)s, %(h)s, 'other', '[2000-01-01,)')",
            p=person, h=household,
        )  # fmt: skip


def report(person: int, onset: dt.date | None = None, sampled: dt.date | None = None, **more: object) -> int:
    entry = CaseEntry(uuid4(), person, onset_on=onset, sampled_on=sampled, **more)  # type: ignore[arg-type]
    return actions.report_case(by=ALL, entry=entry).case_id
