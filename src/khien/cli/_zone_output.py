"""How `khien zone` prints lists and counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from khien.cli import language, print_json
from khien.zones import needs, sheets


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Rows with the same keys, as a table or as JSON."""
    if as_json:
        print_json(rows)
        return
    table = Table(*(rows[0] if rows else ()))
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    Console().print(table)


def summary(rows: list[dict[str, Any]], on: dt.date) -> None:
    """How many people are in each list, came and left, and what they need."""
    counts = Counter(r["list"] for r in rows) + Counter(r["moved"] for r in rows if r["moved"])
    for name, count in (counts | needs.counts(rows, on)).items():
        click.echo(f"{name}: {count:,}")


def export(rows: list[dict[str, Any]], names: dict[int, str], on: dt.date, file: Path) -> None:
    """Write the list in the language of the terminal: .csv or .xlsx by the option it came from."""
    table = sheets.table(rows, names, on, language())
    file.write_bytes(sheets.as_xlsx(table) if file.suffix == ".xlsx" else sheets.as_csv(table))


def days_between(first: dt.datetime | None, last: dt.datetime | None, today: dt.date) -> tuple[dt.date, dt.date]:
    """The asked days, by default the week that ends today. Raises UsageError where they are the wrong way round."""
    end = last.date() if last else today
    begun = first.date() if first else end - dt.timedelta(days=6)
    if begun > end:
        raise click.UsageError("--from lies after --to.")
    return begun, end
