"""`khien campaign`: from an order to who is due, what was allocated, who still has had no dose."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click

from khien.cli import check_taken, language, print_json
from khien.cli._output import print_rows
from khien.cli._vaccination_output import DAY, as_json, client_id, sheet, write_sheet
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.territory import store as territory
from khien.vaccination import actions
from khien.vaccination.store import campaign as store

_ACTOR = machine("vaccination", "campaign.manage", "campaign.read", "person.read")
_HEAD = (N_("Address"), N_("Name"), N_("Birth date"), N_("Phone"), N_("Dose"))


@click.group()
def campaign() -> None:
    """Vaccination campaigns: open, allocate doses, the board, who is not vaccinated yet."""


@campaign.command("open")
@click.argument("name")
@click.option("--unit", "code", required=True, help="Whose campaign: code or name of a province, district, commune.")
@click.option("--programme", default="covid_19_vn_2021", show_default=True)
@click.option("--group", default="COVID-19", show_default=True, help="Vaccine group of the programme.")
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--document", default="", help="Number and date of the order.")
@client_id
@as_json
def open_(
    name: str, code: str, programme: str, group: str, first: dt.datetime, last: dt.datetime, document: str,
    message: UUID | None, as_json: bool,
) -> None:  # fmt: skip
    """Begin a campaign called NAME."""
    with begin(_ACTOR) as session:
        unit = territory.find(session, code, session.today)
    made = actions.open_campaign(
        by=_ACTOR, client_id=message or uuid4(), name=name, programme=programme, vaccine_group=group,
        unit_id=unit["unit_id"], starts_on=first.date(), ends_on=last.date(), document=document,
    )  # fmt: skip
    print_json({"campaign": made}) if as_json else click.echo(made)


@campaign.command("list")
@as_json
def list_(as_json: bool) -> None:
    """All campaigns, newest first."""
    with begin(_ACTOR) as session:
        rows = store.campaigns(session)
    keys = ("campaign_id", "name", "unit_name", "programme", "vaccine_group", "starts_on", "ends_on", "document")
    print_rows([{key: row[key] for key in keys} for row in rows], as_json, name=N_("Campaign"))


@campaign.command()
@click.argument("campaign_id", type=int, metavar="CAMPAIGN")
@as_json
def board(campaign_id: int, as_json: bool) -> None:
    """Due, called, given, refused and in the fridge, commune by commune."""
    with begin(_ACTOR) as session:
        rows = store.board(session, campaign_id)["units"]
    print_rows(rows, as_json, name=N_("Commune"))


@campaign.command()
@click.argument("campaign_id", type=int, metavar="CAMPAIGN")
@click.argument("product")
@click.argument("doses", type=click.IntRange(min=1))
@click.option("--unit", "code", help="Code or name of the unit that gets them.")
@click.option("--site", help="Code of the site that gets them, out of what its unit was given.")
@click.option("--document", default="")
@client_id
@as_json
def allocate(
    campaign_id: int, product: str, doses: int, code: str | None, site: str | None, document: str,
    message: UUID | None, as_json: bool,
) -> None:  # fmt: skip
    """Promise DOSES of PRODUCT to a unit or a site."""
    with begin(_ACTOR) as session:
        unit_id = territory.find(session, code, session.today)["unit_id"] if code else None
    actions.allocate(
        by=_ACTOR, client_id=message or uuid4(), campaign_id=campaign_id, product=product, doses=doses,
        unit_id=unit_id, site=site, document=document,
    )  # fmt: skip
    _allocations(campaign_id, as_json)


@campaign.command()
@click.argument("campaign_id", type=int, metavar="CAMPAIGN")
@as_json
def allocations(campaign_id: int, as_json: bool) -> None:
    """Doses promised so far."""
    _allocations(campaign_id, as_json)


def _allocations(campaign_id: int, as_json: bool) -> None:
    with begin(_ACTOR) as session:
        print_rows(store.allocations(session, campaign_id), as_json)


@campaign.command()
@click.argument("campaign_id", type=int, metavar="CAMPAIGN")
@click.option("--unit", "code", required=True, help="Code or name of a commune.")
@click.option("--all-doses", is_flag=True, help="Everybody who is due, not only for the first dose.")
@sheet
@as_json
def unvaccinated(campaign_id: int, code: str, all_doses: bool, file: Path | None, as_json: bool) -> None:
    """Who is due and has had no dose yet, household by household: the list of a team at the door."""
    with begin(_ACTOR) as session:
        unit = territory.find(session, code, session.today)
        rows = store.door_to_door(session, campaign_id, unit["unit_id"], first_only=not all_doses)
    show_people(rows, file, as_json)


@campaign.command()
@click.argument("programme")
@click.argument("group", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="Whose list it is.")
@as_json
def prioritise(programme: str, group: int, file: Path, source: str, as_json: bool) -> None:
    """Put the people of FILE (one personal number a line) into priority GROUP of PROGRAMME."""
    listed = file.read_bytes()
    done = actions.prioritise(by=_ACTOR, programme=programme, group_number=group, content=listed, source=source)
    faults = [{"line": f.line, "field": f.field, "message": f.text(language())} for f in done.faults]
    if as_json:
        print_json({"done": done.done, "faults": faults})
    else:
        click.echo(translate(N_("In the group: {done}. Lines that put nobody in: {faults}."), language(),
                             done=done.done, faults=len(faults)))  # fmt: skip
        for fault in faults:
            click.echo(f"{fault['line']}: {fault['message']}", err=True)
    check_taken(done.done + len(faults), done.done)


def show_people(rows: list[dict[str, Any]], file: Path | None, as_json: bool) -> None:
    """People due, to a sheet, as JSON or as a table without what identifies more than a team needs."""
    if file is not None:
        body = [[r["address"], r["name"], f"{r['birth_date']:%d/%m/%Y}", r["phone"], r["dose_number"]] for r in rows]
        write_sheet(file, _HEAD, body)
        return
    keys = (
        "person_id",
        "address",
        "name",
        "birth_date",
        "phone",
        "vaccine_group",
        "dose_number",
        "dose_kind",
        "past_due",
    )
    print_rows(rows if as_json else [{key: row[key] for key in keys} for row in rows], as_json)
