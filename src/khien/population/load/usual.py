"""The usual rows of a load into an empty register, typed and shaped by DuckDB instead of row by row in PostgreSQL.

Most rows are written as documented, with numbers nobody else in the file has. They need no judgement beyond what
usual.sql asks, and are written by COPY. Every other row, and whoever shares a number or the household with one, is
judged and merged the general way (typed.sql, checks.sql, merge.sql), which alone knows the reasons of a refusal.
So usual.sql may be narrower than the rules, never wider (tests/population/test_load_usual.py holds both together).

A block of the file becomes a few files in a folder of the run, so that a killed load goes on with the next block.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import psycopg

from khien.core import config
from khien.core.sql import Queries
from khien.population.load.columns import NAMES
from khien.population.load.reading import Block, Extract, numbered_rows, separators

_usual = Queries("khien.population.load", "usual.sql")
# Tables whose rows follow from one row of the file; households need the whole file.
ROW_TABLES = ("person", "identifier", "personal_card", "residence")
_FILE_TABLES = ("household", "household_member")
TABLES = ("person", "identifier", "personal_card", "household", "household_member", "residence")
_COLUMNS = {
    "person": "person_id, name, name_key, birth_date, birth_precision, sex, nationality, home_unit, present_unit,"
    " died_on",
    "identifier": "kind, value, person_id",
    "personal_card": "person_id, card_number, kind, issued_on, expires_on",
    "household": "household_id, unit_id, address",
    "household_member": "person_id, household_id, relation, valid",
    "residence": "person_id, kind, unit_id, address, valid",
}
_CHUNK = 1 << 20
_WORKERS = 2  # each holds one block; more would not stay below the memory a load may take
_AHEAD = 3
_OPTIONS: dict[str, Any] = {"memory_limit": "110MB", "threads": 1, "preserve_insertion_order": True}
_JUDGED_BETWEEN = "SELECT line FROM judged_line WHERE turn = $1 AND line >= $2 AND line < $3"
_VOWELS = ("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y")
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_LOWER = [unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES]
_ACCENTED = "".join(letter for letter in (*_LOWER, "đ") if not letter.isascii())
_LETTERS = "A-Za-z" + _ACCENTED + _ACCENTED.upper()
_MACROS = (
    # khien_fold, for the letters that usual names are made of.
    "CREATE MACRO folded(name) AS replace(strip_accents(lower(name)), 'đ', 'd')",
    "CREATE MACRO only_digits(v, n) AS regexp_full_match(v, '[0-9]{' || n || '}')",
    # A quote inside a value is read in several ways; the others mean something to COPY. Four times faster than one
    # regular expression.
    "CREATE MACRO plain_text(v) AS v IS NULL OR (length(v) <= 500 AND NOT (contains(v, '\"') OR contains(v, '\\')"
    " OR contains(v, '\t') OR contains(v, '\n') OR contains(v, '\r') OR contains(v, chr(0))))",
    # In a block without any of them.
    "CREATE MACRO short_text(v) AS v IS NULL OR length(v) <= 500",
    "CREATE MACRO full_day(v) AS CASE length(v) WHEN 10 THEN v WHEN 7 THEN v || '-01' WHEN 4 THEN v || '-01-01'"
    " ELSE '' END",
    "CREATE MACRO card_of(kind, old_number, number) AS CASE kind WHEN 'cmnd' THEN coalesce(old_number, number)"
    " ELSE number END",
    # No infinity, no year of five digits, none before Christ: DuckDB and PostgreSQL read those too.
    "CREATE MACRO day_or_none(v) AS v IS NULL"
    " OR (length(v) = 10 AND coalesce(TRY_CAST(v AS DATE)::VARCHAR = v, false))",
    # From the first to the last day, as PostgreSQL reads it.
    "CREATE MACRO spell(since, last) AS '[' || since || ',' || coalesce((last::DATE + 1)::VARCHAR, '') || ')'",
    "CREATE TABLE judged (kind VARCHAR, value VARCHAR)",
    "CREATE TABLE judged_line (line BIGINT, turn INTEGER)",
)


@dataclass(frozen=True, slots=True)
class Sifted:
    """A block without its usual rows, and how many they were."""

    rest: Block
    usual: int


def folder_of_database() -> Path:
    """Where loads into this database keep their rows: two databases of one home never share it."""
    mark = hashlib.sha256(config.database_dsn("khien_loader").encode()).hexdigest()[:16]
    return config.home() / "loading" / mark


def sweep(keep: int | None = None) -> None:
    """Remove what loads left behind, killed ones too: it is about people. `keep` is the run to go on with."""
    folder = folder_of_database()
    for left in folder.iterdir() if folder.is_dir() else ():
        if left.name != str(keep):
            shutil.rmtree(left, ignore_errors=True)
    if keep is None:
        shutil.rmtree(folder, ignore_errors=True)


def kept_until(run_id: int, line: int, blocks: int) -> bool:
    """Whether `blocks` blocks put aside before `line` are there; what a killed load wrote beyond it goes away."""
    folder = folder_of_database() / str(run_id)
    for path in folder.glob("*.*") if folder.is_dir() else ():
        if path.stem.isdigit() and int(path.stem) > line:
            path.unlink()
    return len(list(folder.glob("*.claims"))) == blocks


class Usual:
    """The usual rows of one run. `base` + line is a person's number; `communes` are (code, unit)."""

    def __init__(
        self, run_id: int, extract: Extract, as_of: dt.date, base: int, communes: Iterable[tuple[str, int]]
    ) -> None:
        self.folder = folder_of_database() / str(run_id)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._extract, self._base = extract, base
        self._engine = duckdb.connect(config=_OPTIONS | {"temp_directory": str(self.folder / "spill")})
        for macro in _MACROS:
            self._engine.execute(macro)
        self._engine.execute("CREATE TABLE commune (code VARCHAR, unit_id INTEGER)")
        codes, units = zip(*communes, strict=True)
        self._engine.execute("INSERT INTO commune SELECT unnest($1), unnest($2)", [list(codes), list(units)])
        self._text = partial(_text, base=base, as_of=f"DATE '{as_of}'", letters=_LETTERS)
        self._used = any(self.folder.glob("*.claims"))

    def close(self) -> None:
        self._engine.close()

    # Block by block -------------------------------------------------------------------------------------------------

    def sift(self, blocks: Iterable[Block]) -> Iterator[Sifted]:
        """Write the usual rows of each block to files and hand on the rest, in order. Two blocks at a time."""
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="usual") as workers:
            waiting: deque[Future[Sifted]] = deque()
            for block in blocks:
                waiting.append(workers.submit(self._sift, block))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _sift(self, block: Block) -> Sifted:
        piece = self.folder / f"{block.next_line}.rows"
        with self._engine.cursor() as engine:
            try:
                line, complete = self._read(engine, block, piece)
                plain = "short_text" if complete and _plain(block.text) else "plain_text"
                for step in ("few", "type_rows"):
                    engine.execute(self._text(step, line=line, plain=plain))
                engine.execute(self._text("typed"))
                usual = _number(engine, "SELECT count(*) FROM derived WHERE usual")
                if usual:
                    self._keep(engine, block)
                if complete and usual == block.next_line - block.first:
                    return Sifted(replace(block, text=b""), usual)
                found = engine.execute("SELECT line FROM derived WHERE usual").fetchall()
            except duckdb.Error:  # what DuckDB cannot read or hold is not usual
                for left in self.folder.glob(f"{block.next_line}.*"):
                    left.unlink()
                return Sifted(block, 0)
            finally:
                piece.unlink(missing_ok=True)
        lines = {line for (line,) in found}
        return Sifted(_only(block, self._extract, lambda line: line not in lines), usual)

    def _read(self, engine: duckdb.DuckDBPyConnection, block: Block, piece: Path) -> tuple[str, bool]:
        """The block as table `raw`; gives the expression for the line of a row, and whether every line is there."""
        expected, separator = len(self._extract.columns) - 1, self._extract.delimiter.encode()
        if block.text:
            piece.write_bytes(block.text)
            engine.execute(_reading(piece, self._extract, {}))
            lines = block.next_line - block.first
            # Every line a row and every row a line, else the numbers would be wrong. A row with fields too few is not
            # read; empty ones too many are passed over, but then there are separators too many.
            read = _number(engine, "SELECT count(*) FROM raw")
            if read == lines and separators(block.text, separator) == lines * expected:
                return f"rowid + {block.first}", True
        rows = [row for row in numbered_rows(block.rows) if separators(row, separator) == expected + 1]
        piece.write_bytes(b"\n".join(rows))
        engine.execute(_reading(piece, self._extract, {"line": "BIGINT"}))
        return "line", False

    def _keep(self, engine: duckdb.DuckDBPyConnection, block: Block) -> None:
        """Claims last: they say that the block is complete."""
        for table in ROW_TABLES:
            engine.execute(_copy_out(self._text(table), self.folder / f"{block.next_line}.{table}"))
        for name in ("members", "claims"):
            engine.execute(
                f"COPY ({self._text(name)}) TO '{self.folder / f'{block.next_line}.{name}'}'"
                " (FORMAT parquet, COMPRESSION uncompressed)"
            )
        self._used = True

    # The whole file -------------------------------------------------------------------------------------------------

    def judge_repeated(self, turn: int) -> int:
        """Rows that claim a number, or the head of a household, that another claims: no longer usual. How many."""
        return self._judge("repeated", turn)

    def judge_related(self, turn: int, judged: Path) -> int:
        """Rows that share a number or the household with rows that are judged, a file of (kind, value). How many."""
        self._engine.execute("DELETE FROM judged")
        self._engine.execute(
            f"INSERT INTO judged SELECT * FROM read_csv('{judged}', header = false, auto_detect = false,"  # noqa: S608
            " quote = '\"', escape = '\"', delim = ',', columns = {'kind': 'VARCHAR', 'value': 'VARCHAR'})"
        )
        return self._judge("related", turn)

    def _judge(self, name: str, turn: int) -> int:
        if not self._used:
            return 0
        self._engine.execute(self._files("judge", lines=self._files(name), turn=turn))
        return _number(self._engine, f"SELECT count(*) FROM judged_line WHERE turn = {turn}")  # noqa: S608

    def homes(self) -> int:
        """Make one household of the rows of each; how many."""
        if not self._used:
            return 0
        self._engine.execute(self._files("homes"))
        return _number(self._engine, "SELECT count(*) FROM home")

    def write(self, connection: psycopg.Connection[Any], table: str, first_household: int) -> None:
        """COPY the usual rows to a table of the register; those that are judged after all are still among them."""
        if not self._used:
            return
        if table in _FILE_TABLES:
            copy = f"COPY {table} ({_COLUMNS[table]}) FROM STDIN"
            self._pipe(self._files(table, first_household=first_household), connection, copy)
            return
        with self.writing(connection, table) as send:
            for path in self.pieces(table):
                send(path)

    def pieces(self, table: str) -> list[Path]:
        """The usual rows of each block for one of ROW_TABLES, as far as they were put aside."""
        return sorted(self.folder.glob(f"*.{table}"), key=lambda path: int(path.stem))

    def piece(self, block: Block, table: str) -> Path:
        return self.folder / f"{block.next_line}.{table}"

    @contextmanager
    def writing(self, connection: psycopg.Connection[Any], table: str) -> Iterator[Callable[[Path], None]]:
        """COPY of one piece after the other."""
        with connection.cursor().copy(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN") as sink:

            def send(path: Path) -> None:
                with path.open("rb", buffering=0) as stream:
                    while part := stream.read(_CHUNK):
                        sink.write(part)

            yield send

    def raw_rows(self, turn: int) -> Iterator[bytes]:
        """The rows judged in this turn as they stand in the file, read again."""
        first = self._extract.first_line
        for block in self._extract.blocks(self._extract.start, first):
            found = self._engine.execute(_JUDGED_BETWEEN, [turn, first, block.next_line]).fetchall()
            lines = {line for (line,) in found}
            if lines:
                yield _only(block, self._extract, lines.__contains__).rows
            first = block.next_line

    def _files(self, name: str, **values: object) -> str:
        sources = {kind: f"read_parquet('{self.folder}/*.{kind}')" for kind in ("claims", "members")}
        return self._text(name, **sources, **values)

    def _pipe(self, query: str, connection: psycopg.Connection[Any], copy: str) -> None:
        """DuckDB writes into a pipe on one core, PostgreSQL takes it from there on another."""
        pipe = self.folder / "pipe"
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe, 0o600)
        failures: list[duckdb.Error] = []
        task = (self._engine.cursor(), _copy_out(query, pipe), pipe, failures)
        writer = threading.Thread(target=_run, args=task, daemon=True)
        writer.start()
        try:
            with pipe.open("rb", buffering=0) as stream, connection.cursor().copy(copy) as sink:
                while part := stream.read(_CHUNK):
                    sink.write(part)
        finally:
            pipe.unlink()
        writer.join()
        if failures:
            raise failures[0]


def _only(block: Block, extract: Extract, wanted: Callable[[int], bool]) -> Block:
    """The block with the rows on the wanted lines alone."""
    separator = extract.delimiter.encode()
    rows = [row for row in numbered_rows(block.rows) if wanted(int(row.partition(separator)[0]))]
    return replace(block, text=b"", numbered=b"\n".join(rows))


def _plain(text: bytes) -> bool:
    """Whether no value of the block holds what `plain_text` looks for: the others are not in `Block.text`."""
    return not any(sign in text for sign in (b'"', b"\\", b"\t"))


def _text(name: str, **values: object) -> str:
    body = Template(getattr(_usual, name)).safe_substitute(identifiers=_usual.identifiers)
    return Template(body).safe_substitute(**values)


def _copy_out(query: str, target: Path) -> str:
    """In PostgreSQL's text format, which it reads faster than CSV: `plain_text` holds nothing to escape."""
    return f"COPY ({query}) TO '{target}' (FORMAT csv, HEADER false, DELIM '\t', QUOTE '', ESCAPE '', NULLSTR '\\N')"


def _reading(piece: Path, extract: Extract, before: dict[str, str]) -> str:
    kinds = {**before, **dict.fromkeys(extract.columns, "VARCHAR")}
    missing = "".join(f", NULL::VARCHAR AS {name}" for name in NAMES if name not in extract.columns)
    return (
        f"CREATE OR REPLACE TEMP TABLE raw AS SELECT *{missing} FROM"  # noqa: S608
        f" read_csv('{piece}', header = false, auto_detect = false, delim = '{extract.delimiter}',"
        " quote = '\"', escape = '\"', nullstr = '', ignore_errors = true, buffer_size = 4000000,"
        f" columns = {kinds})"
    )


def _number(engine: duckdb.DuckDBPyConnection, query: str) -> int:
    found = engine.execute(query).fetchone()
    return int(found[0]) if found else 0


def _run(engine: duckdb.DuckDBPyConnection, statement: str, pipe: Path, failures: list[duckdb.Error]) -> None:
    try:
        with engine:
            engine.execute(statement)
    except duckdb.Error as failure:
        failures.append(failure)
        # The reader waits for a writer: open and close, so that it sees the end.
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
