"""The coverage snapshot: one Parquet file a disease, no name, no identifier (DESIGN decision 6).

It has one row a person; whoever moved has one for each period in one place, so that a day that is past is asked as it
was, with one scan and no join: on any day exactly one of a person's rows holds.

A snapshot is written beside the old one and takes its place in one step. What changed in the register since is laid
over it when a question is asked, so that a dose recorded a second ago already counts.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from khien.core import config
from khien.core.actor import Actor
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries

SQL = Queries("khien.coverage", "questions.sql")

COLUMNS = dict(part.split() for part in SQL.columns.replace("\n", " ").split(", "))  # name -> DuckDB type

# A writer that was under way when the snapshot was taken may commit after it with an earlier time stamp. Asking again
# for what changed shortly before costs little and loses nothing: a moment where nobody wrote, minutes where one did.
_OVERLAP_QUIET = dt.timedelta(seconds=1)
_OVERLAP_BUSY = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`built_at` is a UTC instant; `changes_since` the moment from which the register is asked for changes; `columns`
    what each row holds."""

    disease: str
    path: str
    people: int
    built_at: str
    changes_since: str
    columns: tuple[str, ...]


def folder() -> Path:
    """Each database has its own: a demonstration's figures never mix with real ones."""
    return config.home() / "coverage" / config.current_database()


def current(disease: str) -> Snapshot:
    """The newest snapshot. Raises NotFound before the first `build`, also of an earlier version's snapshot."""
    try:
        kept = json.loads((folder() / f"{disease}.json").read_text())
    except FileNotFoundError:
        kept = {}
    if kept.get("columns") != list(COLUMNS):
        raise NotFound(N_("Coverage was not built yet. Run: khien coverage build"))
    return Snapshot(**kept | {"columns": tuple(COLUMNS)})


def build(*, by: Actor, disease: str = "covid-19") -> Snapshot:
    """Write the snapshot from the register. Memory stays flat: rows stream through a file into Parquet."""
    by.must("coverage.build")
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder()) as scratch, begin(by) as session:
        source = Path(scratch) / "people.csv"
        # A load keeps people locked while it writes them: what is read after it must not be as old as the wait.
        session.execute("LOCK TABLE person, dose IN ACCESS SHARE MODE")
        moment = session.row(SQL.moment)
        assert moment is not None
        copy_rows(session, disease, None, source)
        session.log("coverage.build", disease=disease)
        name = f"{disease}-{moment['at']:%Y%m%dT%H%M%S%f}.parquet"
        target = folder() / name
        partial = Path(scratch) / name
        with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": scratch}) as engine:
            engine.execute(SQL.write_snapshot.format(target=partial), {"source": str(source), "columns": COLUMNS})
            people = engine.execute(SQL.count_people.format(target=partial)).fetchone()
        assert people is not None
        partial.replace(target)
    since = moment["at"] - (_OVERLAP_QUIET if moment["quiet"] else _OVERLAP_BUSY)
    snapshot = Snapshot(disease, str(target), people[0], moment["at"].isoformat(), since.isoformat(), tuple(COLUMNS))
    _publish(snapshot)
    return snapshot


def copy_rows(session: Session, disease: str, since: str | None, target: Path) -> None:
    """Stream the register's rows for coverage into a CSV file of COLUMNS; only those changed since a moment."""
    statement = "COPY (SELECT * FROM coverage_rows(%s, %s)) TO STDOUT (FORMAT csv)"
    cursor = session.connection.cursor()
    with target.open("wb") as out, cursor.copy(statement, (disease, since)) as stream:
        for block in stream:
            out.write(block)


def _publish(snapshot: Snapshot) -> None:
    """Make the new snapshot the current one in one step, then let go of older files."""
    pointer = folder() / f"{snapshot.disease}.json"
    fresh = pointer.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(snapshot)))
    fresh.replace(pointer)
    for old in sorted(folder().glob(f"{snapshot.disease}-*.parquet"))[:-2]:  # a reader may still hold the one before
        old.unlink()
