"""`khien session`: a day at a vaccination site: places, call list, invitations, end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import UUID, uuid4

import click

from khien.cli import language, print_json
from khien.cli._output import print_rows
from khien.cli._vaccination_output import DAY, as_json, client_id, sheet, write_sheet
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.territory import store as territory
from khien.vaccination import actions, sending, sheets
from khien.vaccination.store import campaign as store
from khien.vaccination.store import desk

_ACTOR = machine(
    "vaccination", "campaign.manage", "campaign.read", "desk.work", "stock.move", "person.read", "dose.read"
)
_HEAD = (N_("Priority group"), N_("Address"), N_("Name"), N_("Birth date"), N_("Phone"), N_("Dose"), N_("State"))
_session = click.argument("session_id", type=int, metavar="SESSION")


@click.group()
def session() -> None:
    """Vaccination sessions: open, call, invite, undo, close."""


@session.command("open")
@click.argument("campaign_id", type=int, metavar="CAMPAIGN")
@click.argument("site")
@click.argument("day", type=DAY)
@click.argument("product")
@click.option("--places", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--lot", "lot_number")
@click.option("--kind", type=click.Choice(["site", "mobile", "door"]), default="site", show_default=True)
@client_id
@as_json
def open_(
    campaign_id: int, site: str, day: dt.datetime, product: str, places: int, lot_number: str | None, kind: str,
    message: UUID | None, as_json: bool,
) -> None:  # fmt: skip
    """A session of CAMPAIGN at SITE on DAY with PRODUCT."""
    made = actions.open_session(
        by=_ACTOR, client_id=message or uuid4(), campaign_id=campaign_id, site=site, day=day.date(), product=product,
        places=places, kind=kind, lot_number=lot_number,
    )  # fmt: skip
    print_json({"session": made}) if as_json else click.echo(made)


@session.command("list")
@click.option("--from", "first", type=DAY, help="A week ago by default.")
@click.option("--to", "last", type=DAY, help="In two weeks by default.")
@as_json
def list_(first: dt.datetime | None, last: dt.datetime | None, as_json: bool) -> None:
    """Sessions of some days, with places, called and given."""
    with begin(_ACTOR) as opened:
        since = first.date() if first else opened.today - dt.timedelta(days=7)
        until = last.date() if last else opened.today + dt.timedelta(days=14)
        rows = store.sessions(opened, since, until)
        counted = desk.figures(opened, [row["session_id"] for row in rows])
    keys = ("session_id", "day", "kind", "site_name", "product", "lot_number", "places", "called")
    print_rows(
        [
            {key: row[key] for key in keys}
            | {"given": counted[row["session_id"]]["given"], "closed": row["closed_at"] is not None}
            for row in rows
        ],
        as_json,
    )


@session.command()
@_session
@click.option("--unit", "codes", multiple=True, help="Whom to call from; the site's own commune by default.")
@as_json
def call(session_id: int, codes: tuple[str, ...], as_json: bool) -> None:
    """Fill the places: by priority group, then by age, whole households at a time."""
    with begin(_ACTOR) as opened:
        units = [territory.find(opened, code, opened.today)["unit_id"] for code in codes]
    called = actions.call_people(by=_ACTOR, session_id=session_id, units=units)
    told = translate(N_("{people} people were called."), language(), people=called)
    print_json({"called": called}) if as_json else click.echo(told)


@session.command()
@_session
@sheet
@as_json
def people(session_id: int, file: Path | None, as_json: bool) -> None:
    """The call list, households together."""
    with begin(_ACTOR) as opened:
        rows = store.call_list(opened, session_id)
    if file is not None:
        body = sheets.call_list(rows)
        write_sheet(file, _HEAD, body)
        return
    keys = ("person_id", "priority", "address", "name", "birth_date", "dose_number", "state", "walk_in", "invited")
    print_rows(rows if as_json else [{key: row[key] for key in keys} for row in rows], as_json)


@session.command()
@_session
@click.option("--through", help="file:FOLDER, smtp://host?from=address or module:function; KHIEN_SENDER by default.")
@as_json
def invite(session_id: int, through: str | None, as_json: bool) -> None:
    """Send everybody called an invitation, each once."""
    done = actions.send_invitations(by=_ACTOR, session_id=session_id, through=sending.sender(through))
    told = translate(N_("Invitations sent: {sent}, failed: {failed}."), language(), **done)
    print_json(done) if as_json else click.echo(told)


@session.command()
@_session
@click.argument("number")
@click.argument("state", type=click.Choice(["called", "refused", "unreachable"]))
@click.option("--reason", default="", help="Needed for a refusal.")
def note(session_id: int, number: str, state: str, reason: str) -> None:
    """What came of calling the person with NUMBER."""
    actions.note_call(by=_ACTOR, session_id=session_id, person_id=_person(number), state=state, reason=reason)


@session.command()
@_session
@click.argument("number")
@as_json
def undo(session_id: int, number: str, as_json: bool) -> None:
    """Take back the dose that this session recorded for the person with NUMBER; it stays as entered in error."""
    done = actions.undo_dose(by=_ACTOR, session_id=session_id, person_id=_person(number))
    told = translate(N_("Dose {dose_id}: {result}"), language(), dose_id=done.dose_id, result=done.result)
    print_json({"result": done.result, "dose_id": done.dose_id}) if as_json else click.echo(told)


@session.command()
@_session
@click.option("--used", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--wasted", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--reason", default="", help="Why doses were thrown away.")
@client_id
@as_json
def close(session_id: int, used: int, wasted: int, reason: str, message: UUID | None, as_json: bool) -> None:
    """End the session: doses used and thrown away leave the stock. Prints whether they add up with those recorded."""
    actions.close_session(
        by=_ACTOR, client_id=message or uuid4(), session_id=session_id, used=used, wasted=wasted, reason=reason
    )
    with begin(_ACTOR) as opened:
        print_rows(desk.reconcile(opened, session_id), as_json)


def _person(number: str) -> int:
    with begin(_ACTOR) as opened:
        return population.person_id_of(opened, number)
