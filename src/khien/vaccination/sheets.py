"""Lists as files for spreadsheets: CSV (UTF-8 with byte order mark, as Excel wants it) and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from khien.core.spreadsheet import plain

MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def written(kind: str, rows: Sequence[Sequence[Any]]) -> bytes:
    """Header and rows as a file of `kind` ('csv', 'xlsx'). A text that begins like a formula stays a text."""
    return _csv(rows) if kind == "csv" else _xlsx(rows)


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[plain(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _xlsx(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, ["" if cell is None else cell for cell in row])
        sheet.autofit()
    return out.getvalue()


def call_list(rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The cells of a session's call list (store.campaign.call_list), a row a person."""
    return [
        [
            r["priority"],
            r["address"],
            r["name"],
            f"{r['birth_date']:%d/%m/%Y}",
            r["phone"],
            r["dose_number"],
            r["state"],
        ]
        for r in rows
    ]
