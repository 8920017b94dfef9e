"""A part of a load in a transaction of its own beside the main one, on another core."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from khien.core.actor import Actor
from khien.core.session import Session, begin
from khien.population.load.staging import Connection


def may_work_aside(connection: Connection) -> bool:
    """Two transactions cannot both take down foreign keys to one table: the loader must be allowed to let them rest."""
    query = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
    return connection.execute(query).fetchone() == (True,)


class GivenUp(Exception):  # noqa: N818 - ends the transaction, never seen outside
    """Raised by the work itself, or where its result is not wanted."""


class Aside:
    """Begins at once; its transaction stays open until `commit`, and is rolled back by `close` otherwise."""

    def __init__(self, by: Actor, work: Callable[[Session], None]) -> None:
        self._by, self._work = by, work
        self._worked: Future[None] = Future()
        self._decided = threading.Event()
        self._wanted = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._ended = self._pool.submit(self._run)

    def wait(self) -> None:
        """Until the work is done. Raises what it raised."""
        self._worked.result()

    def commit(self) -> None:
        self._wanted = True
        self._decided.set()
        self._ended.result()

    def close(self) -> None:
        self._decided.set()
        self._pool.shutdown()

    def _run(self) -> None:
        try:
            # A new thread has no session, so this is a transaction of its own.
            with begin(self._by, role="khien_loader") as session:
                self._work(session)
                self._worked.set_result(None)
                self._decided.wait()
                if not self._wanted:
                    raise GivenUp
        except GivenUp:
            pass
        except BaseException as failure:
            if self._worked.done():
                raise
            self._worked.set_exception(failure)
