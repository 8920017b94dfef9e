"""The usual rows of a load into an empty register, typed and shaped by DuckDB instead of row by row in PostgreSQL.

Most rows are written as documented, with numbers nobody else in the file has. They need no judgement beyond what
usual.sql asks, and are written by COPY. Every other row, and whoever shares a number or the household with one, is
judged and merged the general way (typed.sql, checks.sql, merge.sql), which alone knows the reasons of a refusal.
So usual.sql may be narrower than the rules, never wider (tests/population/test_load_usual.py holds both together).
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from string import Template
from typing import Any

import duckdb

from khien.core import config
from khien.core.session import Session
from khien.core.sql import Queries
from khien.population.load.columns import NAMES
from khien.population.load.reading import Extract
from khien.population.load.staging import Connection

_usual = Queries("khien.population.load", "usual.sql")
TABLES = ("person", "identifier", "personal_card", "household", "household_member", "residence")
_PIECE = 4 << 20
_CHUNK = 1 << 20
_OPTIONS: dict[str, Any] = {"memory_limit": "90MB", "threads": 2, "preserve_insertion_order": False}
_VOWELS = ("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y")
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_LOWER = [unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES]
_ACCENTED = "".join(letter for letter in (*_LOWER, "đ") if not letter.isascii())
_LETTERS = "A-Za-z" + _ACCENTED + _ACCENTED.upper()


class Usual:
    """The plain rows, held by DuckDB in a folder of ours. Made by `usual_rows`."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._engine, self._folder, self._used = engine, folder, False

    def count(self) -> int:
        return int(_one(self._engine, "SELECT count(*) FROM person WHERE usual")) if self._used else 0

    def read(self, staged: Connection, extract: Extract, as_of: dt.date) -> bool:
        """Type the whole file. False if DuckDB did not see the very rows that were staged: then nothing is usual."""
        self._prepare(staged)
        self._used = True
        seen = None
        with suppress(duckdb.Error):  # what DuckDB cannot read or hold is not usual
            for piece in self._pieces(extract):
                source = _source(piece, extract)
                self._engine.execute(_text("type_rows", letters=_LETTERS, source=source, as_of=_day(as_of)))
            seen = self._engine.execute("SELECT count(*), coalesce(sum(line), 0)::BIGINT FROM person").fetchone()
            self._refuse(_text("repeated"))
        there = staged.execute("SELECT count(*), coalesce(sum(line), 0)::bigint FROM loading.raw").fetchone()
        if seen != there:
            self._engine.execute("DELETE FROM person")
        return seen == there

    def hand_over(self, staged: Connection, turn: int) -> int:
        """Note in loading.unusual the rows that became unusual in this turn; how many."""
        query = "SELECT line FROM person WHERE NOT usual AND turn IS NULL"
        count = int(_one(self._engine, f"SELECT count(*) FROM ({query})"))  # noqa: S608
        if count:
            self._engine.execute(f"UPDATE person SET turn = {turn} WHERE NOT usual AND turn IS NULL")  # noqa: S608
            lines = f"SELECT line, turn FROM person WHERE turn = {turn}"  # noqa: S608
            self._copy(lines, staged, "COPY loading.unusual (line, turn) FROM STDIN (FORMAT csv, DELIMITER E'\\t')")
        return count

    def judge_related(self, staged: Connection, turn: int) -> None:
        """Rows that share a number or the household with the judged rows of this turn are no longer usual."""
        target = self._folder / "judged.csv"
        with target.open("wb") as stream, staged.cursor().copy(_JUDGED, {"turn": turn}) as source:
            for part in source:
                stream.write(part)
        self._engine.execute("DELETE FROM judged")
        self._engine.execute(
            f"INSERT INTO judged SELECT * FROM read_csv('{target}', header = false, auto_detect = false,"  # noqa: S608
            " quote = '\"', escape = '\"', delim = ',', columns = {'kind': 'VARCHAR', 'value': 'VARCHAR'})"
        )
        self._refuse(_text("related"))

    def number_homes(self, first_household: int) -> None:
        self._engine.execute(_text("homes", first_household=first_household))

    def homes(self) -> int:
        return int(_one(self._engine, "SELECT count(DISTINCT household) FROM person WHERE usual"))

    def write(self, session: Session, table: str, base: int) -> None:
        """COPY the usual rows to a table of the register."""
        query = _text(f"new_{table}", base=base)
        columns = ", ".join(name for name, *_ in self._engine.execute(f"DESCRIBE {query}").fetchall())
        copy = f"COPY {table} ({columns}) FROM STDIN (FORMAT csv, DELIMITER E'\\t')"
        self._copy(query, session.connection, copy)

    def _prepare(self, staged: Connection) -> None:
        run = self._engine.execute
        run("CREATE TABLE commune (code VARCHAR, unit_id INTEGER)")
        found = staged.execute("SELECT code, unit_id FROM loading.commune").fetchall()
        if found:
            codes, units = zip(*found, strict=True)
            run("INSERT INTO commune SELECT unnest($1), unnest($2)", [list(codes), list(units)])
        # khien_fold, for the letters that usual names are made of.
        run("CREATE MACRO folded(name) AS replace(strip_accents(lower(name)), 'đ', 'd')")
        run(
            "CREATE MACRO day_or_none(v) AS v IS NULL OR (regexp_full_match(v, '[0-9]{4}-[0-9]{2}-[0-9]{2}')"
            " AND TRY_CAST(v AS DATE) IS NOT NULL)"
        )
        run("CREATE TABLE judged (kind VARCHAR, value VARCHAR)")
        nothing = "(SELECT " + ", ".join(f"NULL::VARCHAR AS {n}" for n in NAMES) + ", 0::BIGINT AS line) "
        insert = _text("type_rows", letters="a", source=nothing, as_of=_day(dt.date.min))
        run(f"CREATE TABLE person AS {insert.partition('INSERT INTO person')[2]} LIMIT 0")

    def _pieces(self, extract: Extract) -> Iterator[Path]:
        """The numbered rows of the file in pieces of a size that DuckDB reads in little memory."""
        piece = self._folder / "rows.csv"
        stream = piece.open("wb")
        try:
            for block in extract.blocks(extract.start, extract.first_line):
                stream.write(block.rows)
                stream.write(b"\n")
                if stream.tell() >= _PIECE:
                    stream.close()
                    yield piece
                    stream = piece.open("wb")
            stream.close()
            yield piece
        finally:
            stream.close()

    def _refuse(self, lines: str) -> None:
        self._engine.execute(f"UPDATE person SET usual = false WHERE usual AND line IN ({lines})")  # noqa: S608

    def _copy(self, query: str, target: Connection, copy: str) -> None:
        """DuckDB writes into a pipe on one core, PostgreSQL takes it from there on another."""
        pipe = self._folder / "pipe"
        os.mkfifo(pipe, 0o600)
        failures: list[duckdb.Error] = []
        statement = f"COPY ({query}) TO '{pipe}' (FORMAT csv, HEADER false, DELIM '\t', NULLSTR '')"
        writer = threading.Thread(target=_run, args=(self._engine.cursor(), statement, pipe, failures), daemon=True)
        writer.start()
        try:
            with pipe.open("rb", buffering=0) as stream, target.cursor().copy(copy) as sink:
                while part := stream.read(_CHUNK):
                    sink.write(part)
        finally:
            pipe.unlink()
        writer.join()
        if failures:
            raise failures[0]


_JUDGED = """
COPY (SELECT v.kind, v.value FROM loading.checked c JOIN loading.unusual u USING (line), LATERAL (VALUES
    ('personal_number', c.personal_number), ('cmnd', c.old_number), ('insurance', c.insurance_number),
    ('provisional', c.provisional_id), ('household', c.household)) AS v (kind, value)
WHERE u.turn = %(turn)s AND v.value IS NOT NULL) TO STDOUT (FORMAT csv)
"""


@contextmanager
def usual_rows() -> Iterator[Usual]:
    """An empty set of rows. What a killed load left in our folder goes away first: it is about people."""
    folder = config.home() / "loading"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        with duckdb.connect(config=_OPTIONS | {"temp_directory": str(folder / "spill")}) as engine:
            # Small groups of rows, because each thread keeps the one it fills in memory.
            engine.execute(f"ATTACH '{folder / 'rows.duckdb'}' AS held (ROW_GROUP_SIZE 16384)")
            engine.execute("USE held")
            yield Usual(engine, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _text(name: str, **values: object) -> str:
    body = Template(getattr(_usual, name))
    return body.safe_substitute(identifiers=_usual.identifiers, **values)


def _source(piece: Path, extract: Extract) -> str:
    kinds = ", ".join(f"'{name}': 'VARCHAR'" for name in extract.columns)
    missing = "".join(f", NULL::VARCHAR AS {name}" for name in NAMES if name not in extract.columns)
    return (
        f"(SELECT *{missing} FROM read_csv('{piece}', header = false, auto_detect = false,"  # noqa: S608
        f" delim = '{extract.delimiter}',"
        f" quote = '\"', escape = '\"', nullstr = '', ignore_errors = true, buffer_size = 2000000,"
        f" columns = {{'line': 'BIGINT', {kinds}}}))"
    )


def _day(day: dt.date) -> str:
    return f"DATE '{day}'"


def _one(engine: duckdb.DuckDBPyConnection, query: str) -> Any:
    found = engine.execute(query).fetchone()
    return found[0] if found else None


def _run(engine: duckdb.DuckDBPyConnection, statement: str, pipe: Path, failures: list[duckdb.Error]) -> None:
    try:
        engine.execute("USE held")
        engine.execute(statement)
    except duckdb.Error as failure:
        failures.append(failure)
        # The reader waits for a writer: open and close, so that it sees the end.
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
