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
from khien.population.load.merging import Counts, Run
from khien.population.load.reading import Block, Extract, count_lines, open_extract
from khien.population.load.reasons import reason_of
from khien.population.load.staging import Connection, Place, Progress
from khien.population.load.taken import Overtaken, register_is_empty, taking
from khien.population.load.usual import Usual, kept_until, sweep

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
        merging.tidy(connection)
        rejects = rejects or path.with_name(path.name + ".rejects.csv")
        while True:
            try:
                return _load(connection, extract, by, as_of, strict, rejects, progress)
            except Overtaken:  # somebody was entered meanwhile: the general way knows how to judge that
                _give_up(connection)


def _load(
    connection: Connection, extract: Extract, by: Actor, as_of: dt.date, strict: bool, rejects: Path, progress: Progress
) -> Loaded:
    run, place = _take_up(connection, extract, staging.fingerprint(extract, as_of), as_of)
    with _usual(connection, run, extract, as_of) as usual, taking(usual, by) as taken:
        if place.end < extract.size:

            def staged(block: Block) -> None:
                if usual and taken:
                    taken.staged(usual.piece(block, "residence"))

            staging.stage(connection, extract, run.run_id, place, progress, usual, staged)
        merging.check(connection, extract, usual, as_of, progress, register_taken=taken is not None)
        rejected, faults = merging.reject_counts(connection)
        written = _write_rejects(connection, rejects) if rejected else None
        if rejected and strict:
            _finish(connection, run.run_id, "refused")
            shown = _first_faults(connection)
            _clear(connection)
            raise BadInput(
                N_("{rows} rows are wrong ({count} faults); nothing was loaded. All of them: {file}"),
                faults=shown, rows=rejected, count=faults, file=str(written),
            )  # fmt: skip
        connection.execute("UPDATE load_run SET stage = 'merging' WHERE run_id = %s", (run.run_id,))
        merge = merging.prepare(connection, run, extract, usual, taken, as_of, progress)
        with begin(by, role="khien_loader") as session:
            counts = merge.run(session)
            session.execute(_FINISH, stage="done", counts=Jsonb(asdict(counts)), run_id=run.run_id)
        if taken:
            taken.commit()
    _clear(connection)
    resumed = place != Place(extract.start, extract.first_line)
    return Loaded(run.run_id, as_of, counts, resumed, written)


@contextmanager
def _usual(connection: Connection, run: Run, extract: Extract, as_of: dt.date) -> Iterator[Usual | None]:
    """Holds the usual rows, where the register is empty."""
    if not register_is_empty(connection):
        yield None
        return
    usual = Usual(run.run_id, extract, as_of, run.base, merging.communes(connection, as_of))
    try:
        yield usual
    finally:
        usual.close()


def _clear(connection: Connection) -> None:
    staging.clear(connection)
    sweep()


def _give_up(connection: Connection) -> None:
    """Whatever was left unfinished is not gone on with."""
    connection.execute(
        "UPDATE load_run SET stage = 'abandoned', finished_at = now() WHERE stage IN ('staging', 'merging')"
    )
    sweep()


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


def _take_up(connection: Connection, extract: Extract, mark: str, as_of: dt.date) -> tuple[Run, Place]:
    """The run to go on with and where, or a new one. Others that were left unfinished are given up."""
    query = (
        "SELECT run_id, base, lines FROM load_run WHERE fingerprint = %s AND stage IN ('staging', 'merging')"
        " ORDER BY run_id DESC"
    )
    beginning = Place(extract.start, extract.first_line)
    found = connection.execute(query, (mark,)).fetchone()
    if found:
        place = staging.reached(connection, found[0])
        blocks = staging.usual_blocks(connection) if place else 0
        sound = not blocks or register_is_empty(connection)
        if place and sound and kept_until(found[0], place.line, blocks):
            sweep(keep=found[0])
            return Run(*found), place if place.end >= 0 else beginning
    _give_up(connection)
    lines = count_lines(extract)
    insert = (
        "INSERT INTO load_run (fingerprint, file_name, as_of, base, lines)"
        " VALUES (%s, %s, %s, khien_load_reserve('person_id_seq', %s) - 1, %s) RETURNING run_id, base, lines"
    )
    made = connection.execute(insert, (mark, extract.path.name, as_of, lines, lines)).fetchone()
    assert made is not None
    staging.prepare(connection, made[0])
    return Run(*made), beginning


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
                message, filled = reason_of(reason, field)
                told = (translate(message, tongue, **filled) for tongue in ("vi", "en"))
                writer.writerow((line, field, *told, *values))
    partial.replace(target)
    return target


def _first_faults(connection: Connection) -> tuple[Fault, ...]:
    query = "SELECT line, field, reason FROM loading.reject ORDER BY line, field LIMIT %s"
    rows = connection.execute(query, (_SHOWN_FAULTS,)).fetchall()
    return tuple(
        Fault(field, message, line, filled)
        for line, field, reason in rows
        for message, filled in (reason_of(reason, field),)
    )
