"""`khien trace`: from a case to its contacts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from khien.cli import language, print_json
from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, Fault, WrongUsage
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.tracing import actions, store
from khien.tracing.case_files import numbers_in
from khien.tracing.rules.window import VIET_NAM

_SHOWN = 30


@click.command()
@click.argument("number", required=False)
@click.option("--cases", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Trace all of these at once: CSV or Parquet with a column personal_number.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 90), help="Look back so many days before TIME; else as the rule says.")
@click.option(
    "--depth", type=click.IntRange(1, actions.MOST_DEPTH), default=1, show_default=True, help="1: F1, 2: F2 ..."
)
@click.option("--on", "on", metavar="TIME", help="As known at TIME (2021-09-20T14:00, a date: its end); else now.")
@click.option("--dry-run", is_flag=True, help="Do not write the contacts down.")
@click.option("--json", "as_json", is_flag=True)
def trace(
    number: str | None, file: Path | None, days: int | None, depth: int, on: str | None, dry_run: bool, as_json: bool
) -> None:
    """The contacts of the person with NUMBER, who must have an open case: ranked, with their exposures.

    With --json one object a case: person_id, case_id, window, contacts (person_id, degree, via, score, seconds,
    exposures) and cuts: what was left out, and why.
    """
    if (number is None) == (file is None):
        raise WrongUsage(N_("Give a number or --cases FILE."))
    moment = _moment(on) if on else None
    actor = machine("epidemic-control", "trace.run")
    with begin(actor) as session:
        persons = [population.person_id_of(session, number)] if number else _persons(session, numbers_in(file))  # type: ignore[arg-type]
    found = actions.trace(by=actor, persons=persons, depth=depth, moment=moment, days=days, keep=not dry_run)
    answers = [_answer(one) for one in found]
    _name_places(actor, answers)
    if as_json:
        print_json(answers[0] if number else answers)
        return
    for answer in answers:
        _say(answer)


def _moment(text: str) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage(N_("{text} is no time. Write 2021-09-20T14:00."), text=text) from None
    if len(text) == 10:
        at += dt.timedelta(days=1)
    return at if at.tzinfo else at.replace(tzinfo=VIET_NAM)


def _persons(session: Any, numbers: list[str]) -> list[int]:
    found = store.people_of(session, numbers)
    faults = tuple(
        Fault("personal_number", N_("Nobody in the register has this number."), line)
        for line, person in enumerate(found, 2)
        if person is None
    )
    if faults:
        raise BadInput(N_("{count} numbers belong to nobody."), faults=faults[:100], count=len(faults))
    return list(dict.fromkeys(p for p in found if p is not None))


def _answer(one: actions.Traced) -> dict[str, Any]:
    return {
        "person_id": one.person_id, "case_id": one.case_id,
        "window": {"from": one.window.start.isoformat(), "until": one.window.end.isoformat(), "rule": one.window.rule},
        "contacts": [
            {
                "person_id": c.person_id, "degree": c.degree, "via": c.via_person_id,
                "score": round(c.score, 4), "seconds": c.seconds, "first": c.first_at.isoformat(),
                "last": c.last_at.isoformat(), "exposures": c.exposures,
            }
            for c in one.contacts
        ],
        "cuts": [dict(cut) for cut in one.cuts],
    }  # fmt: skip


def _name_places(actor: Actor, answers: list[dict[str, Any]]) -> None:
    """Write the codes of places into the answers in place of their ids."""
    told = [e for answer in answers for c in answer["contacts"] for e in c["exposures"]]
    told += [cut for answer in answers for cut in answer["cuts"]]
    with begin(actor) as session:
        places = store.place_names(session, sorted({one["place"] for one in told if one.get("place") is not None}))
    for one in told:
        place = places.get(one.get("place") or 0)
        one["place"] = place["code"] if place else None


def _say(answer: dict[str, Any]) -> None:
    tongue, contacts = language(), answer["contacts"]
    said = N_("Case {case_id}: {contacts} contacts, window {start} to {end} (rule {rule})")
    window = answer["window"]
    click.echo(translate(said, tongue, case_id=answer["case_id"], contacts=len(contacts), start=window["from"],
                         end=window["until"], rule=window["rule"]))  # fmt: skip
    for c in contacts[:_SHOWN]:
        click.echo(f"  F{c['degree']}  {c['score']:.2f}  {c['seconds'] / 3600:6.1f} h  {c['person_id']}")
    if len(contacts) > _SHOWN:
        click.echo(f"  (+{len(contacts) - _SHOWN})")
    for cut in answer["cuts"]:
        click.echo(f"  ! {cut['cut']}  {cut.get('place') or ''}  {cut.get('total') or ''}")
