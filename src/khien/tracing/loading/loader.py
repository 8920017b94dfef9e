"""The whole of `khien visits load`.

Each piece of the file is read by DuckDB, which knows the numbers and codes of this load (resolving.py), and what is
good is written, as binary COPY, into a month without keys: one transaction a piece, several pieces at once. When all
are written, each month is taken into the register and its keys are built at once. A load that was killed goes on with
the pieces that lack.
"""

from __future__ import annotations

import csv
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from khien.core import config
from khien.core.actor import Actor
from khien.core.errors import Unavailable
from khien.core.i18n import N_, translate
from khien.core.server.settings import cores
from khien.core.session import begin
from khien.core.sql import Queries
from khien.tracing.loading import binary
from khien.tracing.loading.pieces import Piece, Source, plan
from khien.tracing.loading.resolving import COLUMNS, Resolver, resolver

_q = Queries("khien.tracing.loading")
_LOCK = 6418  # advisory lock: one load of visits at a time
_MOST_WORKERS = 8
_NEEDED = ("personal_number", "place", "from", "to", "source")

REASONS = {
    "no_time": N_("There is no time of arrival."),
    "bad_value": N_("This is no time."),
    "bad_row": N_("This row cannot be read."),
    "reversed_time": N_("The departure is before the arrival."),
    "wrong_clock": N_("The arrival is in the future or before 2000: the clock was wrong."),
    "no_place": N_("There is no place."),
    "unknown_number": N_("Nobody in the register has this number."),
}
Progress = Callable[[int, int], None]  # done, of
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: rows read, visits that are new, visits that were known (twice in the file, or there already),
    rows refused by reason, the file that lists those, and how many different numbers are of nobody."""

    rows: int
    loaded: int
    places: int
    rejected: dict[str, int] = field(default_factory=dict)
    rejects: Path | None = None
    known: int = 0
    unknown_numbers: int = 0
    resumed: bool = False


def load_visits(
    path: Path, *, by: Actor, rejects: Path | None = None, progress: Progress = lambda done, of: None,
    piece_size: int | None = None,
) -> Loaded:  # fmt: skip
    """Load a file of visits. The same file again changes nothing; good rows are loaded, bad ones written to `rejects`
    (by default FILE.rejects.csv: line, field, reason, and the row as it was sent). A load that was killed is taken up.

    Raises BadInput for a file that is no list of visits, NotAllowed, Unavailable while another load runs.
    """
    by.must("visit.load")
    workers = min(cores(), _MOST_WORKERS)
    source = plan(path, _NEEDED, dict.fromkeys(COLUMNS, ""), workers=workers, size=piece_size)
    with begin(by, role="khien_loader") as session:
        latest = session.now + dt.timedelta(days=1)
    with _alone() as connection:
        done = _take_up(connection, source.fingerprint())
        _write(source, done, latest, workers, progress)
        for (month,) in connection.execute(_q.waiting).fetchall():
            _keys(month, workers)
            with begin(by, role="khien_loader") as session:
                known = session.value(_q.take, month=month)
                session.execute(_q.taken, month=month, known=known)
                session.log("visit.load", (), month=f"{month:%Y-%m}", known=known)
        with begin(by, role="khien_loader") as session:
            counts = session.row(_q.counts)
            assert counts is not None
            new = counts["good"] - counts["known"]
            session.log("visit.load", (), visits=new, rejected=sum(counts["rejected"].values()))
        target = rejects or path.with_name(path.name + ".rejects.csv")
        written = _write_rejects(connection, target) if counts["rejected"] else None
        connection.execute(_q.clear)
        connection.execute(_q.begin)
    return Loaded(
        counts["read"],
        new,
        counts["places"],
        counts["rejected"],
        written,
        counts["known"],
        counts["unknown"],
        bool(done),
    )


@contextmanager
def _alone() -> Iterator[Connection]:
    """A loader's connection, holding the lock that keeps a second load out."""
    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        # A killed load must let go of the lock at once, not when its statement ends.
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SET client_min_messages = warning")
        connection.execute("SET lock_timeout = '30s'")
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        except psycopg.errors.LockNotAvailable as failure:
            raise Unavailable(N_("Another load of visits is running.")) from failure
        connection.execute("SET lock_timeout = 0")
        yield connection


def _take_up(connection: Connection, mark: str) -> set[int]:
    """The pieces of this file that are written already. What another file left is given up."""
    begun = connection.execute("SELECT to_regclass('loading.visit_run')").fetchone() != (None,)
    if begun and connection.execute(_q.unfinished).fetchone() == (mark,):
        return {piece for (piece,) in connection.execute(_q.pieces_done).fetchall()}
    with connection.transaction():
        connection.execute(_q.clear)
        connection.execute(_q.begin)
        connection.execute(_q.prepare)
        connection.execute(_q.begun, {"fingerprint": mark})
    return set()


def _write(source: Source, written: set[int], latest: dt.datetime, workers: int, progress: Progress) -> None:
    """Write the pieces that are not written yet, several at a time."""
    pieces, turn, done = source.pieces(), threading.Lock(), [0]

    def take() -> Piece | None:
        with turn:
            for piece in pieces:
                if piece.number == 0:
                    done[0] += piece.start  # the header
                if piece.number not in written:
                    return piece
                done[0] += piece.end - piece.start
        return None

    def work(shared: Resolver) -> None:
        with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
            connection.execute(_q.settle)
            connection.execute(_q.asking)
            while (piece := take()) is not None:
                try:
                    _piece(connection, shared, piece)
                except BaseException:
                    with turn:
                        pieces.close()  # the others end with what they have in hand
                    raise
                with turn:
                    done[0] += piece.end - piece.start
                    progress(done[0], source.size)

    with resolver(source, latest, workers) as shared:
        with ThreadPoolExecutor(workers) as pool:
            running = [pool.submit(work, shared) for _ in range(workers)]
        for one in running:
            one.result()


def _piece(connection: Connection, shared: Resolver, piece: Piece) -> None:
    """One piece: resolve it, write what is good into its months, note what is wrong with the rest."""
    found = shared.resolve(connection, piece)
    months = list(found.months())
    for month, _ in months:
        shared.room(connection, month)
    with connection.transaction():
        for month, visits in months:
            table = sql.Identifier("loading", f"visit_{month:%Y_%m}")
            copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, sql.SQL(binary.COLUMNS))
            with connection.cursor().copy(copy) as target:
                target.write(binary.HEADER)
                for part in binary.rows(visits):
                    target.write(part)
                target.write(binary.TRAILER)
        if found.rejects:
            with connection.cursor().copy(_q.put_rejects) as target:
                for reject in found.rejects:
                    target.write_row((piece.number, *reject))
        connection.execute(
            _q.piece_done, {"piece": piece.number, "rows": found.read, "good": found.good, "lines": found.lines}
        )


def _keys(month: dt.date, workers: int) -> None:
    """Build the keys of a month, several at once. What was in the file twice is noted as known."""

    def build(number: int) -> None:
        with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
            connection.execute(_q.settle)
            with connection.transaction():
                (twice,) = connection.execute(_q.key, {"month": month, "number": number}).fetchall()[0]
                connection.execute(_q.taken, {"month": month, "known": twice})

    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        numbers = [number for (number,) in connection.execute(_q.keys, {"month": month}).fetchall()]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        list(pool.map(build, numbers))


def _write_rejects(connection: Connection, target: Path) -> Path:
    """line, field, reason in Vietnamese and English, then the row itself, so that it can be mended and sent again."""
    partial = target.with_name(target.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as stream, connection.transaction():
        partial.chmod(0o600)  # it holds personal data
        writer = csv.writer(stream)
        writer.writerow(("line", "field", "reason_vi", "reason", *COLUMNS))
        with connection.cursor(name="rejects") as cursor:
            cursor.itersize = 2000
            for line, where, reason, noted in cursor.execute(_q.rejects):
                writer.writerow((line, where, translate(REASONS[reason], "vi"), REASONS[reason], *noted))
    partial.replace(target)
    return target
