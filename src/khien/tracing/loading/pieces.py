"""A file of visits as pieces to be loaded by themselves: ranges of bytes of a CSV, ranges of rows of a Parquet file.

A piece of a CSV ends where a row ends, also where fields in quotes hold line ends.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.tracing.tabular import csv_header, parquet_as_csv

_PART = 1 << 20
_LF = 0x0A
_LARGEST, _SMALLEST = 64 << 20, 16 << 20  # bytes of a piece
_ROWS = 1_000_000  # of a piece of a Parquet file


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes or rows from `start` to before `end`."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file. `columns`: as they come in it. `size`: bytes, or rows of a Parquet file; `step` of them make a piece."""

    path: Path
    columns: list[str]
    size: int
    step: int

    @property
    def parquet(self) -> bool:
        return self.path.suffix.lower() == ".parquet"

    def pieces(self) -> Generator[Piece]:
        """The same in every run. A CSV is cut while they are taken: nobody waits for the end of the file."""
        if not self.parquet:
            return _csv_pieces(self.path, self.step)
        starts = enumerate(range(0, self.size, self.step))
        return (Piece(number, start, min(start + self.step, self.size)) for number, start in starts)

    def line(self, piece: Piece) -> int:
        """Where a piece begins in the file, its header being line 1. Of a CSV everything before is read."""
        if self.parquet:
            return piece.start + 2
        return 1 + sum(line_ends(part)[0] for part in _bytes(self.path, 0, piece.start))

    def parts(self, piece: Piece) -> Iterator[bytes]:
        """The rows of a piece as CSV without header."""
        if self.parquet:
            return parquet_as_csv(self.path, self.columns, rows=(piece.start, piece.end))
        return _bytes(self.path, piece.start, piece.end)

    def rows(self, piece: Piece) -> Iterator[tuple[int, list[str]]]:
        """The rows of a piece with the line of the piece on which each ends, counted from 1. What is no UTF-8 stays in
        as surrogates. Raises BadInput where a quote is not closed."""
        reader = csv.reader(_lines(self.parts(piece)))
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as failure:
            fault = Fault("row", N_("This row cannot be read."), self.line(piece) + reader.line_num - 1)
            raise BadInput(N_("The file cannot be read; nothing was loaded."), faults=(fault,)) from failure

    def fingerprint(self) -> str:
        """Tells whether a later start is about the same file: size, time of change, first and last megabyte, step."""
        state = self.path.stat()
        digest = hashlib.sha256(repr((state.st_size, state.st_mtime_ns, self.columns, self.step)).encode())
        with self.path.open("rb") as stream:
            digest.update(stream.read(_PART))
            stream.seek(max(0, state.st_size - _PART))
            digest.update(stream.read())
        return digest.hexdigest()


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    kept = ""
    for text in codecs.iterdecode(parts, "utf-8", errors="surrogateescape"):
        *whole, kept = (kept + text).split("\n")
        for line in whole:
            yield line + "\n"
    if kept:
        yield kept


def plan(
    path: Path, needed: Sequence[str], known: Mapping[str, str], *, workers: int, size: int | None = None
) -> Source:
    """A file, to be cut into pieces of `size` bytes or rows. Raises BadInput where a column lacks or is unknown."""
    columns = csv_header(path, needed, known)
    if path.suffix.lower() == ".parquet":
        return Source(path, columns, _parquet_rows(path), size or _ROWS)
    total = path.stat().st_size
    return Source(path, columns, total, size or min(_LARGEST, max(_SMALLEST, total // (2 * workers))))


def _parquet_rows(path: Path) -> int:
    with duckdb.connect() as engine:
        found = engine.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
    assert found is not None
    return int(found[0])


def _bytes(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while start < end and (part := stream.read(min(_PART, end - start))):
            start += len(part)
            yield part


def _csv_pieces(path: Path, step: int) -> Generator[Piece]:
    with path.open("rb") as stream:
        start = offset = len(stream.readline())
        number, quotes = 0, 0
        while part := stream.read(_PART):
            seen = 0  # of this part
            while offset + len(part) - start >= step:
                cut = _row_end(part, max(seen, start + step - offset - 1), quotes, seen)
                if cut is None:
                    break
                quotes = 0  # even
                seen = cut
                yield Piece(number, start, offset + cut)
                number, start = number + 1, offset + cut
            quotes += part.count(b'"', seen) if b'"' in part else 0  # to look for one is faster than to count
            offset += len(part)
        if offset > start:
            yield Piece(number, start, offset)


def line_ends(part: bytes | memoryview) -> tuple[int, bool]:
    """How many LF there are, and whether one follows another: numpy looks at many bytes at once, bytes.count at one."""
    ends = np.frombuffer(part, np.uint8) == _LF
    return int(np.count_nonzero(ends)), bool((ends[1:] & ends[:-1]).any())


def _row_end(part: bytes, wanted: int, quotes: int, seen: int) -> int | None:
    """Where the first row that ends at or after `wanted` ends, `quotes` having come before `seen`; None: not here."""
    at = max(wanted, seen)
    while (found := part.find(b"\n", at)) >= 0:
        if not (quotes + part.count(b'"', seen, found)) & 1:
            return found + 1
        at = found + 1
    return None
