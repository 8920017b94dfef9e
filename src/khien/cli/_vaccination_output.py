"""Options and files that the commands of vaccination share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from khien.cli import language
from khien.cli._day import Day
from khien.core.i18n import translate
from khien.vaccination import sheets

DAY = Day()
client_id = click.option(
    "--client-id", "message", type=click.UUID, help="Your own number of this message: sending it again changes nothing."
)
as_json = click.option("--json", "as_json", is_flag=True)
sheet = click.option(
    "--csv", "--xlsx", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the list to this file."
)


def write_sheet(file: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A list for a spreadsheet, .xlsx by its name, else CSV; the head in the language of the terminal."""
    titles = [translate(title, language()) for title in head]
    file.write_bytes(sheets.written("xlsx" if file.suffix == ".xlsx" else "csv", [titles, *rows]))
    click.echo(file)
