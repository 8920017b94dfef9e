"""`khien isolation`: order it, end it, list it, and who broke it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.errors import NotFound, WrongUsage
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.tracing import care, store

_ACTOR = machine("epidemic-control", "isolation.order", "contact.read")


@click.group()
def isolation() -> None:
    """Isolation of contacts: order, release, list, breach."""


def _person(number: str) -> int:
    with begin(_ACTOR) as session:
        return population.person_id_of(session, number)


@isolation.command()
@click.argument("number")
@click.option("--place", type=click.Choice(["home", "centre", "hospital"]), help="Instead of the rule's.")
@click.option("--json", "as_json", is_flag=True)
def order(number: str, place: str | None, as_json: bool) -> None:
    """Isolate the contact (F1) with NUMBER for as long as the rule of the day says."""
    person_id = _person(number)
    with begin(_ACTOR) as session:
        found = store.contact_of(session, person_id)
    if found is None:
        raise NotFound(N_("This person is not followed as an F1."))
    made = care.order_isolation(
        by=_ACTOR, person_id=person_id, case_person_id=found["case_person_id"], case_id=found["case_id"], place=place
    )
    answer = {
        "person_id": person_id, "case_id": found["case_id"], "from": made.first, "until": made.until,
        "watch_until": made.watch_until, "tests": list(made.tests), "place": place or made.place, "rule": made.rule,
        "document": made.document, "verified": made.verified,
    }  # fmt: skip
    if as_json:
        print_json(answer)
        return
    said = N_("Isolated from {first} until before {until}, self-watch until before {watch} (rule {rule}: {document})")
    click.echo(translate(said, language(), first=made.first, until=made.until, watch=made.watch_until, rule=made.rule,
                         document=made.document))  # fmt: skip


@isolation.command()
@click.argument("number", required=False)
@click.option("--due", is_flag=True, help="Everybody whose last day is over.")
@click.option("--reason", default="")
@click.option("--json", "as_json", is_flag=True)
def release(number: str | None, due: bool, reason: str, as_json: bool) -> None:
    """End the isolation of the person with NUMBER today, or with --due of everybody whose last day is over."""
    if (number is None) != due:
        raise WrongUsage(N_("Give a number or --due."))
    if number is not None:
        care.release(by=_ACTOR, person_id=_person(number), reason=reason)
    many = care.release_due(by=_ACTOR) if due else 1
    print_json({"released": many}) if as_json else click.echo(translate(N_("{count} released"), language(), count=many))


@isolation.command("list")
@click.option("--due", is_flag=True, help="Only those whose last day is over.")
@click.option("--page", type=click.IntRange(1), default=1)
@click.option("--json", "as_json", is_flag=True)
def list_(due: bool, page: int, as_json: bool) -> None:
    """Who is isolated, those first whose isolation ends first; a page at a time."""
    with begin(_ACTOR) as session:
        rows = store.isolated(session, due=due, page=page)
    _spread(rows)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark = "!" if row["due"] else " "
        click.echo(
            f"{mark} {row['from']} – {row['until']}  {row['place']:<8} {row['name']}  {row['unit_name']}  {row['rule']}"
        )


@isolation.command()
@click.option("--since", type=Day(), help="Since a day; a week by default.")
@click.option("--json", "as_json", is_flag=True)
def breach(since: dt.datetime | None, as_json: bool) -> None:
    """Isolated people who passed a checkpoint meanwhile, or were checked at one."""
    with begin(_ACTOR) as session:
        start = since.replace(tzinfo=dt.timezone(dt.timedelta(hours=7))) if since else session.now - store.BREACH_DAYS
        rows = store.breaches(session, start)
    _spread(rows)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['at'].isoformat(timespec='minutes')}  {row['name']}  {row['unit_name']}  {row['seen_unit'] or ''}"
        )


def _spread(rows: list[dict[str, Any]]) -> None:
    """The days of each order as two columns."""
    for row in rows:
        days = row.pop("days")
        row |= {"from": days.lower, "until": days.upper}
