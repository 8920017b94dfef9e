"""`khien population`: load a register extract, show a person, search by name."""

from __future__ import annotations

import csv
import datetime as dt
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from khien.cli import check_taken, language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store
from khien.population.load.loader import Loaded, load_extract

_SHOWN = 5  # faults on the terminal; all of them are in the rejects file
_STAGES = {"staging": N_("Reading"), "checking": N_("Checking"), "merging": N_("Merging")}


_ROWS = {
    "person_id": N_("Number in the register"), "name": N_("Name"), "birth_date": N_("Birth date"), "sex": N_("Sex"),
    "nationality": N_("Nationality"), "home_name": N_("Home commune"), "present_name": N_("Present commune"),
    "died_on": N_("Died on"),
}  # fmt: skip
_SEXES = {"male": N_("Male"), "female": N_("Female"), "other": N_("Other"), "unknown": N_("Not known")}
_KINDS = {
    "personal_number": N_("Personal number"), "cmnd": N_("Old 9-digit number"), "passport": N_("Passport"),
    "insurance": N_("Health insurance number"), "provisional": N_("Provisional id"),
    "permanent": N_("Permanent residence"), "temporary": N_("Temporary residence"), "stay": N_("Stay"),
    "absence": N_("Absence"),
}  # fmt: skip


@click.group()
def population() -> None:
    """The register: load an extract, show a person, search."""


@population.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as-of", type=Day(), help="The day the extract describes; today by default.")
@click.option("--strict", is_flag=True, help="Load nothing if any row is bad (exit code 3).")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where bad rows go; FILE.rejects.csv by default.")
@click.option("--json", "as_json", is_flag=True)
def load(file: Path, as_of: dt.datetime | None, strict: bool, rejects: Path | None, as_json: bool) -> None:
    """Load a register extract (CSV UTF-8 or Parquet); the same again changes nothing.

    Bad rows are written to the rejects file and the others are loaded: exit code 0, with the number of bad rows said.
    Where every row is bad, with --strict where one is, or where the columns are wrong, nothing is loaded: exit code 3.
    A load that was interrupted is taken up where it stopped by the same command.

    The first load into an empty register holds the people's tables, and the list of units against changes, from its
    first row to its end, so that pages about people wait meanwhile. Load before the pages are opened to users.
    """
    bar = _Bar() if not as_json else None
    with bar.shown() if bar else nullcontext():
        done = load_extract(
            file,
            by=machine("population.load", "person.load"),
            as_of=as_of.date() if as_of else None,
            strict=strict,
            rejects=rejects,
            progress=bar.advance if bar else lambda stage, part, of: None,
        )
    if as_json:
        print_json({"run": done.run_id, "as_of": done.as_of, "resumed": done.resumed, **asdict(done.counts),
                    "rejects": str(done.rejects) if done.rejects else None})  # fmt: skip
    else:
        _report(done)
    check_taken(done.counts.rows, done.counts.rows - done.counts.rejected)


def _report(done: Loaded) -> None:
    tongue = language()
    message = N_("{added} people added, {changed} changed, {unchanged} unchanged, {repeated} rows repeated.")
    click.echo(translate(message, tongue, **asdict(done.counts)))
    if done.rejects:
        message = N_("{rejected} rows are wrong ({faults} faults) and were not loaded: {file}")
        click.echo(translate(message, tongue, **asdict(done.counts), file=done.rejects), err=True)
        for line, field, reason in _first_rejects(done.rejects, tongue):
            click.echo(f"  {line}: {field}: {reason}", err=True)


def _first_rejects(rejects: Path, tongue: str) -> list[tuple[str, str, str]]:
    """The first faults of the rejects file: line, field, reason; the values stay in the file."""
    with rejects.open(encoding="utf-8", newline="") as stream:
        rows = islice(csv.DictReader(stream), _SHOWN)
        return [(row["line"], row["field"], row[f"reason_{tongue}"]) for row in rows]


class _Bar:
    """One line a stage, on standard error."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._tasks: dict[str, Any] = {}

    def shown(self) -> AbstractContextManager[Any]:
        return self._progress

    def advance(self, stage: str, done: int, of: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(translate(_STAGES[stage], language()), total=of)
        self._progress.update(self._tasks[stage], completed=done, total=of)


@population.command()
@click.argument("number")
@click.option("--id", "by_id", is_flag=True, help="NUMBER is the person's id in the register.")
@click.option("--masked", is_flag=True, help="Star the numbers.")
@click.option("--json", "as_json", is_flag=True)
def show(number: str, by_id: bool, masked: bool, as_json: bool) -> None:
    """What the register says of the person with NUMBER (personal number, CMND, insurance, provisional id)."""
    with begin(machine("population.show", "person.read")) as session:
        person_id = int(number) if by_id and number.isdecimal() else store.person_id_of(session, number)
        record = store.person(session, person_id, masked=masked)
    if as_json:
        print_json(record)
        return
    table = Table(show_header=False, box=None)
    tongue = language()
    for key in _ROWS:
        if record[key] is not None:
            text = translate(_SEXES[record[key]], tongue) if key == "sex" else str(record[key])
            table.add_row(translate(_ROWS[key], tongue), text)
    for one in record["identifiers"]:
        table.add_row(translate(_KINDS[one["kind"]], tongue), one["value"])
    for spell in record["residence"]:
        place = ", ".join(filter(None, (spell["address"], spell["unit_name"])))
        table.add_row(
            translate(_KINDS[spell["kind"]], tongue),
            f"{place} [{spell['from_day'] or '…'} – {spell['until_day'] or '…'})",
        )
    Console().print(table)


@population.command()
@click.argument("name")
@click.option("--born", "birth_year", type=click.IntRange(1880, 2100), help="Year of birth.")
@click.option("--unit", "unit_id", type=click.IntRange(1, 2**31 - 1), help="Id of a unit the person lives or is in.")
@click.option(
    "--after",
    nargs=2,
    type=(str, click.IntRange(0, 2**63 - 1)),
    help="The `sort` and `person_id` of the last row seen.",
)
@click.option("--json", "as_json", is_flag=True)
def search(
    name: str, birth_year: int | None, unit_id: int | None, after: tuple[str, int] | None, as_json: bool
) -> None:
    """People by NAME, with or without accents, in Vietnamese order; 50 at a time."""
    with begin(machine("population.search", "person.search")) as session:
        place = store.After(*after) if after else None
        found = store.search(session, name, birth_year=birth_year, unit_id=unit_id, after=place)
    if as_json:
        print_json(found)
        return
    titles = (N_("Name"), N_("Year of birth"), N_("Commune"))
    table = Table("id", *(translate(title, language()) for title in titles))
    for row in found:
        table.add_row(str(row["person_id"]), row["name"], str(row["birth_date"]), row["home_name"])
    Console().print(table)
