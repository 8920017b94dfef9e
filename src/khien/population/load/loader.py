"""Load a register extract: the whole of `khien population load`."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from khien.core import config
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, Unavailable
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population.load import merging, staging
from khien.population.load.columns import NAMES
from khien.population.load.merging import Counts
from khien.population.load.reading import Extract, open_extract
from khien.population.load.reasons import REASONS
from khien.population.load.staging import Connection, Place, Progress

_LOCK = 6417  # advisory lock: one load at a time
_SHOWN_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `rejects` is the file with the refused rows, None if there are none."""

    run_id: int
    as_of: dt.date
    counts: Counts
    resumed: bool
    rejects: Path | None


def load_extract(
    path: Path,
    *,
    by: Actor,
    as_of: dt.date | None = None,
    strict: bool = False,
    rejects: Path | None = None,
    progress: Progress = lambda stage, done, of: None,
) -> Loaded:
    """Bring the register to what the extract says of the day `as_of` (by default today).

    Good rows are loaded in one transaction, bad ones written to `rejects` (by default FILE.rejects.csv). With `strict`
    any bad row means that nothing is loaded: BadInput. The same file again changes nothing; a load that was killed is
    taken up where it stopped. Raises BadInput for a file that is no extract, NotAllowed, Unavailable.
    """
    by.must("person.load")
    extract = open_extract(path)
    with begin(by, role="khien_loader") as session:
        as_of = as_of or session.today
    with _loading_alone() as connection:
        mark = staging.fingerprint(extract, as_of)
        run_id, place = _take_up(connection, extract, mark, as_of)
        if place.end < extract.size:
            staging.stage(connection, extract, run_id, place, progress)
        merging.check(connection, as_of, progress)
        rejected, faults = merging.reject_counts(connection)
        written = (
            _write_rejects(connection, rejects or path.with_name(path.name + ".rejects.csv")) if rejected else None
        )
        if rejected and strict:
            _finish(connection, run_id, "refused")
            shown = _first_faults(connection)
            staging.clear(connection)
            raise BadInput(
                N_("{rows} rows are wrong ({count} faults); nothing was loaded. All of them: {file}"),
                faults=shown, rows=rejected, count=faults, file=str(written),
            )  # fmt: skip
        with begin(by, role="khien_loader") as session:
            counts = merging.merge(session, extract, as_of, progress)
            session.execute(_FINISH, stage="done", counts=Jsonb(asdict(counts)), run_id=run_id)
        staging.clear(connection)
    resumed = place != Place(extract.start, extract.first_line)
    return Loaded(run_id, as_of, counts, resumed, written)


_FINISH = (
    "UPDATE load_run SET stage = %(stage)s, counts = %(counts)s, finished_at = clock_timestamp()"
    " WHERE run_id = %(run_id)s"
)


def _finish(connection: Connection, run_id: int, stage: str) -> None:
    connection.execute(_FINISH, {"stage": stage, "counts": Jsonb({}), "run_id": run_id})


@contextmanager
def _loading_alone() -> Iterator[Connection]:
    """The loader's own connection, holding the lock that keeps a second load out."""
    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        # A killed load must let go of the lock at once, not when its statement ends.
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET work_mem = '128MB'")
        connection.execute("SET client_min_messages = warning")
        connection.execute("SET lock_timeout = '30s'")
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        except psycopg.errors.LockNotAvailable as failure:
            raise Unavailable(N_("Another register load is running.")) from failure
        connection.execute("SET lock_timeout = 0")
        yield connection


def _take_up(connection: Connection, extract: Extract, mark: str, as_of: dt.date) -> tuple[int, Place]:
    """The run to go on with and where, or a new one. Others that were left unfinished are given up."""
    query = (
        "SELECT run_id FROM load_run WHERE fingerprint = %s AND stage IN ('staging', 'merging') ORDER BY run_id DESC"
    )
    found = connection.execute(query, (mark,)).fetchone()
    if found:
        place = staging.reached(connection, found[0])
        if place:
            return found[0], place if place.end >= 0 else Place(extract.start, extract.first_line)
    connection.execute(
        "UPDATE load_run SET stage = 'abandoned', finished_at = now() WHERE stage IN ('staging', 'merging')"
    )
    insert = "INSERT INTO load_run (fingerprint, file_name, as_of) VALUES (%s, %s, %s) RETURNING run_id"
    made = connection.execute(insert, (mark, extract.path.name, as_of)).fetchone()
    assert made is not None
    staging.prepare(connection, made[0])
    return made[0], Place(extract.start, extract.first_line)


def _write_rejects(connection: Connection, target: Path) -> Path:
    """line, field, reason in Vietnamese and English, then the row itself, so that it can be mended and sent again."""
    columns = ", ".join(f"w.{name}" for name in NAMES)
    query = (
        f"SELECT r.line, r.field, r.reason, {columns} FROM loading.reject r"  # noqa: S608
        " LEFT JOIN loading.raw w USING (line) ORDER BY 1, 2"
    )
    partial = target.with_name(target.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as stream, connection.transaction():
        partial.chmod(0o600)  # it holds personal data
        writer = csv.writer(stream)
        writer.writerow(("line", "field", "reason_vi", "reason_en", *NAMES))
        with connection.cursor(name="rejects") as cursor:
            cursor.itersize = 2000
            for line, field, reason, *values in cursor.execute(query):
                message = REASONS[reason]
                writer.writerow((line, field, translate(message, "vi"), message, *values))
    partial.replace(target)
    return target


def _first_faults(connection: Connection) -> tuple[Fault, ...]:
    query = "SELECT line, field, reason FROM loading.reject ORDER BY line, field LIMIT %s"
    rows = connection.execute(query, (_SHOWN_FAULTS,)).fetchall()
    return tuple(Fault(field, REASONS[reason], line) for line, field, reason in rows)
