"""Load visits (in `loading`) and places, both CSV or Parquet, and drop what is old.

Columns of visits: personal_number, place, from, to, source, and seat if there is one; of places: place, kind, name,
commune, floor_area, ventilation. Times without a zone are of Viet Nam. An empty `to`: the departure is not known.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.tracing.loading.loader import REASONS, Loaded, load_visits
from khien.tracing.rules.exposure import limits
from khien.tracing.tabular import csv_header, parquet_as_csv

_q, _movement = Queries("khien.tracing"), Queries("khien.tracing.movement")
_CHUNK = 1 << 20
_PLACES = ("place", "kind", "name", "commune", "floor_area", "ventilation")
_SKIPPED = re.compile(r"at line (\d+)")

__all__ = ["REASONS", "Loaded", "expire", "load_places", "load_visits"]


def load_places(path: Path, *, by: Actor) -> int:
    """Load places; one that is there already takes the file's description. Number of places. Raises BadInput."""
    by.must("visit.load")
    columns = csv_header(path, ("place",), dict.fromkeys(_PLACES))
    with begin(by, role="khien_loader") as session:
        session.execute(_q.unstage_places)
        session.execute(_q.stage_places)
        skipped = _copy(session, path, "visit_place_staging", columns)
        if skipped:
            faults = tuple(Fault("floor_area", N_("This is no number."), line) for line in skipped[:100])
            raise BadInput(N_("The list of places has wrong values; nothing was loaded."), faults=faults)
        places = session.execute(_q.merge_places, today=session.today)
        session.log("visit.load", (), places=places)
    return places


def _copy(session: Session, path: Path, table: str, columns: list[str]) -> list[int]:
    """COPY the file into a staging table. Returns the lines whose values have the wrong type and were passed over."""
    skipped: list[int] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        if found := _SKIPPED.search(diagnostic.context or "") or _SKIPPED.search(diagnostic.message_primary or ""):
            skipped.append(int(found[1]))

    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER, ON_ERROR ignore, LOG_VERBOSITY verbose)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    session.connection.add_notice_handler(note)
    session.connection.execute("SET LOCAL client_min_messages = notice")
    try:
        with session.connection.cursor().copy(statement) as target:
            for part in _parts(path, columns):
                target.write(part)
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


def expire(*, by: Actor, before: dt.date | None = None) -> list[dict[str, Any]]:
    """Drop the months of visits that ended by `before`, by default when their retention is over (limits.toml).

    The proof stands in the log. Gives partition and number of visits of each. Raises NotAllowed.
    """
    by.must("visit.expire")
    with begin(by) as session:
        before = before or session.today - dt.timedelta(days=limits()["retention_days"])
        rows = session.rows(_q.expire_visits, before=before)
        return rows + session.rows(_movement.expire_rest, before=before)
