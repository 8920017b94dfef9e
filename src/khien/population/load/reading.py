"""A register extract as blocks of numbered CSV rows, ready for COPY, in constant memory.

A CSV file is cut at the ends of rows and handed on as it is, with the line number in front of each row: PostgreSQL
parses it. Only a block that PostgreSQL refuses is looked at row by row (`isolate`). Parquet is turned into the same
form by DuckDB, row numbers included.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import numpy as np

from khien.core.errors import BadInput, Fault, system_reason
from khien.core.i18n import N_
from khien.population.load.columns import check_header

BLOCK_BYTES = 6 << 20
# A quoted field may hold line breaks, but a row longer than this has lost its closing quote.
_ROW_BYTES = 64 << 10
_BOM = b"\xef\xbb\xbf"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # XLSX and XLS, whatever they are called
_QUOTE, _BREAK = ord('"'), ord("\n")
_PART = 1 << 19
_SHORT = 10_000  # bytes: below it numpy's calls cost more than they save

NOT_UTF8 = "not_utf8"
NUL_BYTE = "nul_byte"
COLUMN_COUNT = "column_count"
UNBALANCED_QUOTE = "unbalanced_quote"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read at all: its first line and why (one of the constants above)."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Block:
    """`rows` is CSV with the line number as first field. After it, reading goes on at `end` with line `next_line`.

    `text` is the same as it stands in the file, where every line is a row and none is bad; line `first` is its first.
    """

    numbered: bytes
    end: int  # CSV: byte offset; Parquet: row number
    next_line: int
    bad: tuple[BadRow, ...] = ()
    text: bytes = b""
    first: int = 0
    delimiter: bytes = b","

    @property
    def rows(self) -> bytes:
        return _number(self.text.split(b"\n"), self.first, self.delimiter) if self.text else self.numbered


@dataclass(frozen=True, slots=True)
class Extract:
    """An opened register extract. Its rows begin at `start`, on `first_line`; `Block.end` reaches `size`."""

    path: Path
    columns: tuple[str, ...]
    delimiter: str
    start: int
    first_line: int
    size: int
    parquet: bool

    def blocks(self, start: int, line: int) -> Iterator[Block]:
        return _parquet_blocks(self, start) if self.parquet else _csv_blocks(self, start, line)


def open_extract(path: Path) -> Extract:
    """Look at the beginning of the file. Raises BadInput if it is not an extract, NotFound is for the caller."""
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
    except OSError as failure:
        raise BadInput(N_("The file cannot be read: {reason}."), reason=system_reason(failure)) from failure
    if not head.strip():
        raise BadInput(N_("The file is empty."))
    if head.startswith(_WORKBOOKS):
        raise BadInput(N_("The file is a spreadsheet's own (Excel). Save it as CSV UTF-8."))
    if head.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        return _open_parquet(path)
    return _open_csv(path, head)


def _open_csv(path: Path, head: bytes) -> Extract:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:2]:
        raise BadInput(N_("The file is not UTF-8 (it looks like UTF-16). Save it as CSV UTF-8."))
    skip = len(_BOM) if head.startswith(_BOM) else 0
    line_end = head.find(b"\n")
    raw = head[skip : line_end if line_end >= 0 else len(head)].rstrip(b"\r")
    try:
        text = raw.decode()
    except UnicodeDecodeError as failure:
        fault = Fault("header", N_("This is not UTF-8."), 1)
        raise BadInput(N_("The file is not UTF-8. Save it as CSV UTF-8."), faults=(fault,)) from failure
    delimiter = max(",;\t", key=text.count)
    columns = check_header(next(csv.reader([text], delimiter=delimiter)))
    size = path.stat().st_size
    if line_end < 0 or size <= line_end + 1:
        raise BadInput(N_("The file has a header and no rows."))
    return Extract(path, columns, delimiter, line_end + 1, 2, size, parquet=False)


def _csv_blocks(extract: Extract, start: int, line: int) -> Iterator[Block]:
    with extract.path.open("rb") as stream:
        stream.seek(start)
        carried, offset = b"", start
        while True:
            read = stream.read(BLOCK_BYTES)
            data, last = carried + read, len(read) < BLOCK_BYTES
            cut = len(data) if last else data.rfind(b"\n") + 1
            block, used = _cut_rows(data[:cut], extract, line, last)
            carried = data[used:]
            offset, line = offset + used, block.next_line
            yield replace(block, end=offset)
            if last:
                return


def _cut_rows(data: bytes, extract: Extract, line: int, last: bool) -> tuple[Block, int]:
    """The rows of `data`. Gives the block and how many bytes of `data` it used."""
    separator = extract.delimiter.encode()
    if b'"' in data and _broken_in_field(data):
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return _cut_careful(lines, extract, line, last)
    text = data.removesuffix(b"\n")
    following = line + (text.count(b"\n") + 1 if data else 0)
    if b"\r" in text or b"\0" in text:
        return Block(_number(text.split(b"\n"), line, separator), 0, following), len(data)
    return Block(b"", 0, following, text=text, first=line, delimiter=separator), len(data)


def _broken_in_field(data: bytes) -> bool:
    """Whether a line has an odd number of quotes: a line break stands where the quotes before it are not even."""
    odd = 0
    for signs in _signs(data):
        quotes = np.flatnonzero(signs == _QUOTE)
        breaks = np.flatnonzero(signs == _BREAK)
        if (np.searchsorted(quotes, breaks) + odd & 1).any():
            return True
        odd ^= len(quotes) & 1
    return bool(odd)


def separators(text: bytes, separator: bytes) -> int:
    """How many separators stand outside of quotes."""
    if b'"' not in text:
        return text.count(separator)
    if len(text) < _SHORT:
        return text.count(separator) - b"".join(text.split(b'"')[1::2]).count(separator)
    outside = odd = 0
    for signs in _signs(text):
        found, quotes = signs == ord(separator), np.flatnonzero(signs == _QUOTE)
        # From each quote to the next; before the first one stands what is left of the part before.
        stretches = np.add.reduceat(found.view(np.int8), np.append(0, quotes), dtype=np.int32)
        outside += int(stretches[odd::2].sum())
        odd ^= len(quotes) & 1
    return outside


def _signs(text: bytes) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    """A part after the other: what is worked out for each takes as much memory as itself."""
    whole = np.frombuffer(text, np.uint8)
    return (whole[at : at + _PART] for at in range(0, len(whole), _PART))


def _number(lines: list[bytes], line: int, separator: bytes) -> bytes:
    rows = [b"%d%b%b" % (n, separator, part) for n, part in enumerate(lines, line) if part and part != b"\r"]
    return _unix(b"\n".join(rows))


def _cut_careful(lines: list[bytes], extract: Extract, line: int, last: bool) -> tuple[Block, int]:
    """Rows where a line has an odd number of quotes: a line break in a field, or a quote too many.

    Lines are joined until the quotes are even. If that gives no row of the right width, the first line alone is bad
    and the next one starts afresh, so that one stray quote costs one row and not the rest of the file.
    """
    rows: list[bytes] = []
    bad: list[BadRow] = []
    separator = extract.delimiter.encode()
    at = used = 0
    while at < len(lines):
        taken = _row_lines(lines, at)
        if taken == 0 and not last and sum(map(len, lines[at:])) < _ROW_BYTES:
            break  # the row goes on in the next block
        text = b"\n".join(lines[at : at + taken])
        if taken == 1 or (taken and _fields(text, extract) == len(extract.columns)):
            if text not in (b"", b"\r"):
                rows.append(b"%d%b%b" % (line + at, separator, text))
        else:
            bad.append(BadRow(line + at, UNBALANCED_QUOTE))
            taken = 1
        used += sum(len(part) + 1 for part in lines[at : at + taken])
        at += taken
    return Block(_unix(b"\n".join(rows)), 0, line + at, tuple(bad)), used


def _row_lines(lines: list[bytes], at: int) -> int:
    """How many lines from `at` on make a row with even quotes; 0 if none within a row's greatest length."""
    quotes = length = 0
    for taken, part in enumerate(lines[at:], 1):
        quotes += part.count(b'"')
        length += len(part)
        if not quotes & 1:
            return taken
        if length > _ROW_BYTES:
            return 0
    return 0


def _fields(text: bytes, extract: Extract) -> int:
    """Number of fields of one row; 0 if it is not one row."""
    try:
        parsed = list(
            csv.reader(io.StringIO(text.decode("utf-8", "replace")), delimiter=extract.delimiter, strict=True)
        )
    except csv.Error:
        return 0
    return len(parsed[0]) if len(parsed) == 1 else 0


def _unix(rows: bytes) -> bytes:
    """COPY wants one kind of line end."""
    return rows.replace(b"\r\n", b"\n").rstrip(b"\r") if b"\r" in rows else rows


def count_lines(extract: Extract) -> int:
    """No row stands on a later line."""
    if extract.parquet:
        return extract.size + 1
    lines = 0
    with extract.path.open("rb") as stream:
        while part := stream.read(1 << 20):
            lines += part.count(b"\n")
    return lines + 1


def isolate(extract: Extract, block: Block) -> Block:
    """The same block with the rows that COPY would refuse taken out and named. Slow; for blocks with such rows only."""
    good = io.StringIO()
    writer = csv.writer(good, delimiter=extract.delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    bad = list(block.bad)
    for raw in numbered_rows(block.rows):
        number, _, rest = raw.partition(extract.delimiter.encode())
        line = int(number)
        reason = _unreadable(rest)
        fields = None if reason else _parse_row(rest.decode(), extract)
        if fields is None:
            bad.append(BadRow(line, reason or UNBALANCED_QUOTE))
        elif len(fields) != len(extract.columns):
            bad.append(BadRow(line, COLUMN_COUNT))
        else:
            writer.writerow([line, *fields])
    return Block(good.getvalue().encode(), block.end, block.next_line, tuple(bad))


def numbered_rows(rows: bytes) -> Iterator[bytes]:
    pending: list[bytes] = []
    for part in rows.split(b"\n"):
        pending.append(part)
        row = b"\n".join(pending)
        if not row.count(b'"') & 1:
            if row:
                yield row
            pending = []


def _unreadable(row: bytes) -> str | None:
    if b"\0" in row:
        return NUL_BYTE
    try:
        row.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return None


def _parse_row(text: str, extract: Extract) -> list[str] | None:
    try:
        parsed = list(csv.reader(io.StringIO(text, newline=""), delimiter=extract.delimiter, strict=True))
    except csv.Error:
        return None
    return parsed[0] if len(parsed) == 1 else None


def _open_parquet(path: Path) -> Extract:
    with _engine() as engine:
        try:
            described = engine.execute("SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))", [str(path)])
            columns = check_header([name for (name,) in described.fetchall()])
            counted = engine.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
        except duckdb.Error as failure:
            raise _broken_parquet() from failure
    if not counted or not counted[0]:
        raise BadInput(N_("The file has a header and no rows."))
    return Extract(path, columns, ",", 0, 2, counted[0], parquet=True)


def _broken_parquet() -> BadInput:
    return BadInput(N_("The Parquet file is damaged or cut off."))


def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(config={"memory_limit": "120MB", "threads": 1, "preserve_insertion_order": True})
    engine.execute("SET enable_progress_bar = false")  # DuckDB's own would stand between the lines of --json
    return engine


def _parquet_blocks(extract: Extract, start: int) -> Iterator[Block]:
    """Rows after the first `start`, written by DuckDB into a pipe of ours as CSV. Line n is row n - 1, as in a CSV."""
    columns = ", ".join(f'"{c}"::VARCHAR' for c in extract.columns)
    source = str(extract.path).replace("'", "''")
    with tempfile.TemporaryDirectory(prefix="khien-load-") as folder:
        pipe = Path(folder) / "rows"
        os.mkfifo(pipe, 0o600)
        query = (
            f"COPY (SELECT file_row_number + 2, {columns} FROM read_parquet('{source}', file_row_number = true)"  # noqa: S608
            f" WHERE file_row_number >= {start}) TO '{pipe}' (FORMAT csv, HEADER false)"
        )
        failures: list[duckdb.Error] = []
        writer = threading.Thread(target=_write_rows, args=(query, pipe, failures), daemon=True)
        writer.start()
        with pipe.open("rb") as stream:
            yield from _piped_blocks(stream)
        writer.join()
        if failures:
            raise _broken_parquet() from failures[0]


def _write_rows(query: str, pipe: Path, failures: list[duckdb.Error]) -> None:
    try:
        with _engine() as engine:
            engine.execute(query)
    except duckdb.Error as failure:
        failures.append(failure)
        # The reader waits for a writer: open and close, so that it sees the end.
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))


def _piped_blocks(stream: BinaryIO) -> Iterator[Block]:
    carried = b""
    while True:
        read = stream.read(BLOCK_BYTES)
        data = carried + read
        cut = data.rfind(b"\n") + 1
        while cut and data.count(b'"', 0, cut) & 1:
            cut = data.rfind(b"\n", 0, cut - 1) + 1
        rows, carried = data[:cut], data[cut:]
        if rows:
            line = _last_number(rows)
            yield Block(rows[:-1], line - 1, line + 1)
        if not read:
            return


def _last_number(rows: bytes) -> int:
    """The number in front of the last row: a tail that began inside a quoted field would have odd quotes."""
    begin = rows.rfind(b"\n", 0, -1) + 1
    while begin and rows.count(b'"', begin) & 1:
        begin = rows.rfind(b"\n", 0, begin - 1) + 1
    return int(rows[begin : rows.find(b",", begin)])
