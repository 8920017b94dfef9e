"""Lists that come as CSV: the lines of a file, and what its fields say."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import read_utf8


def lines_of(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The lines of a CSV file (UTF-8) with their numbers, every column a text. Raises BadInput for another file."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_utf8(path), newline="")))
    except csv.Error:
        raise BadInput(N_("The file is not CSV in UTF-8.")) from None
    missing = [c for c in columns if rows and c not in rows[0]]
    if missing:
        raise BadInput(N_("The file lacks the column {column}."), column=missing[0])
    return [(n, {c: (row[c] or "").strip() for c in columns}) for n, row in enumerate(rows, 2)]


def day_of(line: dict[str, str], field: str, number: int, faults: list[Fault]) -> dt.date | None:
    """The day in a field; None with one more fault where there is none."""
    try:
        return dt.date.fromisoformat(line[field])
    except ValueError:
        faults.append(Fault(field, N_("A date looks like 2021-09-15."), number))
        return None


def refuse(faults: Sequence[Fault]) -> None:
    """Raise BadInput if there are faults: such a file is loaded as a whole or not at all."""
    if faults:
        message = N_("The file has {count} faults; nothing was loaded.")
        raise BadInput(message, faults=tuple(faults), count=len(faults))
