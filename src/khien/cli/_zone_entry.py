"""What is entered for zones beside orders: what communes can treat, what people need; and what goes away again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.cli._zone_output import print_rows
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.territory import store as territory
from khien.zones import actions, movement

_DAY = Day()


@click.command()
@click.argument("commune")
@click.option("--sufficient/--insufficient", default=None, required=True, help="Whether its patients can be treated.")
@click.option("--on", "day", type=_DAY, help="The day of the report; today by default.")
@click.option("--note", default="")
@click.option("--json", "as_json", is_flag=True)
def capacity(commune: str, sufficient: bool, day: dt.datetime | None, note: str, as_json: bool) -> None:
    """Report whether COMMUNE (code or name) can treat its patients: without that no grade is lowered."""
    actor = machine("epidemic-control", "zone.read", "zone.grade")
    with begin(actor) as session:
        on = day.date() if day else session.today
        unit = territory.find(session, commune, on)
    actions.report_capacity(by=actor, unit_id=unit["unit_id"], sufficient=sufficient, on=on, note=note)
    if as_json:
        print_json({"unit_id": unit["unit_id"], "name": unit["name"], "on": on, "sufficient": sufficient})


@click.command()
@click.argument("number")
@click.argument("kind", type=click.Choice(actions.NEEDS), required=False)
@click.option("--from", "first", type=_DAY, help="First day; today by default.")
@click.option("--until", "end", type=_DAY, help="First day on which it no longer holds.")
@click.option("--ended", "ends", is_flag=True, help="It no longer holds from today on.")
@click.option("--json", "as_json", is_flag=True)
def need(
    number: str, kind: str | None, first: dt.datetime | None, end: dt.datetime | None, ends: bool, as_json: bool
) -> None:
    """Record what the person with NUMBER needs when a zone is closed; without KIND show what is recorded."""
    actor = machine("epidemic-control", "person.read", "need.record")
    with begin(actor) as session:
        person_id = population.person_id_of(session, number)
    if kind is not None and ends:
        actions.end_need(by=actor, person_id=person_id, kind=kind)
    elif kind is not None:
        actions.record_need(
            by=actor, person_id=person_id, kind=kind, from_day=first.date() if first else None,
            until_day=end.date() if end else None,
        )  # fmt: skip
    with begin(actor) as session:
        population.identity(session, person_id)  # logs that it was read
        print_rows(movement.needs_of(session, person_id), as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default="hospital", show_default=True, help="Who says so.")
@click.option("--json", "as_json", is_flag=True)
def needs(file: Path, source: str, as_json: bool) -> None:
    """Load needs: CSV of number, kind, from, until (may be empty). All or nothing; the same again changes nothing."""
    added, known = actions.load_needs(by=machine("epidemic-control", "need.record"), path=file, source=source)
    if as_json:
        print_json({"added": added, "known": known})
        return
    click.echo(translate(N_("{added} needs recorded, {known} known already."), language(), added=added, known=known))


@click.command()
@click.option("--before", type=_DAY, help="Drop the months that ended by this day, instead of by the rulebook.")
@click.option("--json", "as_json", is_flag=True)
def expire(before: dt.datetime | None, as_json: bool) -> None:
    """Drop the months of work lists whose retention is over; the proof stands in the access log.

    Passages, notices and declarations: khien checkpoint retain. The proofs: khien access log --action zone.expire.
    """
    actor = machine("movement-control", "zone.expire")
    print_rows(actions.expire_tasks(by=actor, before=before.date() if before else None), as_json)
