"""`khien simulate`: a synthetic nation, and an epidemic in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.i18n import N_, translate
from khien.simulation import extract, residents
from khien.simulation.epidemic import Epidemic, parameters
from khien.simulation.faults import Faulty, truth_path
from khien.simulation.nation import COLUMNS, Block, shares_from
from khien.simulation.nation import nation as make_nation
from khien.simulation.observation import simulated

_DAY = Day()
_FILE = click.Path(dir_okay=False, path_type=Path)
_GIVEN = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def simulate() -> None:
    """Make synthetic people: demonstration data and ground truth."""


@simulate.command()
@click.option("--people", type=click.IntRange(min=1), required=True, help="How many people.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Same seed, same nation.")
@click.option("--on", "on", type=_DAY, default="2021-09-15", show_default=True, help="The date of the extract.")
@click.option("--area", default="", help="Official codes of 2021 (province, district, commune), comma-separated.")
@click.option("--census", type=_GIVEN, help="People and household sizes by commune (CSV).")
@click.option("--ages", "age_file", type=_GIVEN, help="People by age group and district (CSV).")
@click.option("--shares", "share_file", type=_GIVEN, help="Shares of residence, identifiers, cards (TOML).")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.0, help="Share of faulty rows; the truth goes beside.")
@click.option("-o", "--output", type=_FILE, required=True, help="FILE.parquet or FILE.csv")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def nation(
    people: int,
    seed: int,
    on: dt.datetime,
    area: str,
    census: Path | None,
    age_file: Path | None,
    share_file: Path | None,
    faults: float,
    output: Path,
    as_json: bool,
) -> None:
    """A register extract of people who do not exist."""
    extract.check_name(output)
    codes = [code.strip() for code in area.split(",") if code.strip()]
    facts = shares_from(share_file) if share_file else None
    blocks = make_nation(
        people=people, seed=seed, on=on.date(), area=codes, census=census, age_file=age_file, facts=facts
    )
    faulty = Faulty(faults, seed)
    rows = extract.write(_shown(faulty.of(blocks), people), output, COLUMNS)
    answer: dict[str, object] = {"people": rows, "file": str(output)}
    if faults:
        answer |= {"faults": faulty.write(truth_path(output)), "truth": str(truth_path(output))}
    _say(answer, as_json)


def _say(answer: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    click.echo(translate(N_("{people} people written to {file}"), language(), **answer))
    if "faults" in answer:
        click.echo(translate(N_("{faults} faults, their truth in {truth}"), language(), **answer))


@simulate.command()
@click.option(
    "--nation", "people", type=_GIVEN, required=True, help="A register extract, as `simulate nation` makes it."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Same seed, same epidemic."
)
@click.option("--from", "first", type=_DAY, default="2021-09-15", show_default=True, help="The first day.")
@click.option("--days", type=click.IntRange(1, 1000), default=60, show_default=True)
@click.option(
    "--imported", type=click.IntRange(min=1), default=10, show_default=True, help="Infected on the first day."
)
@click.option("--r0", type=click.FloatRange(min=0), help="Basic reproduction number, instead of the rule file's.")
@click.option("--scan", type=click.FloatRange(0, 1), default=0.3, show_default=True, help="Share of visits recorded.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def epidemic(
    people: Path,
    seed: int,
    first: dt.datetime,
    days: int,
    imported: int,
    r0: float | None,
    scan: float,
    output: Path,
    as_json: bool,
) -> None:
    """An epidemic with its truth, and what imperfect data show of it."""
    found = residents.read(people, first.date())
    running = Epidemic(found, seed=seed, first_day=first.date(), imported=imported, facts=parameters(r0))
    with _bar() as progress:
        task = progress.add_task(translate(N_("Simulating days"), language()), total=days)
        outcome = simulated(running, days=days, scan=scan, folder=output, seen=lambda day: progress.advance(task))
    answer = {**asdict(outcome), "folder": str(output)}
    if as_json:
        print_json(answer)
        return
    said = N_("{infections} of {people} people infected, {reported} reported, {visits} visits recorded in {folder}")
    click.echo(translate(said, language(), **answer))


def _bar() -> Progress:
    """A progress bar on standard error, shown only where somebody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _shown(blocks: Iterable[Block], people: int) -> Iterator[Block]:
    """The blocks, with their progress."""
    with _bar() as progress:
        task = progress.add_task(translate(N_("Making people"), language()), total=people)
        for block in blocks:
            yield block
            progress.advance(task, len(block["name"]))
