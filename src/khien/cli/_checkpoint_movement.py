"""`khien checkpoint`: passages, passes and kits."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click

from khien.checkpoints.movement import actions, checking, kit, store
from khien.checkpoints.rules import passes
from khien.checkpoints.rules.passages import CHECKS, DIRECTIONS, PassageEntry
from khien.cli import check_taken, language, print_json
from khien.cli._day import Moment
from khien.core.actor import machine
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population.rules.card import parse_card


@click.command()
@click.argument("code")
@click.option("--hours", default=12, show_default=True, type=click.IntRange(1, 24 * 31), help="How far back.")
@click.option("--plate")
@click.option("--name", help="Whole words of the name, with or without accents.")
@click.option("--json", "as_json", is_flag=True)
def passages(code: str, hours: int, plate: str | None, name: str | None, as_json: bool) -> None:
    """Who passed the checkpoint CODE, newest first."""
    with begin(machine("movement-control", "passage.read")) as session:
        found = store.checkpoint(session, code=code)
        since, until = session.now - dt.timedelta(hours=hours), session.now + dt.timedelta(hours=1)
        rows = store.passages(session, found["checkpoint_id"], since=since, until=until, plate=plate, name=name)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        arrow = "→" if row["direction"] == "in" else "←"
        when = row["passed_at"].astimezone(dt.timezone(dt.timedelta(hours=7)))
        click.echo(f"{when:%d/%m %H:%M} {arrow} {row['name']} (…{row['number_tail']})  {row['plate'] or ''}")


@click.command()
@click.argument("code")
@click.argument("card", required=False)
@click.option("--direction", type=click.Choice(DIRECTIONS), default="in", show_default=True)
@click.option("--plate")
@click.option("--companions", type=click.IntRange(0, 200), default=0)
@click.option("--checked", type=click.Choice(CHECKS), default="eye", show_default=True)
@click.option("--at", "passed_at", type=Moment(), help="With time zone; now by default.")
@click.option("--client-id", type=click.UUID, help="Your own number of this message: sending it again changes nothing.")
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Many: one JSON object a line, with the fields of a passage.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True)
def record(
    code: str, card: str | None, direction: str, plate: str | None, companions: int, checked: str,
    passed_at: dt.datetime | None, client_id: UUID | None, file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record that the owner of CARD (scanned text of a card with name and birth date) passed the checkpoint CODE."""
    if (card is None) == (file is None):
        raise click.UsageError(translate(N_("Give a card, or --file."), language()))
    actor = machine("movement-control", "passage.record")
    with begin(actor) as session:
        place = store.checkpoint(session, code=code)["checkpoint_id"]
        now = session.now
    if file is not None:
        entries = [_entry(line, n) for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if line]
    else:
        person = _person(card or "")
        entries = [PassageEntry(client_id or uuid4(), passed_at or now, direction, plate=plate, companions=companions,
                                checked=checked, **person)]  # fmt: skip
    answers: list[dict[str, Any]] = []
    for start in range(0, len(entries), 1000):
        outcomes = actions.record_passages(by=actor, checkpoint_id=place, entries=entries[start : start + 1000])
        answers += [{"result": o.result, "faults": [f.text(language()) for f in o.faults]} for o in outcomes]
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            click.echo("; ".join([translate(_RESULTS[answer["result"]], language()), *answer["faults"]]))
    check_taken(len(answers), sum(answer["result"] not in ("refused", "conflict") for answer in answers))


@click.command("verify-pass")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True)
def verify_pass(text: str, as_json: bool) -> None:
    """Say whether TEXT, a scanned pass, holds: valid, expired, revoked, unknown or forged."""
    with begin(machine("movement-control")) as session:
        found = checking.verify_pass(session, text)
    if as_json:
        print_json({"state": found.state, "pass_id": found.pass_id, "expires_at": found.expires_at.isoformat()})
    else:
        local = found.expires_at.astimezone(dt.timezone(dt.timedelta(hours=7)))
        click.echo(f"{translate(checking.STATES[found.state], language())} ({local:%d/%m/%Y %H:%M})")


@click.command("revoke-pass")
@click.argument("pass_id", type=click.UUID)
@click.option("--reason", required=True)
def revoke_pass(pass_id: UUID, reason: str) -> None:
    """Refuse the pass PASS_ID (as `verify-pass --json` prints it) from now on."""
    actions.revoke_pass(by=machine("movement-control", "declaration.write"), pass_id=pass_id, reason=reason)


@click.command("kit")
@click.option(
    "-o", "--output", "path", type=click.Path(dir_okay=False, path_type=Path),
    help="By default checkpoint.kit in our own folder, from where the checkpoint page hands it to devices.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True)
def make_kit(path: Path | None, as_json: bool) -> None:
    """Write a kit for devices that work without network: a filter of people, keys of passes, revoked ones, zones."""
    about = kit.make(path or kit.place(), by=machine("movement-control", "kit.make"))
    if as_json:
        print_json(about)
        return
    told = {"entries": f"{about['entries']:,}", "bytes": f"{about['bytes']:,}", "until": about["expires_at"]}
    each = sum(part["bytes"] for part in about["filter"]["parts"]) / max(about["entries"], 1)
    message = N_("{entries} entries, {bytes} bytes ({each:.2f} an entry), until {until}")
    click.echo(translate(message, language(), each=each, **told))


@click.command("kit-check")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("text")
@click.option("--json", "as_json", is_flag=True)
def kit_check(path: Path, text: str, as_json: bool) -> None:
    """Check TEXT, a scanned card or pass, against the kit in PATH; no database is asked."""
    opened = kit.read(path)
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    if passes.looks_like(text):
        state = opened.state_of_pass(text, now)
    else:
        person = _person(text)
        if not (person["number"] and person["name"] and person["born_first"]):
            message = N_("This says too little. Scan the card's QR or the pass.")
            raise BadInput(message, faults=(Fault("card", message),))
        born = str(parse_card(text).birth_date)
        who = person["number"], person["name"], born
        state = "not_known" if not opened.knows(*who) else "check_online" if opened.maybe_apart(*who) else "known"
    old = opened.expires_at <= now
    if as_json:
        print_json({"state": state, "kit_expired": old})
        return
    click.echo(translate(_KIT_STATES[state], language()))
    if old:
        click.echo(translate(N_("This kit has expired: fetch a new one."), language()), err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True)
def retain(as_json: bool) -> None:
    """Delete movement data whose retention is over (rulebook/checkpoints/passages.toml); the log keeps the proof."""
    gone = actions.retain(by=machine("administration", "passage.retain"))
    print_json(gone) if as_json else click.echo("\n".join(f"{what}: {rows:,}" for what, rows in gone.items()))


COMMANDS = (passages, record, verify_pass, revoke_pass, make_kit, kit_check, retain)

_KIT_STATES = {
    **checking.STATES,
    "check_online": N_(
        "Check online before letting through: there may be an isolation order. One in 256 others is asked for too."
    ),
    "known": N_("Number, name and birth date are in the register."),
    "not_known": N_("Number, name and birth date are not in the register together."),
    "unknown_key": N_("The kit is older than the key of this pass: fetch a new kit."),
}
_RESULTS = {
    "recorded": N_("Recorded."),
    "replayed": N_("It was recorded before."),
    "unmatched": N_("Recorded; the register does not know such a person."),
    "conflict": N_("Another passage was recorded under this message number."),
    "refused": N_("Not recorded."),
}


def _person(text: str) -> dict[str, Any]:
    reading = parse_card(text)
    born = reading.birth_date
    return {
        "number": reading.personal_number or reading.old_number or reading.passport or reading.provisional_id,
        "name": reading.name,
        "born_first": born.first_day if born else None,
        "born_last": born.last_day if born else None,
    }


def _entry(line: str, number: int) -> PassageEntry:
    try:
        told = json.loads(line)
        for key in ("client_id", "pass_id", "party"):
            if told.get(key) is not None:
                told[key] = UUID(told[key])
        for key in ("born_first", "born_last"):
            if told.get(key) is not None:
                told[key] = dt.date.fromisoformat(told[key])
        told["passed_at"] = dt.datetime.fromisoformat(told["passed_at"])
        return PassageEntry(**told)
    except (ValueError, KeyError, TypeError, AttributeError):
        fault = Fault(
            "passage", N_("Not a passage: one JSON object with client_id, passed_at, direction and who."), line=number
        )
        raise BadInput(N_("The file holds a line that is not a passage."), faults=(fault,)) from None
