"""CSV and Parquet files with a documented header, as CSV for COPY."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import duckdb

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

_CHUNK = 1 << 20


def csv_header(path: Path, needed: Sequence[str], known: Collection[str]) -> list[str]:
    """The columns of a CSV (UTF-8) or Parquet file, in its order. Raises BadInput where one lacks or is not known."""
    columns = _parquet_columns(path) if path.suffix.lower() == ".parquet" else _csv_columns(path)
    faults = [Fault(c, N_("This column is missing."), 1) for c in needed if c not in columns]
    faults += [Fault(c, N_("Nobody knows this column."), 1) for c in columns if c not in known]
    if faults:
        raise BadInput(N_("The file does not have the columns it should."), faults=tuple(faults))
    return columns


def rows_of(path: Path, needed: Sequence[str], known: Collection[str]) -> Iterator[dict[str, str]]:
    """The rows of a short list as texts, by column. Raises BadInput."""
    columns = csv_header(path, needed, known)
    if path.suffix.lower() == ".parquet":
        stream: io.TextIOBase = io.StringIO(b"".join(parquet_as_csv(path, columns)).decode(), newline="")
    else:
        stream = path.open(encoding="utf-8-sig", newline="")
    with stream:
        for row in csv.DictReader(stream):
            yield {name: (row.get(name) or "").strip() for name in columns}


def _csv_columns(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:  # the header alone: a wrong byte further down is a wrong row
            return next(csv.reader([stream.readline().decode("utf-8-sig")]), [])
    except UnicodeDecodeError as failure:
        raise BadInput(N_("The file is not UTF-8. Save it as CSV UTF-8.")) from failure


def _parquet_columns(path: Path) -> list[str]:
    try:
        with duckdb.connect() as engine:
            rows = engine.execute("SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))", [str(path)])
            return [name for (name,) in rows.fetchall()]
    except duckdb.Error as failure:
        raise BadInput(N_("The Parquet file is damaged or cut off.")) from failure


def parquet_as_csv(path: Path, columns: Sequence[str], *, rows: tuple[int, int] | None = None) -> Iterator[bytes]:
    """The rows of a Parquet file as CSV with a header, written by DuckDB through a pipe; times in UTC.

    rows: only those from one to before another, counted from 0, and without a header.
    """
    chosen = ", ".join(f'"{c}"' for c in columns)
    with tempfile.TemporaryDirectory(prefix="khien-visits-") as folder:
        pipe = Path(folder) / "rows"
        os.mkfifo(pipe, 0o600)
        source = str(path).replace("'", "''")
        some = f" WHERE file_row_number >= {rows[0]} AND file_row_number < {rows[1]}" if rows else ""
        query = (
            f"COPY (SELECT {chosen} FROM read_parquet('{source}', file_row_number = true){some})"  # noqa: S608
            f" TO '{pipe}' (FORMAT csv, HEADER {str(rows is None).lower()})"
        )
        failures: list[duckdb.Error] = []
        writer = threading.Thread(target=_write, args=(query, pipe, failures), daemon=True)
        writer.start()
        with pipe.open("rb") as stream:
            while part := stream.read(_CHUNK):
                yield part
        writer.join()
        if failures:
            raise BadInput(N_("The Parquet file is damaged or cut off.")) from failures[0]


def _write(query: str, pipe: Path, failures: list[duckdb.Error]) -> None:
    try:
        with duckdb.connect(config={"memory_limit": "300MB", "threads": 1}) as engine:
            engine.execute("SET TimeZone = 'UTC'")
            engine.execute(query)
    except duckdb.Error as failure:
        failures.append(failure)
        # The reader waits for a writer: open and close, so that it sees the end.
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
