"""How `khien zone` prints lists and counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import click

from khien.cli import language
from khien.cli._output import print_rows
from khien.core.i18n import N_, translate
from khien.zones import needs, sheets

__all__ = ["days_between", "export", "print_rows", "summary"]


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
        raise click.UsageError(translate(N_("--from lies after --to."), language()))
    return begun, end
