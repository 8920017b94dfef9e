"""`khien vaccination`: record and correct doses, read a person's doses, judge a schedule, who is due."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import click

from khien import rulebook
from khien.cli import language, print_json
from khien.cli._day import Day
from khien.cli._vaccination_evaluate import evaluate
from khien.cli._vaccination_load import load
from khien.cli._vaccination_people import contact, declared, due, fact, schedule, verify
from khien.core.actor import Actor, machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.vaccination import actions, store
from khien.vaccination.rules.dose_checks import DoseEntry

_EVIDENCE = click.Choice(["site", "abroad", "paper", "declared"])


@click.group()
def vaccination() -> None:
    """Doses given, and what the schedule says of them."""


for _command in (evaluate, load, due, schedule, fact, contact, declared, verify):
    vaccination.add_command(_command)


def _actor(*permissions: str) -> Actor:
    return machine("vaccination", "person.read", "dose.read", *permissions)


@vaccination.command()
@click.argument("number")
@click.option("--product", required=True)
@click.option("--lot", "lot_number")
@click.option("--site", help="Code of the vaccination site.")
@click.option("--on", "day", type=Day(), help="The day it was given; today by default.")
@click.option("--evidence", type=_EVIDENCE, default="site", show_default=True)
@click.option("--already-given", is_flag=True, help="It was injected: record it, flagged, even if it breaks a rule.")
@click.option("--client-id", type=click.UUID, help="Your own number of this message: sending it again changes nothing.")
@click.option("--json", "as_json", is_flag=True)
def record(
    number: str, product: str, lot_number: str | None, site: str | None, day: dt.datetime | None, evidence: str,
    already_given: bool, client_id: UUID | None, as_json: bool,
) -> None:  # fmt: skip
    """Record one dose of the person with NUMBER (personal number or provisional id)."""
    actor = _actor("dose.record")
    with begin(actor) as session:
        person_id = population.person_id_of(session, number)
        given_on = day.date() if day else session.today
    entry = DoseEntry(client_id or uuid4(), person_id, product, given_on, lot_number, site, evidence, already_given)
    outcome = actions.record_dose(by=actor, entry=entry)
    answer = {"result": outcome.result, "dose_id": outcome.dose_id, "flags": [f.rule for f in outcome.findings]}
    if as_json:
        print_json(answer)
        return
    click.echo(translate(N_("Dose {dose_id}: {result}"), language(), **answer))
    for found in outcome.findings:
        click.echo(f"  {found.title[language()]} ({rulebook.document(found.document, language())})")


@vaccination.command()
@click.argument("number")
@click.argument("dose_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--reason", required=True)
@click.option("--on", "day", type=Day(), help="The right day.")
@click.option("--product", help="The right vaccine.")
@click.option("--lot", "lot_number", help="The right lot.")
@click.option("--entered-in-error", is_flag=True, help="It was never given to this person.")
@click.option("--client-id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True)
def correct(
    number: str, dose_id: int, reason: str, day: dt.datetime | None, product: str | None, lot_number: str | None,
    entered_in_error: bool, client_id: UUID | None, as_json: bool,
) -> None:  # fmt: skip
    """Supersede a dose; the old entry stays in the history."""
    changes: dict[str, Any] = {
        key: value
        for key, value in {"given_on": day and day.date(), "product": product, "lot_number": lot_number}.items()
        if value is not None
    }
    if bool(changes) == entered_in_error:
        message = N_("Give what is right (--on, --product, --lot), or --entered-in-error.")
        raise click.UsageError(translate(message, language()))
    actor = _actor("dose.correct")
    with begin(actor) as session:
        person_id = population.person_id_of(session, number)
    outcome = actions.correct_dose(
        by=actor, person_id=person_id, dose_id=dose_id, client_id=client_id or uuid4(), reason=reason,
        changes=None if entered_in_error else changes,
    )  # fmt: skip
    if as_json:
        print_json({"result": outcome.result, "dose_id": outcome.dose_id})
    else:
        click.echo(
            translate(N_("Dose {dose_id}: {result}"), language(), dose_id=outcome.dose_id, result=outcome.result)
        )


@vaccination.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True)
def status(number: str, as_json: bool) -> None:
    """All doses of the person with NUMBER, corrections included."""
    with begin(_actor()) as session:
        rows = store.doses_of_person(session, population.person_id_of(session, number))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark = " " if row["superseded_by"] is None and row["status"] == "completed" else "×"
        vaccine = rulebook.named(row["product_name"], language())
        click.echo(f"{mark} {row['given_on']}  {vaccine}  {row['lot_number'] or '–'}  {row['site_name'] or '–'}")
