"""What a file changes of people the register knows, and who they were: noted in a table, not in memory."""

from __future__ import annotations

import datetime as dt
from typing import Any, LiteralString

from khien.core.session import Session
from khien.core.sql import Queries

_change = Queries("khien.population.load", "change.sql")

_CHANGES = ("person_version", "person", "old_number", "identifier", "card", "household", "members", "member_end",
            "member_same_day", "member_begin", "residence_end", "residence_gone", "residence_same_day",
            "residence_begin")  # fmt: skip
# Their rows name no person, or prepare others.
_SILENT = ("person_version", "household", "members")
_LOGGED = 5_000  # people in one link of the log


def change_known(session: Session, params: dict[str, Any]) -> int:
    """Carry out what the file says differently; how many people it changed."""
    session.execute(_change.touched)
    for name in _CHANGES:
        query = getattr(_change, name)
        if name == "members":
            session.connection.execute(bound(query, params))
        elif name in _SILENT:
            session.execute(query, params)
        else:
            session.execute(_noting(query), params, moved=name.startswith("residence_"))
    session.execute(_change.mark_changed)
    return int(session.value(_change.count_touched))


def log_changed(session: Session, run_id: int) -> None:
    """Name each of them in the log, in parts."""
    with session.connection.cursor(name="touched") as cursor:
        cursor.execute(_change.each_touched)
        while part := cursor.fetchmany(_LOGGED):
            session.log("person.load", [person_id for (person_id,) in part], run=run_id)


def _noting(query: LiteralString) -> LiteralString:
    """The same statement, its people added to loading.touched."""
    body = query.strip().removesuffix(";")
    return f"WITH found AS ({body}) INSERT INTO loading.touched SELECT person_id, %(moved)s FROM found"  # noqa: S608


def bound(query: str, params: dict[str, Any]) -> Any:
    """The text with its parameters as literals, for statements to which the server gives no parameters."""
    for name, value in params.items():
        literal = (
            f"'{value}'"
            if isinstance(value, dt.date)
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
        query = query.replace(f"%({name})s", literal)
    return query
