"""`khien visits`: load visits and places, drop what is old."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from khien.cli import check_taken, language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.tracing import visits as visit_files
from khien.tracing.movement import derive as derive_files

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def visits() -> None:
    """Who was where: visits to places."""


@visits.command()
@click.argument("file", type=_FILE)
@click.option("--places", type=_FILE, help="Describe the places first.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where refused rows are listed.")
@click.option("--json", "as_json", is_flag=True)
def load(file: Path, places: Path | None, rejects: Path | None, as_json: bool) -> None:
    """Load FILE (CSV or Parquet): personal_number, place, from, to, source, optionally seat.

    Times without a zone are of Viet Nam; an empty `to`: the departure is not known. Rows that cannot be used are
    listed with line, field and reason in FILE.rejects.csv; the others are loaded (exit code 3 where there are none).
    Safe to run again: what was loaded stays as it is, and a load that was killed goes on where it was.
    """
    actor = machine("epidemic-control", "visit.load")
    described = visit_files.load_places(places, by=actor) if places else 0
    with click.progressbar(length=1000, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        done = visit_files.load_visits(
            file, by=actor, rejects=rejects, progress=lambda part, of: bar.update(1000 * part // max(of, 1) - bar.pos)
        )
    answer = {
        "rows": done.rows, "loaded": done.loaded, "known": done.known, "places": described + done.places,
        "rejected": done.rejected, "unknown_numbers": done.unknown_numbers, "resumed": done.resumed,
        "rejects": str(done.rejects) if done.rejects else None,
    }  # fmt: skip
    if as_json:
        print_json(answer)
    else:
        _report(done)
    check_taken(done.rows, done.loaded + done.known)


def _report(done: visit_files.Loaded) -> None:
    click.echo(translate(N_("{rows} rows read, {loaded} visits new, {known} known already"), language(),
                         rows=done.rows, loaded=done.loaded, known=done.known))  # fmt: skip
    for reason, many in sorted(done.rejected.items()):
        click.echo(f"  {many:,}  {translate(visit_files.REASONS[reason], language())}")
    if done.rejects:
        click.echo(f"  → {done.rejects}")


@visits.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True)
def places(file: Path, as_json: bool) -> None:
    """Load FILE (CSV or Parquet): place, kind, name, commune, floor_area, ventilation."""
    many = visit_files.load_places(file, by=machine("epidemic-control", "visit.load"))
    if as_json:
        print_json({"places": many})
    else:
        click.echo(translate(N_("{places} places loaded"), language(), places=many))


@visits.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True)
def rosters(file: Path, as_json: bool) -> None:
    """Load timetables from FILE: personal_number, place, weekdays, starts, ends, valid_from, valid_until.

    Weekdays are digits, 1 is Monday; an end that is not after the start is of the next day.
    """
    many = derive_files.load_rosters(file, by=machine("epidemic-control", "visit.load"))
    print_json({"rosters": many}) if as_json else click.echo(
        translate(N_("{count} timetables loaded"), language(), count=many)
    )


@visits.command()
@click.option("--days", type=click.IntRange(1, 90), default=8, show_default=True, help="So many days back.")
@click.option("--json", "as_json", is_flag=True)
def derive(days: int, as_json: bool) -> None:
    """Write down the visits that checkpoints, vaccination sessions and timetables know of.

    A trace does it by itself for those who were with its cases; this is for everybody.
    """
    actor = machine("epidemic-control", "visit.load")
    with begin(actor) as session:
        now = session.now
    many = derive_files.derive_all(by=actor, start=now - dt.timedelta(days=days), end=now)
    print_json({"visits": many}) if as_json else click.echo(
        translate(N_("{count} visits new or changed"), language(), count=many)
    )


@visits.command()
@click.option("--before", type=Day(), help="Instead of by the retention in the rulebook.")
@click.option("--json", "as_json", is_flag=True)
def expire(before: dt.datetime | None, as_json: bool) -> None:
    """Drop the months of visits whose retention is over; the proof stands in the access log."""
    actor = machine("epidemic-control", "visit.expire")
    gone = visit_files.expire(by=actor, before=before.date() if before else None)
    if as_json:
        print_json(gone)
        return
    for part in gone:
        click.echo(f"{part['partition']}  {part['visits']:,}")
    if not gone:
        click.echo(translate(N_("Nothing is old enough."), language()))
