"""`khien case`: report cases, list them, look at one."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.errors import WrongUsage
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.population import store as population
from khien.tracing import actions, store
from khien.tracing import clusters as tracing_clusters
from khien.tracing.case_files import load_cases
from khien.tracing.network import network
from khien.tracing.rules.cases import CASE_STATES, OPEN_CASE
from khien.vaccination import sheets

_DAY = Day()
_TRACER = machine("epidemic-control", "trace.run")


@click.group()
def case() -> None:
    """Cases: suspected, probable, confirmed, and what became of them."""


@case.command()
@click.argument("number")
@click.option("--state", type=click.Choice(OPEN_CASE), default="confirmed", show_default=True)
@click.option("--onset", type=_DAY, help="First day of symptoms.")
@click.option("--sampled", type=_DAY, help="Day of the sample.")
@click.option("--on", "reported", type=_DAY, help="Day of the report; today by default.")
@click.option("--variant")
@click.option(
    "--source", default="unknown", type=click.Choice(["community", "contact", "imported", "isolation", "unknown"])
)
@click.option("--client-id", type=click.UUID, help="Your own number of this message: sending it again changes nothing.")
@click.option("--json", "as_json", is_flag=True)
def report(
    number: str, state: str, onset: dt.datetime | None, sampled: dt.datetime | None, reported: dt.datetime | None,
    variant: str | None, source: str, client_id: UUID | None, as_json: bool,
) -> None:  # fmt: skip
    """Report the person with NUMBER as a case."""
    actor = machine("epidemic-control", "case.report")
    with begin(actor) as session:
        person_id = population.person_id_of(session, number)
    entry = actions.CaseEntry(
        client_id or uuid4(), person_id, state, onset and onset.date(), sampled and sampled.date(),
        reported and reported.date(), None, variant, source,
    )  # fmt: skip
    done = actions.report_case(by=actor, entry=entry)
    answer = {"result": done.result, "case_id": done.case_id, "was_contact_of": [c for _, c in done.was_contact]}
    if as_json:
        print_json(answer)
    else:
        click.echo(translate(N_("Case {case_id}: {result}"), language(), **answer))


@case.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def load(file: Path, as_json: bool) -> None:
    """Report every case of FILE (CSV or Parquet): personal_number, onset_on, sampled_on, reported_on, status."""
    counts = load_cases(file, by=machine("epidemic-control", "case.report"))
    print_json(counts) if as_json else click.echo("  ".join(f"{k}: {v:,}" for k, v in sorted(counts.items())))


@case.command("list")
@click.option("--state", type=click.Choice(tuple(CASE_STATES)))
@click.option("--page", type=click.IntRange(1), default=1)
@click.option("--json", "as_json", is_flag=True)
def list_(state: str | None, page: int, as_json: bool) -> None:
    """Cases, newest first, a page at a time."""
    with begin(machine("epidemic-control", "case.read")) as session:
        rows, total = store.cases(session, state=state, page=page)
    if as_json:
        print_json({"cases": rows, "total": total})
        return
    for row in rows:
        click.echo(f"{row['case_id']:>8}  {row['reported_on']}  {translate(CASE_STATES[row['state']], language()):<16}"
                   f"  {row['name']}  {row['unit_name']}  F1: {row['contacts']}")  # fmt: skip


@case.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True)
def show(number: str, as_json: bool) -> None:
    """The open case of the person with NUMBER."""
    with begin(machine("epidemic-control", "case.read")) as session:
        person_id = population.person_id_of(session, number)
        found = store.case(session, person_id, store.open_case(session, person_id)["case_id"])
    if as_json:
        print_json(found)
        return
    for name in ("case_id", "name", "unit_name", "state", "onset_on", "sampled_on", "reported_on", "source", "variant"):
        click.echo(f"{name:<12} {found[name] if found[name] is not None else '–'}")


@case.command()
@click.argument("number")
@click.argument("state", type=click.Choice(tuple(CASE_STATES)))
@click.option("--on", "on", type=_DAY, help="The day; today by default.")
@click.option("--reason", default="")
def become(number: str, state: str, on: dt.datetime | None, reason: str) -> None:
    """Move the open case of the person with NUMBER on to STATE; `refuted` withdraws the contacts it caused."""
    actor = machine("epidemic-control", "case.report")
    with begin(actor) as session:
        person_id = population.person_id_of(session, number)
        case_id = store.open_case(session, person_id)["case_id"]
    actions.change_case(by=actor, person_id=person_id, case_id=case_id, state=state, on=on and on.date(), reason=reason)


@case.command()
@click.option(
    "--days", type=click.IntRange(1, 365), default=60, show_default=True, help="Cases reported so many days back."
)
@click.option("--json", "as_json", is_flag=True)
def chains(days: int, as_json: bool) -> None:
    """Who infected whom: links with their certainty, clusters, R, dispersion and serial interval with intervals."""
    net = network(by=_TRACER, days=days)
    numbers = {c["person_id"]: c["case_id"] for c in net.cases}
    links: list[dict[str, Any]] = [
        {"from": numbers[a], "to": numbers[b], "certainty": round(sure, 4), "decided": b in net.decided}
        for b, (a, sure) in net.links.items()
    ]
    answer = {
        "cases": len(net.cases), "links": links,
        "clusters": [[numbers[p] for p in members] for members in net.clusters if len(members) > 1],
        "curve": [{"day": day, "cases": many} for day, many in net.curve],
        "serial_interval": [asdict(e) for e in net.serial] if net.serial else None,
        "r": asdict(net.offspring.r) if net.offspring else None,
        "k": asdict(net.offspring.k) if net.offspring else None,
    }  # fmt: skip
    if as_json:
        print_json(answer)
        return
    for link in links:
        click.echo(f"{link['from']:>8} → {link['to']:<8} {link['certainty']:.0%}{' !' if link['decided'] else ''}")


@case.command()
@click.option(
    "--days", type=click.IntRange(1, 365), default=60, show_default=True, help="Cases reported so many days back."
)
@click.option("--json", "as_json", is_flag=True)
def clusters(days: int, as_json: bool) -> None:
    """Places that explain several cases, cases that infected several, contacts who bridge clusters."""
    found = tracing_clusters.held(by=_TRACER, net=network(by=_TRACER, days=days))
    if as_json:
        print_json(asdict(found))
        return
    for place in found.places:
        click.echo(
            f"{place['excess']:8.1f}  {place['cases']:>4} / {place['visitors']:<6} {place['code']}  {place['name']}"
        )
    for one in found.spreaders:
        click.echo(f"  {one['case_id']:>8}  → {one['infected']}")
    for one in found.bridges:
        click.echo(f"  {one['person_id']}  {one['name']}  {one['clusters']}")


@case.command()
@click.argument("table", type=click.Choice(["linelist", "contacts"]))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.csv or FILE.xlsx"
)
@click.option(
    "--days", type=click.IntRange(1, 365), default=60, show_default=True, help="Cases reported so many days back."
)
@click.option("--json", "as_json", is_flag=True)
def export(table: str, output: Path, days: int, as_json: bool) -> None:
    """The line list or the links as epidemiology packages read them: numbers of cases, no names."""
    kind = output.suffix.lower().lstrip(".")
    if kind not in sheets.MIME:
        raise WrongUsage(N_("The file's name ends in .csv or .xlsx."))
    rows = tracing_clusters.table(by=_TRACER, net=network(by=_TRACER, days=days), name=table)
    output.write_bytes(sheets.written(kind, rows))
    answer = {"rows": len(rows) - 1, "file": str(output)}
    print_json(answer) if as_json else click.echo(translate(N_("{rows} rows in {file}"), language(), **answer))
