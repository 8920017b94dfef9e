"""`khien access`: is the log whole, who looked at a record, heads to keep elsewhere, months to drop."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import click

from khien.access import actions, setup, store
from khien.access.roles import action_title
from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.errors import BadInput, Fault, KhienError
from khien.core.i18n import N_, translate
from khien.core.session import begin

_ZONE = dt.timezone(dt.timedelta(hours=7))


class LogBroken(KhienError):
    """The access log is not whole."""

    exit_code = 3
    code = "log_broken"


@click.group()
def access() -> None:
    """The access log: verify it, show it, anchor it."""


@access.command()
@click.option(
    "--anchor", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Heads noted down earlier."
)
@click.option("--json", "as_json", is_flag=True)
def verify(anchor: Path | None, as_json: bool) -> None:
    """Walk the chain. Exit code 3 where a row was changed, removed or added.

    A tail that was cut off shows only with --anchor FILE, the heads that `khien access anchor` printed earlier and that
    were kept where this machine's administrators cannot write.
    """
    noted = _noted(anchor) if anchor else []
    with begin(machine("audit", "access.verify")) as session:
        found, heads = store.verify(session, noted), store.heads(session)
    links = sum(h["seq"] for h in heads)
    if as_json:
        print_json({"whole": not found, "links": links, "lanes": len(heads), "faults": found})
    for fault in [] if as_json else found:
        told, what = (
            N_("chain {lane}, link {seq}, {at}: {what}"),
            translate(store.LOG_FAULTS[fault["what"]], language()),
        )
        click.echo(translate(told, language(), **fault | {"what": what, "at": fault["at"] or "–"}))
    if found:
        raise LogBroken(N_("The access log is not whole: {number} faults."), number=len(found))
    if not as_json:
        click.echo(
            translate(
                N_("The access log is whole: {links} links in {lanes} lanes."),
                language(),
                links=links,
                lanes=len(heads),
            )
        )


@access.command()
def anchor() -> None:
    """Print the last digest of every lane, as JSON: keep it elsewhere, for `khien access verify --anchor`."""
    with begin(machine("audit", "access.verify")) as session:
        heads = store.heads(session)
    json.dump({"heads": heads}, sys.stdout, default=str, indent=1)
    click.echo()


@access.command()
@click.argument("person_id", type=int)
@click.option("--limit", default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def show(person_id: int, limit: int, as_json: bool) -> None:
    """Who looked at one record, newest first. This look is logged too."""
    with begin(machine("audit", "access.read", "access.audit")) as session:
        found = store.looks_at_person(session, person_id, limit=limit)
        session.log("access.read", [person_id])
    if as_json:
        print_json(found)
        return
    for row in found:
        who = " · ".join(x for x in (row["account"], row["agency"]) if x) or "khien"
        at = row["at"].astimezone(_ZONE).strftime("%d/%m/%Y %H:%M:%S")
        click.echo(f"{at}  {who}  {action_title(row['action'], language())}  ({row['purpose']})")


@access.command("log")
@click.option("--from", "first", type=Day(), help="First day (real days); the last by default.")
@click.option("--to", "last", type=Day(), help="Last day; today by default.")
@click.option("--action", help="One action, as zone.expire.")
@click.option("--purpose")
@click.option("--account", "username")
@click.option("--person", "person_id", type=int, help="Number of a record.")
@click.option("--limit", default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def log_(
    first: dt.datetime | None, last: dt.datetime | None, action: str | None, purpose: str | None, username: str | None,
    person_id: int | None, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """Who did what, newest first. That it was looked through is logged."""
    with begin(machine("audit", "access.audit")) as session:
        end = last.date() if last else store.log_day(session)
        asked = store.Asked(first.date() if first else end, end, action, purpose, username, person_id)
        found = store.log(session, asked, limit=limit)
    if as_json:
        print_json(found)
        return
    setup.ready(language())
    from khien.access import log_words

    for row in log_words.named(found, language()):
        who = " · ".join(x for x in (row["account"], row["agency"]) if x) or "khien"
        at = row["at"].astimezone(_ZONE).strftime("%d/%m/%Y %H:%M:%S")
        done = f"{row['action_title']} ({row['purpose_title']}) {row['persons']}"
        click.echo(f"{at}  {who}  {done}  {log_words.line(row)}")


@access.command()
@click.option("--before", required=True, type=Day(), help="Drop the months that end before it.")
@click.option("--json", "as_json", is_flag=True)
def retain(before: dt.datetime, as_json: bool) -> None:
    """Drop months of the log whose retention is over. The chain keeps the proof and stays verifiable."""
    dropped = actions.drop_months(by=machine("administration", "access.retain"), before=before.date())
    if as_json:
        print_json(dropped)
        return
    for part in dropped:
        click.echo(f"{part['partition']}  {part['entries']}")


def _noted(file: Path) -> list[tuple[int, int, str]]:
    """The heads in an anchor file. Raises BadInput for another file."""
    try:
        given: Any = json.loads(file.read_text(encoding="utf-8"))
        return [(int(h["lane"]), int(h["seq"]), str(h["digest"])) for h in given["heads"]]
    except (ValueError, KeyError, TypeError) as wrong:
        message = N_("This is not a file that khien access anchor made.")
        raise BadInput(message, faults=(Fault("anchor", message),)) from wrong
