"""`khien identity`: does what somebody declares fit the register?"""

from __future__ import annotations

from dataclasses import asdict

import click

from khien.checkpoints import actions
from khien.checkpoints.rules import declared
from khien.checkpoints.rules.declared import SEXES
from khien.checkpoints.rules.verdict import note_text
from khien.cli import language, print_json
from khien.core.actor import machine


@click.group()
def identity() -> None:
    """Check declared identities against the register."""


@identity.command()
@click.option("--number", required=True, help="12-digit personal number, 9-digit old number, or provisional id.")
@click.option("--name", required=True)
@click.option("--birth-date", required=True, help="YYYY-MM-DD, YYYY-MM or YYYY.")
@click.option("--sex", type=click.Choice(SEXES))
@click.option("--card-number")
@click.option("--card-issued-on", help="YYYY-MM-DD")
@click.option("--commune", help="Official code.")
@click.option("--json", "as_json", is_flag=True)
def check(
    number: str, name: str, birth_date: str, sex: str | None, card_number: str | None, card_issued_on: str | None,
    commune: str | None, as_json: bool,
) -> None:  # fmt: skip
    """The verdict, never what the register says. The check is logged."""
    message = {
        "number": number, "name": name, "birth_date": birth_date, "sex": sex, "card_number": card_number,
        "card_issued_on": card_issued_on, "commune": commune,
    }  # fmt: skip
    answer = actions.check_identity(by=machine("movement-control", "identity.check"), declared=declared.read(message))
    tongue = language()
    if as_json:
        notes = [{"code": note, "text": note_text(note, tongue)} for note in answer.notes]
        print_json(asdict(answer) | {"text": answer.text(tongue), "notes": notes})
        return
    click.echo(f"{answer.verdict}: {answer.text(tongue)}")
    for note in answer.notes:
        click.echo(f"  {note_text(note, tongue)}")
    for field in answer.malformed:
        click.echo(f"  {field}")
