"""`khien card`: read what a card says."""

from __future__ import annotations

import json
import sys

import click

from khien.cli import language
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.population.rules.card import parse_card
from khien.population.rules.card_reading import CardReading


@click.group()
def card() -> None:
    """Read the codes of identity cards."""


@card.command()
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def parse(text: str, as_json: bool) -> None:
    """Read TEXT, a scanned code of a card, or - for standard input.

    Knows the QR of the chip card (2021) and of the card of 2024, the machine-readable zone, the personal QR of
    Decision 1405 and bare numbers. Texts come out in Unicode NFC. Needs no database.
    """
    reading = parse_card(_standard_input() if text == "-" else text)
    if as_json:
        click.echo(json.dumps(reading.as_json(language()), ensure_ascii=False))
    else:
        _print(reading)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        message = N_("This text is not valid UTF-8.")
        raise BadInput(message, faults=(Fault("text", message),)) from None


def _print(reading: CardReading) -> None:
    facts = reading.as_json(language())
    warnings, extras = facts.pop("warnings"), facts.pop("extras")
    for name, value in {**facts, **extras}.items():
        if value:
            click.echo(f"{name}: {value}")
    for warning in warnings:
        click.echo(f"! {warning['text']}")
