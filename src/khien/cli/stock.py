"""`khien stock`: lots and what is left of them, counted in doses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

import click
from rich.console import Console
from rich.table import Table

from khien import rulebook
from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.vaccination import actions
from khien.vaccination.store import stock as store

_DAY = Day()
_ACTOR = machine("vaccination", "stock.move", "stock.read", "lot.manage", "dose.read")
_message = click.option(
    "--client-id", type=click.UUID, help="Your own number of this message: sending it again changes nothing."
)
_json = click.option("--json", "as_json", is_flag=True)
Command = TypeVar("Command", bound=Callable[..., Any])


def _of_lot(command: Command) -> Command:
    """PRODUCT LOT SITE, which every movement begins with."""
    for argument in (
        click.argument("site"), click.argument("lot_number", metavar="LOT"), click.argument("product")
    ):  # fmt: skip
        command = argument(command)
    return command


@click.group()
def stock() -> None:
    """Vaccine stock: receive, transfer, waste, temperature excursions, balances. Counted in doses."""


@stock.command()
@_of_lot
@click.argument("doses", type=click.IntRange(min=1))
@click.option("--expires-on", type=_DAY, help="For a lot that is not known yet.")
@click.option("--arrived-on", type=_DAY, help="For a lot that is not known yet; today by default.")
@click.option("--doses-per-vial", type=click.IntRange(min=1))
@click.option("--open-vial-hours", type=click.IntRange(min=1), help="How long an opened vial may be used.")
@_message
@_json
def receive(
    product: str, lot_number: str, site: str, doses: int, expires_on: dt.datetime | None,
    arrived_on: dt.datetime | None, doses_per_vial: int | None, open_vial_hours: int | None, client_id: UUID | None,
    as_json: bool,
) -> None:  # fmt: skip
    """DOSES of LOT arrive at SITE."""
    if expires_on is not None:
        with begin(_ACTOR) as session:
            today = session.today
        actions.receive_lot(
            by=_ACTOR, product=product, lot_number=lot_number, expires_on=expires_on.date(),
            arrived_on=arrived_on.date() if arrived_on else today, doses_per_vial=doses_per_vial,
            open_vial_hours=open_vial_hours,
        )  # fmt: skip
    done = actions.receive_stock(
        by=_ACTOR, client_id=client_id or uuid4(), product=product, lot_number=lot_number, site=site, doses=doses
    )
    _told(done, as_json)


@stock.command()
@_of_lot
@click.argument("to_site", metavar="TO")
@click.argument("doses", type=click.IntRange(min=1))
@_message
@_json
def transfer(
    product: str, lot_number: str, site: str, to_site: str, doses: int, client_id: UUID | None, as_json: bool
) -> None:
    """Send DOSES of LOT from SITE to another."""
    done = actions.transfer_stock(
        by=_ACTOR, client_id=client_id or uuid4(), product=product, lot_number=lot_number, site=site,
        to_site=to_site, doses=doses,
    )  # fmt: skip
    _told(done, as_json)


@stock.command()
@_of_lot
@click.argument("doses", type=click.IntRange(min=1))
@click.option("--reason", required=True)
@_message
@_json
def waste(
    product: str, lot_number: str, site: str, doses: int, reason: str, client_id: UUID | None, as_json: bool
) -> None:
    """DOSES of LOT are thrown away at SITE."""
    done = actions.move_stock(
        by=_ACTOR, client_id=client_id or uuid4(), kind="waste", product=product, lot_number=lot_number, site=site,
        doses=doses, reason=reason,
    )  # fmt: skip
    _told(done, as_json)


@stock.command()
@_of_lot
@click.option("--reason", required=True)
@click.option("--since", type=_DAY, help="The day it began; else everybody who got the lot is listed.")
@_message
@_json
def excursion(
    product: str, lot_number: str, site: str, reason: str, since: dt.datetime | None, client_id: UUID | None,
    as_json: bool,
) -> None:  # fmt: skip
    """LOT got too warm or too cold at SITE: block it everywhere, and list who got it."""
    done = actions.report_excursion(
        by=_ACTOR, client_id=client_id or uuid4(), product=product, lot_number=lot_number, site=site, reason=reason,
        since=since.date() if since else None,
    )  # fmt: skip
    if as_json:
        print_json({"result": done.result, "exposed": done.exposed, "recipients": done.recipients})
        return
    click.echo(
        translate(
            N_("The lot is blocked. Doses at the site: {exposed}. People who got it: {people}."), language(),
            exposed=done.exposed, people=len(done.recipients),
        )
    )  # fmt: skip
    for person in done.recipients:
        click.echo(f"  {person['given_on']}  {person['name']}  {person['birth_date']}  {person['unit_name']}")


@stock.command()
@click.option("--site", help="Code of one site.")
@_json
def balance(site: str | None, as_json: bool) -> None:
    """What is left of each lot, site by site."""
    with begin(_ACTOR) as session:
        rows = store.balances(session, site)
    if as_json:
        print_json(rows)
        return
    tongue = language()
    titles = (N_("Vaccination site"), N_("Vaccine and lot"), N_("Expires on"), N_("Doses"), N_("State"))
    table = Table(*(translate(title, tongue) for title in titles))
    for row in rows:
        table.add_row(
            row["site_name"], f"{rulebook.named(row['product_name'], tongue)} · {row['lot_number']}",
            f"{row['expires_on']:%d/%m/%Y}", str(row["doses"]), _state(row, tongue),
        )  # fmt: skip
    Console().print(table)


def _state(row: dict[str, Any], tongue: str) -> str:
    if row["blocked_on"] is not None:
        return translate(N_("Blocked"), tongue)
    return translate(N_("Expired"), tongue) if row["expired"] else ""


def _told(done: actions.Movement, as_json: bool) -> None:
    if as_json:
        print_json({"result": done.result, "balance": done.balance})
    else:
        click.echo(translate(N_("Left at the site: {balance} doses."), language(), balance=done.balance))
