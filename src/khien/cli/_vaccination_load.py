"""`khien vaccination load`: doses from a file, each line on its own."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import click

from khien.cli import check_taken, print_json
from khien.core.actor import machine
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_, Message, translate
from khien.vaccination import actions, due, programmes
from khien.vaccination.actions import DoseOutcome
from khien.vaccination.rules.dose_checks import DoseEntry

_BATCH = 1000


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where lines not recorded are listed.")
@click.option("--json", "as_json", is_flag=True)
def load(file: Path, rejects: Path | None, as_json: bool) -> None:
    """Record the doses of FILE: one JSON object a line, with the fields of the JSON API. Safe to run again.

    Lines that were not recorded are listed with line, field and reason in FILE.rejects.csv; the others are recorded
    (exit code 3 where there are none).
    """
    actor = machine("vaccination", "person.read", "dose.read", "dose.record")
    for _checked in _entries(file):
        pass  # a line that is no dose is found before the first dose is written
    counts: dict[str, int] = {}
    target = rejects or file.with_name(file.name + ".rejects.csv")
    partial = target.with_name(target.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        partial.chmod(0o600)
        for batch in _batches(_entries(file)):
            outcomes = actions.record_doses(by=actor, entries=[entry for _, entry in batch])
            for (line, _), outcome in zip(batch, outcomes, strict=True):
                counts[outcome.result] = counts.get(outcome.result, 0) + 1
                _reject(stream, line, outcome)
        refused = stream.tell() > 0
    partial.replace(target) if refused else partial.unlink()
    if counts.get("recorded"):
        for name in programmes.shipped():
            due.keep_up(actor, name)  # nobody who then asks who is due has to wait for it
    if as_json:
        print_json({**counts, "rejects": str(target) if refused else None})
    else:
        click.echo("  ".join(f"{k}: {v:,}" for k, v in sorted(counts.items())))
        if refused:
            click.echo(f"  → {target}")
    check_taken(sum(counts.values()), counts.get("recorded", 0) + counts.get("replayed", 0))


def _reject(stream: IO[str], line: int, outcome: DoseOutcome) -> None:
    """Every reason why a line was not recorded, in Vietnamese and English; no line of the file is repeated."""
    found: list[tuple[str, Message]] = []
    if outcome.result == "refused":
        found = [("dose", finding.title) for finding in outcome.findings]
    elif outcome.fault is not None:
        found = [(outcome.fault.field, outcome.fault.message)]
    writer = csv.writer(stream)
    if found and not stream.tell():
        writer.writerow(("line", "field", "reason_vi", "reason_en"))
    for field, reason in found:
        writer.writerow((line, field, translate(reason, "vi"), translate(reason, "en")))


def _batches(entries: Iterator[tuple[int, DoseEntry]]) -> Iterator[list[tuple[int, DoseEntry]]]:
    while batch := list(islice(entries, _BATCH)):
        yield batch


def _entries(file: Path) -> Iterator[tuple[int, DoseEntry]]:
    """Line and dose."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _entry(line, number)


def _entry(line: bytes, number: int) -> DoseEntry:
    try:
        told = json.loads(line.decode("utf-8-sig"))
        told["client_id"] = UUID(told["client_id"])
        told["given_on"] = dt.date.fromisoformat(told["given_on"])
        if _well_typed(told):
            return DoseEntry(**told)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    fault = Fault("dose", N_("Not a dose: one JSON object with client_id, person_id, product, given_on."), line=number)
    raise BadInput(N_("The file holds a line that is not a dose."), faults=(fault,))


def _well_typed(told: dict[str, Any]) -> bool:
    """Whether the database can take the fields: a 64-bit number, texts without NUL and of bounded length."""
    texts = [told["product"], told.get("evidence", ""), told.get("lot_number") or "", told.get("site") or ""]
    return (
        type(told["person_id"]) is int
        and 0 < told["person_id"] < 2**63
        and type(told.get("already_given", False)) is bool
        and all(
            isinstance(text, str) and len(text) <= 100 and "\0" not in text and text.isprintable() for text in texts
        )
    )
