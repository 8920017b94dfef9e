"""`khien vaccination due · schedule · fact · contact · declared · verify`: what concerns people rather than doses."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import UUID, uuid4

import click

from khien.cli import language, print_json
from khien.cli._output import print_rows
from khien.cli._vaccination_output import DAY, as_json, client_id, sheet
from khien.cli.campaign import show_people
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.territory import store as territory
from khien.vaccination import actions, programmes
from khien.vaccination.store import campaign, events
from khien.vaccination.store import people as store
from khien.vaccination.store import schedule as schedules

_ACTOR = machine("vaccination", "campaign.read", "desk.work", "dose.read", "dose.verify", "dose.correct", "person.read")
_programme = click.option(
    "--programme", type=click.Choice(programmes.shipped()), default="covid_19_vn_2021", show_default=True
)


def _person(number: str) -> int:
    with begin(_ACTOR) as session:
        return population.person_id_of(session, number)


@click.command()
@click.option("--unit", "code", required=True, help="Code or name of the unit.")
@click.option("--on", "day", type=DAY, help="Today by default.")
@_programme
@click.option("--group", help="One vaccine group of the programme only.")
@sheet
@as_json
def due(
    code: str, day: dt.datetime | None, programme: str, group: str | None, file: Path | None, as_json: bool
) -> None:
    """Who is due in a unit on a day, household by household."""
    with begin(_ACTOR) as session:
        on = day.date() if day else session.today
        unit = territory.find(session, code, on)
        rows = campaign.due_list(session, programme, unit["unit_id"], on=on, group=group)
    show_people(rows, file, as_json)


@click.command()
@click.argument("number")
@_programme
@click.option("--on", "day", type=DAY, help="Today by default.")
@as_json
def schedule(number: str, programme: str, day: dt.datetime | None, as_json: bool) -> None:
    """What the doses of the person with NUMBER are worth, and what is next."""
    person_id = _person(number)
    with begin(_ACTOR) as session:
        told = schedules.course(session, person_id, programme, language=language(), on=day.date() if day else None)
    if as_json:
        print_json(told)
        return
    for dose in told["doses"]:
        why = "; ".join(r["text"] for e in dose["evaluations"] for r in e["reasons"])
        print_status = ", ".join(e["status"] for e in dose["evaluations"])
        click.echo(f"{dose['date']}  {dose['name']}  {print_status}{f' ({why})' if why else ''}")
    keys = ("group", "status", "dose_number", "earliest", "recommended", "past_due")
    print_rows([{key: row[key] for key in keys} for row in told["forecast"]], as_json=False)


@click.command()
@click.argument("number")
@click.argument("code", required=False)
@click.option("--since", type=DAY, help="Today by default.")
@click.option("--until", type=DAY, help="The first day on which it no longer holds.")
@client_id
@as_json
def fact(
    number: str, code: str | None, since: dt.datetime | None, until: dt.datetime | None, message: UUID | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Note CODE (an infection, a condition, an allergy) of the person with NUMBER; without CODE: show what is noted."""
    person_id = _person(number)
    if code is not None:
        with begin(_ACTOR) as session:
            today = session.today
        actions.note_health_fact(
            by=_ACTOR, client_id=message or uuid4(), person_id=person_id, code=code,
            since=since.date() if since else today, until=until.date() if until else None,
        )  # fmt: skip
    with begin(_ACTOR) as session:
        print_rows(store.health_facts(session, person_id), as_json)


@click.command()
@click.argument("number")
@click.option("--phone", help="Empty takes the old one away.")
@click.option("--email", help="Empty takes the old one away.")
@as_json
def contact(number: str, phone: str | None, email: str | None, as_json: bool) -> None:
    """How invitations reach the person with NUMBER."""
    person_id = _person(number)
    with begin(_ACTOR) as session:
        known = store.contact(session, person_id)
        told = {key: value for key, value in (("phone", phone), ("email", email)) if value is not None}
        if told:
            actions.note_contact(by=_ACTOR, person_id=person_id, **(known | told))
            known = store.contact(session, person_id)
    print_rows([known], as_json)


@click.command()
@as_json
def declared(as_json: bool) -> None:
    """Doses that people declared and nobody has verified yet, the oldest first."""
    with begin(_ACTOR) as session:
        print_rows(events.declared_doses(session), as_json)


@click.command()
@click.argument("number")
@click.argument("dose_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--evidence", type=click.Choice(["site", "paper", "abroad"]), required=True)
@click.option("--reason", required=True, help="What proves it.")
@client_id
@as_json
def verify(number: str, dose_id: int, evidence: str, reason: str, message: UUID | None, as_json: bool) -> None:
    """A declared dose is proved: from now on it counts."""
    done = actions.verify_dose(
        by=_ACTOR, client_id=message or uuid4(), person_id=_person(number), dose_id=dose_id, evidence=evidence,
        reason=reason,
    )  # fmt: skip
    told = translate(N_("Dose {dose_id}: {result}"), language(), dose_id=done.dose_id, result=done.result)
    print_json({"result": done.result, "dose_id": done.dose_id}) if as_json else click.echo(told)
