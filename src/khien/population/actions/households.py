"""Households: somebody moves to another one, some part and make their own, the head changes.

Membership has days: what was is kept under its days, and an event can be undone (`undo`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.core.text import nfc
from khien.population.changing import bad, changed, done, locked, not_future, replayed, state_of
from khien.population.rules.household import RELATIONS, Relation, check_heads

_q = Queries("khien.population")


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody belongs from a day on."""

    household_id: int
    relation: Relation


def join_household(
    *, by: Actor, person_id: int, household_id: int, relation: Relation, on: dt.date | None = None,
    client_id: UUID | None = None,
) -> None:  # fmt: skip
    """Move somebody to another household from a day on, today by default; `relation` to its head.

    Raises Refused for a second head, or where a head leaves people behind; NotFound, BadInput.
    """
    by.must("household.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        locked(session, person_id)
        if session.row(_q.lock_household, household_id=household_id) is None:
            raise NotFound(N_("There is no such household here."))
        _regroup(session, {person_id: Place(household_id, _relation(relation))}, on, "join", client_id)


def split_household(
    *, by: Actor, members: Mapping[int, Relation], unit_id: int, address: str, on: dt.date | None = None,
    client_id: UUID | None = None,
) -> int:  # fmt: skip
    """Make a household of its own of some people (by their relation to its head) at an address; its household_id.

    Raises Refused without exactly one head there, or where they leave a household without its head; NotFound, BadInput.
    """
    by.must("household.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            row = session.row(_q.household_of, person_id=min(members))
            return int(row["household_id"]) if row else 0
        if not members:
            raise bad("members", N_("Choose who belongs to the new household."))
        cleaned = nfc(address)
        if not cleaned:
            raise bad("address", N_("A household needs an address."))
        for person_id in sorted(members):
            locked(session, person_id)
        household_id = int(session.value(_q.new_household, unit_id=unit_id, address=cleaned))
        places = {person: Place(household_id, _relation(relation)) for person, relation in members.items()}
        _regroup(session, places, on, "split", client_id)
        return household_id


def change_head(
    *, by: Actor, household_id: int, relations: Mapping[int, Relation], on: dt.date | None = None,
    client_id: UUID | None = None,
) -> None:  # fmt: skip
    """Give a household another head, with what everybody else is to the new one. Who is not named keeps the relation.

    Raises Refused unless there is exactly one head then, NotFound for a household or a member that is not there.
    """
    by.must("household.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        belonging = {m["person_id"] for m in _members(session, [household_id])}
        if not belonging or not set(relations) <= belonging:
            raise NotFound(N_("There is no such household here."))
        for person_id in sorted(relations):
            locked(session, person_id)
        places = {person: Place(household_id, _relation(relation)) for person, relation in relations.items()}
        _regroup(session, places, on, "head", client_id)


def _regroup(
    session: Session, places: Mapping[int, Place], on: dt.date | None, event: str, client_id: UUID | None
) -> None:
    """Write where people belong from a day on, after looking at every household that they leave or come to."""
    day = on or session.today
    not_future(day, "on", session.today)
    before = {p: session.row(_q.household_of, person_id=p) for p in places}
    touched = {p.household_id for p in places.values()} | {b["household_id"] for b in before.values() if b}
    members = _members(session, sorted(touched))
    if any(m["since"] is not None and m["since"] > day for m in members if m["person_id"] in places):
        raise bad("on", N_("Somebody came to the present household after that day."))
    for household_id in touched:
        left = [m["relation"] for m in members
                if m["household_id"] == household_id and m["counts"] and m["person_id"] not in places]  # fmt: skip
        check_heads(left + [p.relation for p in places.values() if p.household_id == household_id])
    moving = [p for p, place in places.items()
              if (place.household_id, place.relation) != _as_pair(before[p])]  # fmt: skip
    if not moving:
        return
    stood = state_of(session, "household", moving)
    lists: dict[str, Any] = {
        "ids": moving, "households": [places[p].household_id for p in moving],
        "relations": [places[p].relation for p in moving], "on": day,
    }  # fmt: skip
    session.execute(_q.end_membership, lists)
    session.execute(_q.change_membership, lists)
    session.execute(_q.join_household, lists)
    changed(session, "household", stood, client_id)
    done(session, f"household.{event}", moving[0], client_id)
    if others := moving[1:]:
        session.log(f"household.{event}", others)


def _members(session: Session, households: list[int]) -> list[dict[str, Any]]:
    return session.rows(_q.lock_members, ids=households)


def _as_pair(row: dict[str, Any] | None) -> tuple[int, str] | None:
    return (row["household_id"], row["relation"]) if row else None


def _relation(value: str) -> Relation:
    for relation in RELATIONS:
        if relation == value:
            return relation
    raise Refused(N_("Choose the relation to the head of the household."), rule="relation")
