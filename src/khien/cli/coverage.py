"""`khien coverage`: build the snapshot, ask it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.coverage import snapshot as snapshots
from khien.coverage import store
from khien.territory import store as territory
from khien.vaccination import programmes


def _known(_context: click.Context, _option: click.Parameter, disease: str) -> str:
    """A disease that a vaccine is against: anything else would give a snapshot without doses."""
    diseases = sorted({str(vaccine["disease"]) for vaccine in programmes.products().values()})
    if disease not in diseases:
        raise click.BadParameter(", ".join(diseases))
    return disease


_disease = click.option("--disease", default="covid-19", show_default=True, callback=_known)


@click.group()
def coverage() -> None:
    """Vaccination coverage of any group, place and day."""


@coverage.command()
@_disease
@click.option("--json", "as_json", is_flag=True)
def build(disease: str, as_json: bool) -> None:
    """Write a fresh snapshot from the register."""
    with Console(stderr=True).status("…"):
        made = snapshots.build(by=machine("coverage", "coverage.build"), disease=disease)
    if as_json:
        print_json({"disease": made.disease, "people": made.people, "built_at": made.built_at})
    else:
        told = N_("{people} people, {at}")
        click.echo(translate(told, language(), people=f"{made.people:,}", at=made.built_at))


@coverage.command()
@click.option("--unit", "code", help="Official code or unit id; the whole country by default.")
@click.option("--on", "day", type=Day(), help="The day, today by default; a past one as people lived then.")
@click.option("--min-age", type=click.IntRange(0, 150), default=0, show_default=True)
@click.option("--max-age", type=click.IntRange(0, 150), default=150, show_default=True)
@click.option("--present", is_flag=True, help="Count people where they were on the day, not where they lived.")
@_disease
@click.option("--json", "as_json", is_flag=True)
def query(
    code: str | None, day: dt.datetime | None, min_age: int, max_age: int, present: bool, disease: str, as_json: bool
) -> None:
    """Share with at least one dose and with the full series, for each part of a unit."""
    if min_age > max_age:
        raise click.UsageError("--min-age > --max-age")
    with begin(machine("coverage", "coverage.read")) as session:
        on = day.date() if day else session.today
        store.check_day(session, on)
        unit = (
            territory.find(session, code, on) if code else territory.unit(session, territory.top_of_area(session, on))
        )
        parts = territory.children(session, unit["unit_id"], on)
        question = store.Question(on, disease, min_age, max_age, present)
        found = store.by_unit(session, question, [(p["unit_id"], p["last_id"]) for p in (*parts, unit)])
    names = {p["unit_id"]: p for p in (*parts, unit)}
    if parts:
        # Who is in the unit but in none of its parts: a commune of theirs was split.
        whole = next(c for c in found if c.unit_id == unit["unit_id"])
        found = [c for c in found if c.unit_id != unit["unit_id"]]
        rest = store.rest(whole, found)
        if rest.people:
            names[unit["unit_id"]] = {"code": None, "name": translate(N_("Not determined"), language())}
            found.append(rest)
    if as_json:
        print_json(
            [asdict(c) | {"code": names[c.unit_id]["code"], "name": names[c.unit_id]["name"], "on": on} for c in found]
        )
        return
    people, first_dose, complete = (
        translate(title, language()) for title in (N_("People"), N_("At least one dose"), N_("Full primary series"))
    )
    table = Table("", people, first_dose, "%", complete, "%")
    for c in found:
        first, full = c.share("dose1"), c.share("complete")
        table.add_row(
            names[c.unit_id]["name"], f"{c.people:,}", f"{c.dose1:,}", "–" if first is None else f"{first:.1%}",
            f"{c.complete:,}", "–" if full is None else f"{full:.1%}",
        )  # fmt: skip
    Console().print(table)
