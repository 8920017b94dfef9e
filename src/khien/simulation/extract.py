"""Writing blocks of text columns as one CSV or Parquet file, in bounded memory and with the same bytes every time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from numpy.typing import NDArray

from khien.core.errors import WrongUsage
from khien.core.i18n import N_

_OPTIONS = {".parquet": "FORMAT parquet, COMPRESSION zstd", ".csv": "FORMAT csv, HEADER"}


def check_name(path: Path) -> str:
    """The copy options for the ending of a file name. Raises WrongUsage for another ending than .parquet and .csv."""
    options = _OPTIONS.get(path.suffix.lower())
    if options is None:
        raise WrongUsage(N_("The file name must end in .parquet or .csv."))
    return options


def write(
    blocks: Iterable[Mapping[str, NDArray[Any]]],
    path: Path,
    columns: Sequence[str],
    types: Mapping[str, str] | None = None,
) -> int:
    """Write the blocks' columns to `path` and return the number of rows.

    Columns are text (None = absent) unless `types` names another SQL type; numpy times are in UTC.

    The file appears whole or not at all. One thread, so that rows keep their order and the file its bytes. Blocks go to
    parts beside the file first: DuckDB writes a file in one go, and a nation does not fit into memory. Missing folders
    are made. Raises WrongUsage for another ending than .parquet and .csv, or where the file cannot be written.
    """
    options = check_name(path)
    kinds = {name: (types or {}).get(name, "VARCHAR") for name in columns}
    casts = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in kinds.items())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".khien-") as folder, duckdb.connect() as database:
            database.execute("SET threads = 1; SET preserve_insertion_order = true; SET TimeZone = 'UTC'")
            parts, rows = _parts(database, blocks, columns, casts, Path(folder))
            whole = Path(folder) / f"whole{path.suffix}"
            if parts:
                database.read_parquet(parts).create_view("whole")
            else:
                empty = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in kinds.items())
                database.execute(f"CREATE VIEW whole AS SELECT {empty} LIMIT 0")
            database.execute(f"COPY (FROM whole) TO {_quoted(whole)} ({options})")
            whole.replace(path)
    except (OSError, duckdb.IOException):
        # No folder, no permission, or a full disk.
        raise WrongUsage(N_("The file {file} cannot be written."), file=path.name) from None
    return rows


def _parts(
    database: duckdb.DuckDBPyConnection,
    blocks: Iterable[Mapping[str, NDArray[Any]]],
    columns: Sequence[str],
    casts: str,
    folder: Path,
) -> tuple[list[str], int]:
    """One Parquet file a block: their paths, and the number of rows."""
    parts, rows = [], 0
    for number, block in enumerate(blocks):
        part = folder / f"{number:06d}.parquet"
        database.register("block", {name: block[name] for name in columns})
        select = f"SELECT {casts} FROM block"  # noqa: S608 - our own column names
        database.execute(f"COPY ({select}) TO {_quoted(part)} (FORMAT parquet, COMPRESSION snappy)")
        database.unregister("block")
        parts.append(str(part))
        rows += len(block[columns[0]])
    return parts, rows


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
