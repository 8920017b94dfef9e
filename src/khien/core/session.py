"""One transaction on the register, with the actor's scope set for row-level security.

The only place where the scope is set (DESIGN §4.3): `SET LOCAL`, inside the transaction, before anything else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from khien.core import pool
from khien.core.actor import Actor

_NOW: LiteralString = (
    "SELECT CASE WHEN demo_on IS NULL THEN now()"
    " ELSE (demo_on + (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::time) AT TIME ZONE 'Asia/Ho_Chi_Minh' END FROM clock"
)
_ambient: ContextVar[Session | None] = ContextVar("khien_session", default=None)
_FOR_A_WRITER = 2.0  # seconds: many times what it takes to make a connection


class Session:
    """Runs named SQL as one actor. Made by `begin`, never directly.

    `today` is the day decisions are taken on (the demonstration's day if one is set), `now` the matching
    moment in UTC; no other part of the product reads a clock for a decision.
    """

    def __init__(self, connection: psycopg.Connection[Any], actor: Actor) -> None:
        self.connection = connection
        self.actor = actor
        self._after: list[Callable[[], None]] = []
        self._now: dt.datetime | None = None
        self._role: str | None = None  # of a transaction of its own

    def rows(
        self, query: LiteralString, params: Mapping[str, Any] | None = None, /, **more: Any
    ) -> list[dict[str, Any]]:
        """All rows as dicts."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, {**(params or {}), **more} or None).fetchall()

    def row(
        self, query: LiteralString, params: Mapping[str, Any] | None = None, /, **more: Any
    ) -> dict[str, Any] | None:
        """The first row, or None."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, {**(params or {}), **more} or None).fetchone()

    def value(self, query: LiteralString, params: Mapping[str, Any] | None = None, /, **more: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.connection.execute(query, {**(params or {}), **more} or None).fetchone()
        return found[0] if found else None

    def execute(self, query: LiteralString, params: Mapping[str, Any] | None = None, /, **more: Any) -> int:
        """Run a statement; the number of rows it touched."""
        return self.connection.execute(query, {**(params or {}), **more} or None).rowcount

    def log(self, action: str, persons: Iterable[int] = (), **detail: Any) -> None:
        """Append to the access log, in this transaction. `detail` never holds an identifier of a person."""
        self.connection.execute("SELECT log_append(%s, %s::bigint[], %s)", (action, list(persons), Jsonb(detail)))

    def log_each(self, entries: Iterable[tuple[Actor, str, Sequence[int], Mapping[str, Any]]]) -> None:
        """Append log rows of several actors in one round trip: each (actor, action, persons, detail) as its actor's."""
        told = list(entries)
        if [actor for actor, *_ in told] == [self.actor]:
            self.log(told[0][1], told[0][2], **told[0][3])
            return
        append = sql.SQL("SELECT log_append({}, {}::bigint[], {})")
        statements = [
            f"{_scope(actor)}; {append.format(action, list(persons), Jsonb(detail)).as_string(self.connection)}"
            for actor, action, persons, detail in told
        ]
        self.connection.execute("; ".join([*statements, _scope(self.actor)]))  # no words of a user in it

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Run `effect` once the outermost transaction has committed; never if it rolls back."""
        self._after.append(effect)

    @property
    def now(self) -> dt.datetime:
        if self._now is None:
            self._now = self.value(_NOW)
        assert self._now is not None
        return self._now.astimezone(dt.UTC)

    @property
    def today(self) -> dt.date:
        """The day of `now` in Viet Nam (UTC+7)."""
        return self.now.astimezone(dt.timezone(dt.timedelta(hours=7))).date()


@lru_cache(maxsize=1000)
def _scope(actor: Actor) -> str:
    """Tells the policies who asks. Literals, because SET takes no parameters."""
    statement = sql.SQL(
        "SET LOCAL khien.account = {account}; SET LOCAL khien.agency = {agency};"
        " SET LOCAL khien.purpose = {purpose}; SET LOCAL khien.area = {area}"
    ).format(
        account=sql.Literal(str(actor.account_id or "")),
        agency=sql.Literal(str(actor.agency_id or "")),
        purpose=sql.Literal(actor.purpose),
        area=sql.Literal(actor.area),
    )
    return statement.as_string()


def _open(connection: psycopg.Connection[Any], actor: Actor) -> dt.datetime:
    """Open a transaction, set the scope and ask the time in one round trip."""
    opening = f"BEGIN; {_scope(actor)}; {_NOW}"
    cursor = connection.execute(opening)  # no words of a user in it
    while cursor.nextset():
        pass
    row = cursor.fetchone()
    assert row is not None
    opened_at: dt.datetime = row[0]
    return opened_at


@contextmanager
def _transaction(connection: psycopg.Connection[Any], actor: Actor) -> Iterator[dt.datetime]:
    """Commits at the end, rolls back when the block raises."""
    now = _open(connection, actor)
    try:
        yield now
    except BaseException:
        if not connection.broken:
            connection.execute("ROLLBACK")
        raise
    _commit(connection)


def _commit(connection: psycopg.Connection[Any]) -> None:
    """PostgreSQL answers the commit of a transaction that has failed with ROLLBACK, and that is no error to it."""
    if connection.execute("COMMIT").statusmessage != "COMMIT":
        raise psycopg.InternalError("nothing was written: a statement had failed and nobody told")


@contextmanager
def begin(actor: Actor, *, role: str = "khien_app") -> Iterator[Session]:
    """A transaction as `actor`: commits when the block ends, rolls back when it raises.

    Inside another `begin` (an action that calls an action) it joins that transaction under a savepoint, with its
    own actor's scope, and the outer scope comes back afterwards.
    """
    outer = _ambient.get()
    if outer is not None:
        with outer.connection.transaction():
            outer.connection.execute(_scope(actor))
            inner = Session(outer.connection, actor)
            inner._now = outer._now
            with _current(inner):
                yield inner
        outer.connection.execute(_scope(outer.actor))
        outer._after.extend(inner._after)
        return
    with pool.connection(role) as connection:
        with _transaction(connection, actor) as now:
            session = Session(connection, actor)
            session._now = now
            session._role = role
            with _current(session):
                yield session
        for effect in session._after:
            effect()


@contextmanager
def beside(session: Session, *, writes: bool = False) -> Iterator[Session | None]:
    """A second transaction of the same actor, for another thread while `session` works too: neither sees what the other
    writes. None where `session` is within a wider transaction, or no connection that works is free at once.

    With `writes` it waits for a connection rather than go without, and commits when the block ends. Else it only reads:
    then that the connection breaks meanwhile, whoever reads on it is told (psycopg.OperationalError), not this block.
    """
    if session._role is None:
        yield None
        return
    with pool.spare(session._role, seconds=_FOR_A_WRITER if writes else pool.AT_ONCE) as connection:
        other = None
        if connection is not None:
            with suppress(psycopg.OperationalError):
                _open(connection, session.actor)
                other = Session(connection, session.actor)
                other._now = session._now
        written = False
        try:
            yield other
            if other is not None and writes:
                _commit(other.connection)
                written = True
        finally:
            if other is not None and not written:
                with suppress(psycopg.OperationalError):
                    other.connection.execute("ROLLBACK")


@contextmanager
def joined(
    connection: psycopg.Connection[Any], actor: Actor, *, on_commit: Callable[[Callable[[], None]], Any]
) -> Iterator[Session]:
    """A session inside a transaction that somebody else (Django's ORM) opened on `connection` and will end.

    Its log rows stand or fall with the other's rows. `on_commit` takes what is to run after that commit.
    """
    connection.execute(_scope(actor))
    session = Session(connection, actor)
    with _current(session):
        yield session
    for effect in session._after:
        on_commit(effect)


@contextmanager
def _current(session: Session) -> Iterator[None]:
    token = _ambient.set(session)
    try:
        yield
    finally:
        _ambient.reset(token)
