"""`khien db`: the database server and the care of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from khien.cli import language, print_json
from khien.core import config
from khien.core.errors import WrongUsage
from khien.core.i18n import N_, translate
from khien.core.server.progress import Progress

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


@click.group()
def db() -> None:
    """The database: start, stop, migrate, back up, restore, verify."""


@db.command()
@_json
def start(as_json: bool) -> None:
    """Start the embedded server, made first if there is none, and wait until it answers."""
    from khien.core import server

    with _shown() as progress:
        started = server.ensure_running(progress)
    _say(as_json, {"running": True, "started": started}, N_("The database is running."))


@db.command()
@_json
def stop(as_json: bool) -> None:
    """Stop the embedded server after everything is on disk."""
    from khien.core import server

    if config.database_url():
        raise WrongUsage(N_("KHIEN_DATABASE_URL names another server; stop it where it was started."))
    with _shown() as progress:
        stopped = server.stop(progress)
    _say(as_json, {"running": False, "stopped": stopped}, N_("The database is stopped."))


@db.command()
@_json
def status(as_json: bool) -> None:
    """What runs, where, and how much space is left."""
    from khien.core.server.status import status as look

    found = asdict(look())
    if as_json:
        print_json(found)
        return
    table = Table(show_header=False, box=None)
    for name, value in found.items():
        table.add_row(
            name, "–" if value is None else f"{value:,}" if type(value) is int and name != "pid" else str(value)
        )
    Console().print(table)


@db.command()
@click.option("--role", type=click.Choice(config.ROLES), default="khien_app", show_default=True)
@_json
def url(role: str, as_json: bool) -> None:
    """The connection string of a role, for psql and other programs."""
    dsn = config.database_dsn(role)
    if as_json:
        print_json({"dsn": dsn, **{k: v for k, v in conninfo_to_dict(dsn).items() if k != "password"}})
    else:
        click.echo(dsn)


@db.command()
@_json
def migrate(as_json: bool) -> None:
    """Start the database if need be and bring its tables to the newest form."""
    from khien.core import server
    from khien.core.migration import migrate as run

    with _shown() as progress:
        server.ensure_running(progress)
        progress(N_("Bringing the tables up to date"))
        applied = run()
    _say(as_json, {"applied": applied}, N_("{count} migrations applied."), count=len(applied))


@db.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_json
def backup(folder: Path, as_json: bool) -> None:
    """Write everything to the new FOLDER, with row counts and checksums; work goes on meanwhile."""
    from khien.core import server
    from khien.core.server.backup import backup as write

    with _shown() as progress:
        server.ensure_running(progress)
        manifest = write(folder, progress)
    summary = {"path": str(folder.absolute()), "tables": len(manifest.rows), "rows": manifest.row_count}
    _say(as_json, summary, N_("{rows} rows of {tables} tables are saved in {path}."), **summary)


@db.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--replace", is_flag=True, help="Put the backup in the place of the data that are there.")
@_json
def restore(folder: Path, replace: bool, as_json: bool) -> None:
    """Restore the backup in FOLDER; takes its place only when every row is there."""
    from khien.core import server
    from khien.core.server.backup import restore as read

    with _shown() as progress:
        server.ensure_running(progress)
        manifest = read(folder, replace=replace, progress=progress)
    summary = {"path": str(folder.absolute()), "tables": len(manifest.rows), "rows": manifest.row_count}
    _say(as_json, summary, N_("{rows} rows of {tables} tables are restored."), **summary)


@db.command()
@click.option("--deep", is_flag=True, help="Also prove that each row is found in each index (slow).")
@_json
def verify(deep: bool, as_json: bool) -> None:
    """Check pages, settings, roles, row-level security, constraints and migrations. Exit code 1 on any finding."""
    from khien.core import server
    from khien.core.server.verify import verify as check

    with _shown() as progress:
        server.ensure_running(progress)
        findings = check(deep=deep, progress=progress)
    tongue = language()
    if as_json:
        print_json(
            {
                "ok": not findings,
                "findings": [
                    {"check": f.check, "subject": f.subject, "message": translate(f.message, tongue)} for f in findings
                ],
            }
        )
    else:
        for finding in findings:
            click.echo(f"{translate(finding.message, tongue)} {finding.subject}")
        if not findings:
            click.echo(translate(N_("The database is sound, complete and closed."), tongue))
    if findings:
        sys.exit(1)


def _say(as_json: bool, values: dict[str, Any], message: str, **params: Any) -> None:
    if as_json:
        print_json(values)
    else:
        click.echo(translate(message, language(), **params))


@contextmanager
def _shown() -> Iterator[Progress]:
    """A bar on standard error while something takes long; it leaves nothing behind."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def progress(message: str, /, **params: Any) -> None:
            text = translate(message, language(), **params)
            bar.update(task, description=text, completed=params.get("done", 0), total=params.get("total"))

        yield progress
