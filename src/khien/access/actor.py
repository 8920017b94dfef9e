"""From an account to an actor: which role, where, for what. Deny by default."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from khien.access import store
from khien.access.roles import roles
from khien.access.rules import Role, purposes_of
from khien.core.actor import NOWHERE, Actor, machine
from khien.core.errors import NotAllowed
from khien.core.session import begin

NOBODY = Actor(None, "", "", frozenset())  # no purpose: the database itself refuses to log or show anything


@dataclass(frozen=True, slots=True)
class Post:
    """One assignment of an account, as of today."""

    assignment_id: int
    role: Role
    purposes: tuple[str, ...]
    area: str
    agency_id: int | None
    agency: str | None
    unit_id: int | None
    unit: str | None


def posts(account_id: int) -> tuple[dt.date, list[Post]]:
    """The day of decisions and what the account may serve as on it, in the order the assignments were made."""
    with begin(machine("administration")) as session:
        found, today = store.assignments(session, account_id), session.today
    known = roles(today)
    return today, [
        Post(
            assignment_id=row["assignment_id"],
            role=role,
            purposes=purposes_of(role, row["purposes"]),
            area=NOWHERE if role.own_record_only else row["area"] or NOWHERE,
            agency_id=row["agency_id"],
            agency=row["agency"],
            unit_id=row["unit_id"],
            unit=row["unit"],
        )
        for row in found
        if (role := known.get(row["role"])) is not None
    ]


def actor_for(
    account_id: int, name: str, held: Sequence[Post], assignment_id: int | None = None, purpose: str | None = None
) -> Actor:
    """The actor of an account in one of its posts: the one chosen, else the first; same with the purpose.

    Raises NotAllowed for an assignment or a purpose that the account does not have, and for an account without any.
    """
    chosen = [p for p in held if assignment_id is None or p.assignment_id == assignment_id]
    if not chosen:
        raise NotAllowed("assignment")
    post = chosen[0]
    wanted = purpose if purpose is not None else next(iter(post.purposes), None)
    if wanted not in post.purposes or wanted is None:
        raise NotAllowed("purpose")
    return Actor(account_id, name, wanted, post.role.permissions, post.area, post.agency_id)
