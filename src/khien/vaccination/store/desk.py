"""Reading a vaccination desk: where a person stands, who is observed, how the doses of a session add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from khien import rulebook
from khien.core.session import Session
from khien.core.sql import Queries
from khien.population import store as population
from khien.vaccination import schedule
from khien.vaccination.rules.screening import Form, age_on, form_in_force

SQL = Queries("khien.vaccination", "desk.sql")


@cache
def desk_checks() -> dict[str, Mapping[str, Any]]:
    """The checks of rulebook/vaccination/desk.toml by id."""
    return {check["id"]: check for check in rulebook.load("vaccination", "desk")["check"]}


def desk_rules() -> Mapping[str, Any]:
    return rulebook.load("vaccination", "desk")


def screening_form(birth_date: dt.date, on: dt.date) -> Form | None:
    """The form in force on a day for somebody of that birth."""
    return form_in_force(rulebook.load("vaccination", "screening"), on, age_on(birth_date, on))


def visit(session: Session, session_id: int, person_id: int) -> dict[str, Any] | None:
    """How far the person has come in the session; None who was not screened yet."""
    session.actor.must("desk.work")
    return session.row(SQL.visit, session_id=session_id, person_id=person_id)


def call_of_person(session: Session, session_id: int, person_id: int) -> dict[str, Any] | None:
    """The person's line in the session's call list; None for a walk-in."""
    session.actor.must("desk.work")
    return session.row(SQL.call_of_person, session_id=session_id, person_id=person_id)


def advice(session: Session, one: Mapping[str, Any], person_id: int) -> schedule.Advice:
    """What the schedule says of giving the session's product to the person today. `one`: the session."""
    session.actor.must("desk.work")
    person = population.identity(session, person_id)
    return schedule.advise(
        one["programme"], one["vaccine_group"], one["product"], session.today, birth_date=person["birth_date"],
        sex=person["sex"], doses=session.rows(SQL.doses_that_stand, person_id=person_id),
        facts=session.rows(SQL.facts_of_person, person_id=person_id, on=session.today),
    )  # fmt: skip


def observed(session: Session, session_id: int) -> list[dict[str, Any]]:
    """Who is under observation, with `minutes` left (nought: may leave), and who left a short while ago. Logged."""
    session.actor.must("desk.work")
    rows = session.rows(SQL.observed, session_id=session_id, now=session.now)
    for row in rows:
        left = (row["observe_until"] - session.now).total_seconds()
        row["minutes"] = max(0, -int(-left // 60))  # a minute that has begun is shown whole
    if rows:
        session.log("desk.work", [row["person_id"] for row in rows], session=session_id, board=True)
    return rows


def reconcile(session: Session, session_id: int) -> list[dict[str, Any]]:
    """Doses used by the ledger beside doses recorded, lot by lot; `difference` is used minus recorded."""
    session.actor.must("campaign.read")
    return session.rows(SQL.reconcile, session_id=session_id)


def figures(session: Session, sessions: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Counts by session: called, walk_in, refused, unreachable, screened, postponed, given, observed (now)."""
    session.actor.must("campaign.read")
    return {row["session_id"]: row for row in session.rows(SQL.figures, sessions=list(sessions))}
