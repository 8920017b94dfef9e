"""Blocks of rows into an unlogged table, one transaction a block, so that a killed load goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from khien.population.load.columns import NAMES
from khien.population.load.reading import Block, Extract, isolate, numbered_rows
from khien.population.load.usual import Sifted, Usual

Connection = psycopg.Connection[Any]
Progress = Callable[[str, int, int], None]  # stage, done, of

_TABLES = ("raw", "block", "reject", "excluded", "commune", "checked", "identity", "matched", "wanted", "home",
           "known_home", "member", "touched", "unusual")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on."""

    end: int
    line: int


def fingerprint(extract: Extract, *options: object) -> str:
    """Tells whether a later start is about the same file: size, time of change, first and last megabyte, options."""
    state = extract.path.stat()
    digest = hashlib.sha256(repr((state.st_size, state.st_mtime_ns, extract.columns, options)).encode())
    with extract.path.open("rb") as stream:
        digest.update(stream.read(1 << 20))
        stream.seek(max(0, state.st_size - (1 << 20)))
        digest.update(stream.read())
    return digest.hexdigest()


def clear(connection: Connection) -> None:
    """Drop everything staged."""
    connection.execute("DROP VIEW IF EXISTS loading.accepted")
    tables = sql.SQL(", ").join(sql.Identifier("loading", name) for name in _TABLES)
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(tables))


def prepare(connection: Connection, run_id: int) -> None:
    """Empty staging tables for a new run."""
    with connection.transaction():
        clear(connection)
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in NAMES)
        connection.execute(sql.SQL("CREATE UNLOGGED TABLE loading.raw (line bigint, {})").format(columns))
        connection.execute(
            "CREATE UNLOGGED TABLE loading.block (run_id bigint, read_to bigint, next_line bigint, usual bigint)"
        )
        connection.execute("CREATE UNLOGGED TABLE loading.reject (line bigint, field text, reason text)")
        connection.execute("CREATE UNLOGGED TABLE loading.unusual (line bigint PRIMARY KEY, turn integer NOT NULL)")
        connection.execute("INSERT INTO loading.block VALUES (%s, -1, -1, 0)", (run_id,))


def reached(connection: Connection, run_id: int) -> Place | None:
    """How far an interrupted staging of this run came; None if nothing of it is left.

    After a crash of the server the unlogged tables are empty, this ledger included: then staging starts afresh.
    """
    if connection.execute("SELECT to_regclass('loading.block')").fetchone() == (None,):
        return None
    query = "SELECT max(read_to), max(next_line) FROM loading.block WHERE run_id = %s"
    found = connection.execute(query, (run_id,)).fetchone()
    return Place(found[0], found[1]) if found and found[0] is not None else None


def usual_rows(connection: Connection) -> int:
    """How many rows were put aside as usual while staging."""
    found = connection.execute("SELECT sum(usual)::bigint FROM loading.block").fetchone()
    return int(found[0] or 0) if found else 0


def usual_blocks(connection: Connection) -> int:
    """How many blocks had such rows."""
    found = connection.execute("SELECT count(*) FROM loading.block WHERE usual > 0").fetchone()
    return int(found[0]) if found else 0


def stage(
    connection: Connection,
    extract: Extract,
    run_id: int,
    place: Place,
    progress: Progress,
    usual: Usual | None,
    staged: Callable[[Block], None],
) -> None:
    """COPY the rest of the file, from `place` on, without the rows that `usual` takes; tells `staged` of each block."""
    copy = _copy_statement(extract)
    blocks = extract.blocks(place.end, place.line)
    for part in usual.sift(blocks) if usual else (Sifted(block, 0) for block in blocks):
        try:
            _write(connection, copy, run_id, part.rest, part.usual)
        except psycopg.DataError:
            # Something in it cannot be stored: the good rows of the block go in, the others are named.
            _write(connection, copy, run_id, isolate(extract, part.rest), part.usual)
        staged(part.rest)
        progress("staging", part.rest.end, extract.size)


def stage_again(connection: Connection, extract: Extract, usual: Usual, turn: int) -> None:
    """COPY the rows that were put aside and are judged in this turn."""
    for rows in usual.raw_rows(turn):
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(_copy_statement(extract)) as target:
                target.write(rows)
            with cursor.copy("COPY loading.unusual (line, turn) FROM STDIN") as target:
                for row in numbered_rows(rows):
                    target.write_row((int(row.partition(extract.delimiter.encode())[0]), turn))


def _copy_statement(extract: Extract) -> sql.Composed:
    """Takes numbered rows into loading.raw."""
    names = sql.SQL(", ").join(map(sql.Identifier, ("line", *extract.columns)))
    return sql.SQL("COPY loading.raw ({}) FROM STDIN (FORMAT csv, DELIMITER {}, FORCE_NULL *, ENCODING 'UTF8')").format(
        names, sql.Literal(extract.delimiter)
    )


def _write(connection: Connection, copy: sql.Composed, run_id: int, block: Block, usual: int) -> None:
    rows = block.rows
    with connection.transaction(), connection.cursor() as cursor:
        if rows:
            with cursor.copy(copy) as target:
                target.write(rows)
        if block.bad:
            with cursor.copy("COPY loading.reject (line, field, reason) FROM STDIN") as target:
                for bad in block.bad:
                    target.write_row((bad.line, "row", bad.reason))
        cursor.execute("INSERT INTO loading.block VALUES (%s, %s, %s, %s)", (run_id, block.end, block.next_line, usual))
