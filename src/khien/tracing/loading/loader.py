"""The whole of `khien visits load`.

Each piece of the file is copied into a table of its connection, its numbers and codes are resolved by one join, and
what is good is written into a month without keys: one transaction a piece, several pieces at once. When all are
written, each month is taken into the register and its keys are built at once. A load that was killed goes on with the
pieces that lack.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
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
from khien.tracing.loading.pieces import Piece, Source, plan

_q = Queries("khien.tracing.loading")
_LOCK = 6418  # advisory lock: one load of visits at a time
_MOST_WORKERS = 8
_COLUMNS = {"personal_number": "personal_number", "place": "place", "from": "came_at", "to": "left_at",
            "source": "source", "seat": "seat"}  # fmt: skip
_NEEDED = ("personal_number", "place", "from", "to", "source")
_SKIPPED = re.compile(r"at line (\d+) for column \"?(\w+)\"?")

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
    source = plan(path, _NEEDED, _COLUMNS, workers=workers, size=piece_size)
    with begin(by, role="khien_loader") as session:
        latest = session.now + dt.timedelta(days=1)
    with _alone() as connection:
        done = _take_up(connection, source.fingerprint())
        _write(source, [p for p in source.pieces if p.number not in done], latest, workers, progress)
        for (month,) in connection.execute(_q.waiting).fetchall():
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


def _write(source: Source, pieces: list[Piece], latest: dt.datetime, workers: int, progress: Progress) -> None:
    """Write the pieces, several at a time."""
    waiting, turn, done = iter(pieces), threading.Lock(), [source.size - sum(p.end - p.start for p in pieces)]

    def work() -> None:
        with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
            connection.execute(_q.settle)
            connection.execute(_q.stage)
            while True:
                with turn:
                    piece = next(waiting, None)
                if piece is None:
                    return
                try:
                    _piece(connection, source, piece, latest)
                except BaseException:
                    with turn:
                        list(waiting)  # the others end with what they have in hand
                    raise
                with turn:
                    done[0] += piece.end - piece.start
                    progress(done[0], source.size)

    with ThreadPoolExecutor(max(1, min(workers, len(pieces)))) as pool:
        running = [pool.submit(work) for _ in range(min(workers, len(pieces)))]
    for one in running:
        one.result()


def _piece(connection: Connection, source: Source, piece: Piece, latest: dt.datetime) -> None:
    """One piece: stage it, resolve it, note what is wrong with the rest."""
    unreadable: dict[int, list[str]] = {}
    try:
        skipped = _stage(connection, source, source.parts(piece))
    except psycopg.DataError:  # something in it is no row of this table: the others go in
        skipped = _stage(connection, source, _readable(source, piece, unreadable))
    span = connection.execute(_q.staged_span, {"latest": latest}).fetchone()
    assert span is not None
    rows, first, last = span
    connection.execute("ANALYZE visit_staging")
    places = connection.execute(_q.add_missing_places).rowcount
    if first is not None:
        connection.execute(_q.months, {"first": first, "last": last})
    with connection.transaction():
        good = connection.execute(_q.resolve, {"latest": latest}).rowcount if first is not None else 0
        bad = {}
        if good < rows:
            bad = {
                row: (where, why) for row, where, why in connection.execute(_q.rejected, {"latest": latest}).fetchall()
            }
        if bad or skipped or unreadable:
            with connection.cursor().copy(
                "COPY loading.visit_reject (line, field, reason, noted) FROM STDIN"
            ) as target:
                for reject in _rejects(source, piece, unreadable, skipped, bad):
                    target.write_row(reject)
        read = rows + len(skipped) + len(unreadable)
        connection.execute(_q.piece_done, {"piece": piece.number, "rows": read, "good": good, "places": places})


def _stage(connection: Connection, source: Source, parts: Iterator[bytes]) -> dict[int, str]:
    """COPY into the connection's table. Lines with a value of the wrong type are passed over: given with its column."""
    skipped: dict[int, str] = {}
    fields = {column: name for name, column in _COLUMNS.items()}

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        if found := _SKIPPED.search(diagnostic.message_primary or ""):
            skipped[int(found[1])] = fields.get(found[2], found[2])

    statement = sql.SQL(
        "COPY visit_staging ({}) FROM STDIN (FORMAT csv, ON_ERROR ignore, LOG_VERBOSITY verbose)"
    ).format(sql.SQL(", ").join(sql.Identifier(_COLUMNS[name]) for name in source.columns))
    connection.execute(_q.unstage)
    connection.add_notice_handler(note)
    try:
        with connection.cursor().copy(statement) as target:
            for part in parts:
                target.write(part)
    finally:
        connection.remove_notice_handler(note)
    return skipped


def _is_row(row: list[str], columns: int) -> bool:
    return len(row) == columns and not any("\0" in v or any("\ud800" <= c <= "\udfff" for c in v) for v in row)


def _readable(source: Source, piece: Piece, unreadable: dict[int, list[str]]) -> Iterator[bytes]:
    """The rows of a piece that can be copied; the others are put into `unreadable`, by the line on which they end."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for line, row in source.rows(piece):
        if _is_row(row, len(source.columns)):
            writer.writerow(row)
        elif row:
            unreadable[line] = row
        if out.tell() > 1 << 20:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _rejects(
    source: Source, piece: Piece, unreadable: dict[int, list[str]], skipped: dict[int, str],
    bad: dict[int, tuple[str, str]],
) -> Iterator[tuple[int, str, str, list[str]]]:  # fmt: skip
    """Line, field, reason and the row itself of everything that was refused, by reading the piece once more."""
    copied = staged = 0  # lines given to COPY, rows of the staging table
    before = 0
    for line, row in source.rows(piece):
        at, lines, before = piece.line + before, line - before, line
        if line in unreadable:
            yield at, "row", "bad_row", _noted(source, row)
            continue
        if not row:
            continue
        copied += lines
        if copied in skipped:
            yield at, skipped[copied], "bad_value", _noted(source, row)
            continue
        staged += 1
        if staged in bad:
            yield at, *bad[staged], _noted(source, row)


def _noted(source: Source, row: list[str]) -> list[str]:
    """The row in the order of our columns."""
    told = dict(
        zip(source.columns, (v.encode("utf-8", "replace").decode().replace("\0", "") for v in row), strict=False)
    )
    return [told.get(name, "") for name in _COLUMNS]


def _write_rejects(connection: Connection, target: Path) -> Path:
    """line, field, reason in Vietnamese and English, then the row itself, so that it can be mended and sent again."""
    partial = target.with_name(target.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as stream, connection.transaction():
        partial.chmod(0o600)  # it holds personal data
        writer = csv.writer(stream)
        writer.writerow(("line", "field", "reason_vi", "reason", *_COLUMNS))
        with connection.cursor(name="rejects") as cursor:
            cursor.itersize = 2000
            for line, where, reason, noted in cursor.execute(_q.rejects):
                writer.writerow((line, where, translate(REASONS[reason], "vi"), REASONS[reason], *noted))
    partial.replace(target)
    return target
