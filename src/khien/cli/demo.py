"""`khien demo`: from nothing to a district in the browser."""

from __future__ import annotations

import datetime as dt
import os

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.i18n import N_, translate

_FIRST, _LAST = dt.date(2021, 7, 1), dt.date(2022, 3, 31)


@click.command()
@click.option(
    "--on", "day", type=Day(), default="2021-09-15", show_default=True,
    help="The day it plays on, from 2021-07-01 to 2022-03-31.",
)  # fmt: skip
@click.option(
    "--people", type=click.IntRange(100, 5_000_000), default=100_000, show_default=True, help="How many to invent."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--no-serve", is_flag=True, help="Prepare everything, then stop.")
@click.option("--json", "as_json", is_flag=True, help="With --no-serve: the logins as JSON.")
def demo(day: dt.datetime, people: int, host: str, port: int, no_serve: bool, as_json: bool) -> None:
    """A district of Ho Chi Minh City in September 2021: 100,000 invented people, a login for each role."""
    on = day.date()
    if not _FIRST <= on <= _LAST:
        raise click.BadParameter(f"{_FIRST} … {_LAST}", param_hint="--on")
    # A database of its own, so that a demonstration never mixes with real work.
    os.environ.setdefault("KHIEN_DATABASE_NAME", "khien_demo")
    os.environ.setdefault("KHIEN_MFA", "off")
    if not no_serve:
        from khien.web.serving import check_port, serve

        check_port(host, port)  # before the minute of work
    logins = _prepare(on, people)
    if as_json:
        print_json([{"role": r, "username": u, "password": p} for r, u, p in logins])
    else:
        # A passkey belongs to a name, never to an address in digits.
        _show(logins, on, f"http://{'localhost' if host == '127.0.0.1' else host}:{port}/")
    if not no_serve:
        from khien.core.jobs import worker_beside

        with worker_beside():
            serve(host, port, workers=2)


def _prepare(on: dt.date, people: int) -> list[tuple[str, str, str]]:
    from khien.core import server
    from khien.core.migration import migrate

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as bars:

        def step(title: str) -> None:
            for task in bars.task_ids:
                bars.update(task, total=1, completed=1)
            bars.add_task(translate(title, language()), total=None)

        def progress(_stage: str, done: int, of: int) -> None:
            bars.update(bars.task_ids[-1], completed=done, total=of or None)

        step(N_("Database"))
        server.ensure_running()
        migrate()
        from khien.simulation import demo as steps
        from khien.simulation import demo_checks, demo_tracing, demo_zones
        from khien.vaccination.actions import load_products

        step(N_("Administrative units of 2021 and 2025"))
        steps.load_units()
        step(N_("Invented people"))
        steps.load_people(people, progress)
        step(N_("Vaccines, sites and doses given"))
        load_products(by=steps.actor())
        steps.open_checkpoints()
        steps.set_day(on)
        sites = steps.open_sites()
        steps.vaccinate(on, sites, progress)
        steps.open_sessions(on, sites)
        step(N_("Epidemic zones and movement"))
        demo_zones.open_zones(on, steps.DISTRICT, steps.BORN)
        step(N_("Cases and contacts"))
        demo_tracing.outbreak(steps.invented(people), on, steps.actor())
        step(N_("Accounts"))
        logins = steps.add_logins(on)
        demo_checks.check_identities(steps.actor(), steps.DISTRICT, steps.BORN)
        step(N_("Coverage"))
        steps.build_coverage()
        for task in bars.task_ids:
            bars.update(task, total=1, completed=1)
    return logins


def _show(logins: list[tuple[str, str, str]], on: dt.date, address: str) -> None:
    console = Console()
    table = Table(
        translate(N_("Role"), language()), translate(N_("Username"), language()), translate(N_("Password"), language())
    )
    for role, username, password in logins:
        table.add_row(role, username, password)
    console.print(table)
    console.print(
        translate(N_("The demonstration plays on {day}. All people are invented."), language(), day=f"{on:%d/%m/%Y}")
    )
    console.print(address)
