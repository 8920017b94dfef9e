"""Load visits and places: CSV or Parquet by COPY into staging, numbers resolved there, idempotent.

Columns of visits: personal_number, place, from, to, source, and seat if there is one; of places: place, kind, name,
commune, floor_area, ventilation. Times without a zone are of Viet Nam. An empty `to`: the departure is not known.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.tracing.rules.exposure import limits
from khien.tracing.tabular import csv_header, parquet_as_csv

_q, _movement = Queries("khien.tracing"), Queries("khien.tracing.movement")
_CHUNK = 1 << 20
_VISITS = {"personal_number": "personal_number", "place": "place", "from": "came_at", "to": "left_at",
           "source": "source", "seat": "seat"}  # fmt: skip
_NEEDED = ("personal_number", "place", "from", "to", "source")
_PLACES = ("place", "kind", "name", "commune", "floor_area", "ventilation")
_SKIPPED = re.compile(r"at line (\d+)")

REASONS = {
    "no_time": N_("There is no time of arrival."),
    "bad_value": N_("This is no time."),
    "reversed_time": N_("The departure is before the arrival."),
    "wrong_clock": N_("The arrival is in the future or before 2000: the clock was wrong."),
    "no_place": N_("There is no place."),
    "unknown_number": N_("Nobody in the register has this number."),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: rows read, visits that are new, rows refused by reason, and the file that lists those."""

    rows: int
    loaded: int
    places: int
    rejected: dict[str, int] = field(default_factory=dict)
    rejects: Path | None = None


def load_visits(
    path: Path, *, by: Actor, rejects: Path | None = None, progress: Callable[[int], None] = lambda read: None
) -> Loaded:
    """Load a file of visits. The same file again changes nothing; good rows are loaded, bad ones written to `rejects`
    (by default FILE.rejects.csv: line, reason). Raises BadInput for a file that is no list of visits, NotAllowed.
    """
    by.must("visit.load")
    columns = csv_header(path, _NEEDED, _VISITS)
    with begin(by, role="khien_loader") as session:
        session.execute(_q.unstage_visits)
        session.execute(_q.stage_visits)
        session.execute("SET LOCAL timezone = 'Asia/Ho_Chi_Minh'; SET LOCAL work_mem = '256MB'")
        skipped = _copy(session, path, "visit_staging", [(c, _VISITS[c]) for c in columns], progress)
        latest = session.now + dt.timedelta(days=1)
        span = session.row(_q.staged_span, latest=latest)
        assert span is not None
        if span["first"]:
            session.value(_q.ready_months, first=span["first"], last=span["last"])
        session.execute("ANALYZE visit_staging")
        places = session.execute(_q.add_missing_places)
        loaded = session.execute(_q.merge_visits, latest=latest)
        bad: list[tuple[int, str]] = []
        if loaded < span["visits"]:
            bad = [(_line(r["row"], skipped), r["reason"]) for r in session.rows(_q.rejected_visits, latest=latest)]
        bad = sorted(bad + [(line, "bad_value") for line in skipped])
        session.log("visit.load", (), visits=loaded, rejected=len(bad))
    written = _write_rejects(bad, rejects or path.with_name(path.name + ".rejects.csv")) if bad else None
    return Loaded(span["visits"] + len(skipped), loaded, places, dict(Counter(r for _, r in bad)), written)


def load_places(path: Path, *, by: Actor) -> int:
    """Load places; one that is there already takes the file's description. Number of places. Raises BadInput."""
    by.must("visit.load")
    columns = csv_header(path, ("place",), dict.fromkeys(_PLACES))
    with begin(by, role="khien_loader") as session:
        session.execute(_q.unstage_visits)
        session.execute(_q.stage_places)
        skipped = _copy(session, path, "visit_place_staging", [(c, c) for c in columns], lambda read: None)
        if skipped:
            faults = tuple(Fault("floor_area", N_("This is no number."), line) for line in skipped[:100])
            raise BadInput(N_("The list of places has wrong values; nothing was loaded."), faults=faults)
        places = session.execute(_q.merge_places, today=session.today)
        session.log("visit.load", (), places=places)
    return places


def _copy(
    session: Session, path: Path, table: str, columns: list[tuple[str, str]], progress: Callable[[int], None]
) -> list[int]:
    """COPY the file into a staging table. Returns the lines whose values have the wrong type and were passed over."""
    skipped: list[int] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        if found := _SKIPPED.search(diagnostic.context or "") or _SKIPPED.search(diagnostic.message_primary or ""):
            skipped.append(int(found[1]))

    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER, ON_ERROR ignore, LOG_VERBOSITY verbose)").format(
        sql.Identifier(table), sql.SQL(", ").join(sql.Identifier(target) for _, target in columns)
    )
    session.connection.add_notice_handler(note)
    session.connection.execute("SET LOCAL client_min_messages = notice")
    try:
        with session.connection.cursor().copy(statement) as target:
            read = 0
            for part in _parts(path, [name for name, _ in columns]):
                target.write(part)
                read += len(part)
                progress(read)
    except psycopg.errors.DataError as failure:
        found = re.search(r"line (\d+)", failure.diag.context or "")
        fault = Fault("row", N_("This row cannot be read."), int(found[1]) if found else None)
        raise BadInput(N_("The file cannot be read; nothing was loaded."), faults=(fault,)) from failure
    finally:
        session.connection.remove_notice_handler(note)
    return sorted(skipped)


def _parts(path: Path, columns: list[str]) -> Iterator[bytes]:
    if path.suffix.lower() == ".parquet":
        yield from parquet_as_csv(path, columns)
        return
    with path.open("rb") as stream:
        if stream.read(3) != b"\xef\xbb\xbf":
            stream.seek(0)
        while part := stream.read(_CHUNK):
            yield part


def _line(row: int, skipped: list[int]) -> int:
    """The line of the n-th row that was staged: one for the header, and those passed over before it."""
    line = row + 1
    while (further := row + 1 + bisect_right(skipped, line)) != line:
        line = further
    return line


def _write_rejects(bad: list[tuple[int, str]], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["line", "reason"])
        writer.writerows(bad)
    return path


def expire(*, by: Actor, before: dt.date | None = None) -> list[dict[str, Any]]:
    """Drop the months of visits that ended by `before`, by default when their retention is over (limits.toml).

    The proof stands in the log. Gives partition and number of visits of each. Raises NotAllowed.
    """
    by.must("visit.expire")
    with begin(by) as session:
        before = before or session.today - dt.timedelta(days=limits()["retention_days"])
        rows = session.rows(_q.expire_visits, before=before)
        return rows + session.rows(_movement.expire_rest, before=before)
