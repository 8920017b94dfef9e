"""One piece of a file of visits at a time: read by DuckDB, numbers and codes turned into ids, sorted into good and bad.

What the register says of a number or a code is asked once a load and kept in DuckDB beside the piece, in a folder of
the load's own that goes away with it. A time that is not written as YYYY-MM-DD HH:MM, with or without seconds and
offset, is for PostgreSQL to say.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import duckdb
import numpy as np
import psycopg

from khien.core import config
from khien.core.sql import Queries
from khien.tracing.loading.binary import SOURCES
from khien.tracing.loading.pieces import Piece, Source, line_ends

_q, _duck = Queries("khien.tracing.loading"), Queries("khien.tracing.loading", "pieces.sql")
_MEMORY, _EACH = 100, 150  # megabytes, and for each piece in hand; then it writes into its folder
_MOST_KNOWN = 1_500_000  # numbers or codes kept: they are made ready for each piece, and take room beside it
_CHUNK = 1 << 20
_LENGTHS = (16, 17, 19, 20, 22, 25, 26, 29, 32)  # of a time in the usual form
COLUMNS = ("personal_number", "place", "from", "to", "source", "seat")  # of a file, as of rejects
Connection = psycopg.Connection[Any]
Reject = tuple[int, str, str, list[str]]  # line of the piece, field, reason, the row in the order of COLUMNS


@dataclass(frozen=True, slots=True)
class Resolved:
    """A piece that was read: `read` rows on `lines` lines, the good ones as `visits`, numpy's columns by name."""

    read: int
    lines: int
    visits: Mapping[str, Any]
    rejects: list[Reject]

    @property
    def good(self) -> int:
        return len(self.visits["came"])

    def months(self) -> Iterator[tuple[dt.date, Mapping[str, Any]]]:
        """The visits by month (UTC)."""
        came = self.visits["came"].astype("M8[us]")
        if not self.good:
            return
        if (first := came.min().astype("M8[M]")) == came.max().astype("M8[M]"):
            yield first.astype(dt.date), self.visits
            return
        month = came.astype("M8[M]")
        for one in np.unique(month):
            yield one.astype(dt.date), {name: values[month == one] for name, values in self.visits.items()}


@dataclass
class _Text:
    """A piece as a file of `size` lines. `lines`: where each row begins, if a line is not always a row; `unreadable`:
    rows that are none."""

    path: Path
    size: int = 0
    lines: list[int] | None = None
    unreadable: list[Reject] = field(default_factory=list)


class _Question(NamedTuple):
    """What is asked in DuckDB, put to PostgreSQL and answered there, then known in DuckDB and said to the piece that
    asked; `known`: the table where answers are kept for other pieces, `forget` empties it."""

    ask: LiteralString
    put: LiteralString
    answer: LiteralString
    know: LiteralString
    learn: LiteralString | None = None
    known: LiteralString | None = None
    forget: LiteralString = ""


_TIMES = _Question(_duck.ask_times, _q.put_times, _q.answer_times, _duck.know_times)
_NUMBERS = _Question(
    _duck.ask_numbers, _q.put_asked, _q.answer_numbers, _duck.know_numbers, _duck.number, "person_of", _duck.people
)
_PLACES = _Question(
    _duck.ask_places, _q.put_asked, _q.answer_places, _duck.know_places, _duck.locate, "place_of", _duck.places
)


class Resolver:
    """What the pieces of one load share. `latest`: no clock that is right says a later moment."""

    def __init__(self, source: Source, latest: dt.datetime, folder: Path, workers: int) -> None:
        self._source, self._folder = source, folder
        self._asking = threading.Lock()
        self._months: set[dt.date] = set()
        self._engine = duckdb.connect(
            config={
                "memory_limit": f"{_MEMORY + _EACH * workers}MB",
                "threads": workers,
                "temp_directory": str(folder / "spilled"),
            }
        )
        for query in (_duck.settle, _duck.people, _duck.places):
            self._engine.execute(query)
        self._engine.execute(_duck.usual.format(lengths=sum(1 << length for length in _LENGTHS)))
        self._engine.execute(_duck.reason.format(latest=int(latest.timestamp() * 1_000_000)))

    def close(self) -> None:
        self._engine.close()

    def resolve(self, connection: Connection, piece: Piece) -> Resolved:
        """Read a piece, ask what is not known yet, and say of each row whether it is good. Raises BadInput where a
        quote is not closed."""
        path = self._folder / f"piece-{piece.number}.csv"
        engine = self._engine.cursor()
        try:
            engine.execute("SET TimeZone = 'Asia/Ho_Chi_Minh'")  # of times without an offset
            text = self._read(engine, piece, path)
            self._ask(engine, connection, text)
            (rows,) = _row(engine.execute(_duck.size))
            seat = "seat" if self.seats else "NULL::TINYINT"
            visits = engine.execute(_duck.good.format(seat=seat)).fetchnumpy()
            bad = engine.execute(_duck.rejected).fetchall() if len(visits["came"]) < rows else []
            rejects = [*text.unreadable, *self._rejects(engine, text, bad)]
            return Resolved(rows + len(text.unreadable), text.size, visits, rejects)
        finally:
            engine.close()
            path.unlink(missing_ok=True)

    @property
    def seats(self) -> bool:
        return "seat" in self._source.columns

    def room(self, connection: Connection, month: dt.date) -> None:
        """See that there is a table for the visits of a month."""
        with self._asking:
            if month not in self._months:
                connection.execute(_q.month, {"month": month, "seats": self.seats})
                self._months.add(month)

    def _read(self, engine: duckdb.DuckDBPyConnection, piece: Piece, path: Path) -> _Text:
        """Fill `piece`. Only a piece with rows that are none, or of more than a line, is read in Python too."""
        text = _Text(path)
        plain, ends = self._copy(piece, text)
        rows = self._into_table(engine, text) if plain is not None else None
        if plain and rows == ends:
            return text
        if rows is not None:
            text.lines = [line for line, _ in self._rows(piece, text)]
            if len(text.lines) == rows and not text.unreadable:
                return text
            text.unreadable.clear()
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
            text.lines = []
            for line, row in self._rows(piece, text):
                text.lines.append(line)
                writer.writerow(row)
        rows = self._into_table(engine, text)
        assert rows == len(text.lines)
        return text

    def _copy(self, piece: Piece, text: _Text) -> tuple[bool | None, int]:
        """Write a piece to a file, its lines ended by LF alone, and count them, also one that does not end. True: a
        line is a row; None: there are bytes that only Python is asked to read."""
        odd = quotes = returns = blank = False
        ends, last, held = 0, b"\n", b""
        with text.path.open("wb") as out:
            for told in self._source.parts(piece):
                part = held + told
                held = b"\r" if part.endswith(b"\r") else b""  # its LF may come with the next part
                part = part.removesuffix(held)
                if held or b"\r" in part:
                    returns = True
                    part = part.replace(b"\r\n", b"\n")
                odd = odd or b"\0" in part or b"\r" in part
                quotes = quotes or b'"' in part
                many, double = line_ends(part)
                blank = blank or double or (last == b"\n" and part.startswith(b"\n"))
                ends += many
                last = part[-1:] or last
                out.write(part)
        text.size = piece.end - piece.start if self._source.parquet else ends
        if odd or held or (quotes and returns):
            return None, ends
        return not (quotes or blank), ends + (last != b"\n")

    def _rows(self, piece: Piece, text: _Text) -> Iterator[tuple[int, list[str]]]:
        """The rows of a piece that are rows, with the line of it on which each begins. The others are noted. A row of a
        Parquet file is a line, whatever is in it."""
        before = 0
        for number, (line, row) in enumerate(self._source.rows(piece), 1):
            at, before = (number if self._source.parquet else before + 1), line
            if _is_row(row, len(self._source.columns)):
                yield at, row
            elif row:
                text.unreadable.append((at, "row", "bad_row", self._noted(row)))

    def _into_table(self, engine: duckdb.DuckDBPyConnection, text: _Text) -> int | None:
        """How many rows there are; None where DuckDB cannot read them all."""
        seat = "seat" if "seat" in self._source.columns else "NULL::VARCHAR"
        try:
            engine.execute(_duck.read.format(seat=seat, **self._form(text)), {"sources": list(SOURCES)})
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            return None
        return int(_row(engine.execute(_duck.size))[0])

    def _form(self, text: _Text) -> dict[str, str]:
        columns = ", ".join(f"'{c}': 'VARCHAR'" for c in self._source.columns)
        return {"file": _quoted(text.path), "columns": columns}

    def _ask(self, engine: duckdb.DuckDBPyConnection, connection: Connection, text: _Text) -> None:
        """What PostgreSQL knows of the odd times, and of numbers and codes that nobody asked for yet. One asks at a
        time: two pieces share most."""
        path = text.path.with_suffix(".asked")
        form = {**self._form(text), "asked": _quoted(path)}
        open_questions = _row(engine.execute(_duck.open_questions))
        with self._asking:
            for many, question in zip(open_questions, (_TIMES, _NUMBERS, _PLACES), strict=True):
                if not many:
                    continue  # who would ask for times reads the piece again
                if question.known and _row(engine.execute(f"SELECT count(*) FROM {question.known}"))[0] > _MOST_KNOWN:  # noqa: S608
                    engine.execute(question.forget)
                if _row(engine.execute(question.ask.format(**form)))[0]:
                    self._answer(connection, path, question)
                    engine.execute(question.know.format(**form))
                if question.learn:
                    engine.execute(question.learn)
        path.unlink(missing_ok=True)

    def _answer(self, connection: Connection, path: Path, question: _Question) -> None:
        """Have PostgreSQL answer what stands in a file, into the same file."""
        with connection.transaction():
            connection.execute(_q.empty_asked)
            with path.open("rb") as stream, connection.cursor().copy(question.put) as target:
                while part := stream.read(_CHUNK):
                    target.write(part)
            if question is _PLACES:
                connection.execute(_q.add_missing_places)
            with path.open("wb") as out, connection.cursor().copy(question.answer) as answers:
                for told in answers:
                    out.write(told)

    def _rejects(
        self, engine: duckdb.DuckDBPyConnection, text: _Text, bad: list[tuple[int, str, str]]
    ) -> Iterator[Reject]:
        """Line, field, reason and the row itself, read once more, of the rows that cannot be used."""
        if not bad:
            return
        again = engine.execute(_duck.again.format(**self._form(text)))
        for row, where, why in bad:
            noted = again.fetchone()
            assert noted is not None and noted[0] == row
            line = row if text.lines is None else text.lines[row - 1]
            yield line, where, why, self._noted([value or "" for value in noted[1:]])

    def _noted(self, row: list[str]) -> list[str]:
        """The row in the order of our columns."""
        clean = (v.encode("utf-8", "replace").decode().replace("\0", "") for v in row)
        told = dict(zip(self._source.columns, clean, strict=False))
        return [told.get(name, "") for name in COLUMNS]


@contextmanager
def resolver(source: Source, latest: dt.datetime, workers: int) -> Iterator[Resolver]:
    """A resolver with a folder that only we may read and that goes away; that of a load that was killed, which holds
    personal numbers, goes first. One load at a time: see loader.py."""
    folder = folder_of_database()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    shared = Resolver(source, latest, folder, workers)
    try:
        yield shared
    finally:
        shared.close()
        shutil.rmtree(folder, ignore_errors=True)


def folder_of_database() -> Path:
    """Two databases of one home never share it."""
    mark = hashlib.sha256(config.database_dsn("khien_loader").encode()).hexdigest()[:16]
    return config.home() / "visits" / mark


def _is_row(row: list[str], columns: int) -> bool:
    return len(row) == columns and not any("\0" in v or any("\ud800" <= c <= "\udfff" for c in v) for v in row)


def _row(found: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = found.fetchone()
    assert row is not None
    return row


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
