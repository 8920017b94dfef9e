"""An empty register taken by one load before it reads the first row, so that the residences are written from then on.

Their key takes as long to prove as everything else to write and to key: whatever is done of them early is gained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import psycopg

from khien.core.actor import Actor
from khien.core.session import Session, begin
from khien.population.load.aside import Aside, GivenUp, NoConnection, may_work_aside
from khien.population.load.staging import Connection
from khien.population.load.usual import TABLES, Usual

KEYS_DOWN = "SELECT khien_load_keys_down(%(tables)s::regclass[], %(keep_foreign)s)"
KEYS_UP = "SELECT khien_load_keys_up(%(tables)s::regclass[])"
MAIN_TABLES = [table for table in TABLES if table != "residence"]
_PATIENCE = "10s"
_TRIES = 3
_SETTINGS = (
    "work_mem = '128MB'",
    "maintenance_work_mem = '512MB'",
    "synchronous_commit = on",
    "max_parallel_workers_per_gather = 4",
    "max_parallel_maintenance_workers = 4",
    # A killed load must let go of its locks at once, not when its statement ends.
    "client_connection_check_interval = '1s'",
    # It waits for the file.
    "idle_in_transaction_session_timeout = 0",
)
# A load fills more log than is kept ready: what writes a new segment full of zeros first writes the disk twice.
_UNFILLED = "SELECT set_config('wal_init_zero', 'off', true) WHERE has_parameter_privilege('wal_init_zero', 'SET')"


class Overtaken(Exception):  # noqa: N818 - never leaves the loader
    """Somebody was entered into the empty register before it was taken, or while its rows were prepared."""


class _Busy(Exception):  # noqa: N818 - never leaves this module
    """Somebody else works on the residences, and may be waiting for the people."""


def settle(connection: Connection) -> None:
    """Settings of a transaction that loads."""
    for setting in _SETTINGS:
        connection.execute(f"SET LOCAL {setting}")
    connection.execute(_UNFILLED)


def register_is_empty(connection: Connection) -> bool:
    found = connection.execute("SELECT EXISTS (SELECT FROM person) OR EXISTS (SELECT FROM identifier)").fetchone()
    return found == (False,)


@contextmanager
def taking(usual: Usual | None, by: Actor) -> Iterator[Taken | None]:
    """The transaction that is to write the people, begun at once: later ones of this actor join it.

    None, and no transaction, where the register is not empty, its keys may not rest, no second connection is to be had
    or somebody goes on working on the residences: the load is written at its end then, on one connection. Whoever wants
    to see or enter a person waits until the load has ended. Raises Overtaken.
    """
    for _ in range(_TRIES if usual else 0):
        try:
            with begin(by, role="khien_loader") as session:
                settle(session.connection)
                # The people first: whoever has one of them and waits for a residence would wait for ever.
                may = may_work_aside(session.connection)
                if not (may and session.value(KEYS_DOWN, tables=MAIN_TABLES, keep_foreign=True)):
                    break
                if not register_is_empty(session.connection):
                    raise Overtaken
                assert usual is not None
                taken = Taken(usual, session)
                try:
                    taken.hold()
                    yield taken
                finally:
                    taken.close()
                return
        except _Busy:  # who reads the residences and waits for the people can go on now
            pass
        except NoConnection:
            break
    yield None


class Taken:
    """The residences in a transaction of their own. Made by `taking`."""

    def __init__(self, usual: Usual, session: Session) -> None:
        self._usual = usual
        # Files to write, then what follows the judgement of the whole file; None: the load has failed.
        self._work: SimpleQueue[Path | Callable[[Session], None] | None] = SimpleQueue()
        for path in usual.pieces("residence"):
            self._work.put(path)
        self._aside = Aside(session, self._write)

    def hold(self) -> None:
        """Until nobody else works on the residences. Raises _Busy, NoConnection."""
        try:
            self._aside.wait_ready()
        except psycopg.errors.LockNotAvailable as failure:
            raise _Busy from failure

    def staged(self, path: Path) -> None:
        """Residences of one more block, if it had usual rows. Raises what writing them raised, like `judged`."""
        self._aside.check()
        if path.exists():
            self._work.put(path)

    def judged(self, write_judged: Callable[[Session], None]) -> None:
        """All blocks were staged, the whole file was judged: takes away and adds what follows from that."""
        self._aside.check()
        self._work.put(write_judged)

    def wait(self) -> None:
        """Until the residences are written and their key is proved. Raises what that raised."""
        self._aside.wait()

    def commit(self) -> None:
        """The last thing before the people are committed: `tidy` finds what is left if that fails."""
        self._aside.commit()

    def close(self) -> None:
        self._work.put(None)
        self._aside.close()

    def _write(self, session: Session, ready: Callable[[], None]) -> None:
        settle(session.connection)
        # Whoever reads the residences and waits for the people would wait for ever: better not to begin.
        session.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        session.value(KEYS_DOWN, tables=["residence"], keep_foreign=True)
        ready()
        session.execute("SET LOCAL session_replication_role = replica")
        with self._usual.writing(session.connection, "residence") as send:
            while isinstance(work := self._work.get(), Path):
                send(work)
        if work is None:
            raise GivenUp
        work(session)
        session.value(KEYS_UP, tables=["residence"])
