"""A part of a load in a transaction of its own beside the main one, on another core."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg

from khien.core.session import Session, beside
from khien.population.load.staging import Connection

_CANCEL_SECONDS = 5.0


def may_work_aside(connection: Connection) -> bool:
    """Two transactions cannot both take down foreign keys to one table: the loader must be allowed to let them rest."""
    query = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
    return connection.execute(query).fetchone() == (True,)


class GivenUp(Exception):  # noqa: N818 - ends the transaction, never seen outside
    """Raised by the work itself, or where its result is not wanted."""


class NoConnection(Exception):  # noqa: N818 - never leaves the loader
    """There is none for a second transaction."""


class Aside:
    """Begins at once; its transaction stays open until `commit`, and is rolled back by `close` otherwise.

    `work` calls its second argument when it has what it needs to go on by itself.
    """

    def __init__(self, session: Session, work: Callable[[Session, Callable[[], None]], None]) -> None:
        self._session, self._work = session, work
        self._ready: Future[None] = Future()
        self._worked: Future[None] = Future()
        self._decided = threading.Event()
        self._wanted = False
        self._ending = threading.Lock()
        self._running: psycopg.Connection[Any] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._ended = self._pool.submit(self._run)

    def wait_ready(self) -> None:
        """Until the work has what it needs. Raises what it raised, NoConnection."""
        self._ready.result()

    def check(self) -> None:
        """Raise what the work has raised so far, so that nobody goes on in vain."""
        if self._worked.done():
            self._worked.result()

    def wait(self) -> None:
        """Until the work is done. Raises what it raised."""
        self._worked.result()

    def commit(self) -> None:
        self._wanted = True
        self._decided.set()
        self._ended.result()

    def close(self) -> None:
        self._decided.set()
        with self._ending:
            if self._running and not self._wanted:
                with suppress(psycopg.Error):
                    self._running.cancel_safe(timeout=_CANCEL_SECONDS)
        self._pool.shutdown()

    def _run(self) -> None:
        try:
            with beside(self._session, writes=True) as session:
                if session is None:
                    raise NoConnection
                try:
                    self._running = session.connection
                    self._work(session, lambda: self._ready.set_result(None))
                    self._worked.set_result(None)
                    self._decided.wait()
                finally:
                    with self._ending:
                        self._running = None
                if not self._wanted:
                    raise GivenUp
        except BaseException as failure:
            if self._worked.done():
                if not isinstance(failure, GivenUp):
                    raise
                return
            self._worked.set_exception(failure)
            if not self._ready.done():
                self._ready.set_exception(failure)
