"""Reading what is noted about a person for vaccination."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from khien import rulebook
from khien.core.session import Session
from khien.core.sql import Queries

SQL = Queries("khien.vaccination", "people.sql")


@cache
def health_codes() -> Mapping[str, Mapping[str, Any]]:
    """The entries of rulebook/vaccination/health_facts.toml by id."""
    return {fact["id"]: fact for fact in rulebook.load("vaccination", "health_facts")["fact"]}


def health_facts(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What is noted of the person's health, newest first; `holds`: today. Logged."""
    session.actor.must("desk.work")
    session.log("desk.work", [person_id], facts=True)
    return session.rows(SQL.facts, person_id=person_id, on=session.today)


def contact(session: Session, person_id: int) -> dict[str, str]:
    """'phone' and 'email', where known."""
    session.actor.must("desk.work")
    return {row["system"]: row["value"] for row in session.rows(SQL.contact, person_id=person_id)}


def priority_counts(session: Session, programme: str) -> dict[int, int]:
    """How many people of the actor's area lists have put into each group of a programme. Nobody is read by name."""
    session.actor.must("campaign.read")
    return {row["group_number"]: row["people"] for row in session.rows(SQL.priority_counts, programme=programme)}


def priorities(session: Session, person_id: int) -> dict[str, int]:
    """The group that a list put the person into, by programme."""
    session.actor.must("desk.work")
    return {row["programme"]: row["group_number"] for row in session.rows(SQL.priorities, person_id=person_id)}
