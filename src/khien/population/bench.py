"""`khien bench load`: the loader beside raw COPY; and the queries of a person's page for `khien bench person`."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path
from typing import Any

import click
import psycopg

from khien.core import bench, config
from khien.core.actor import machine
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import begin
from khien.population import store
from khien.population.load.loader import load_extract
from khien.population.synthetic_extract import write_extract

_AS_OF = dt.date(2021, 9, 1)
_TABLES = ("person", "identifier", "personal_card", "household", "household_member", "residence")
_CHUNK = 1 << 20


@click.command()
@click.option("--people", type=click.IntRange(1), default=1_000_000, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def load(people: int, as_json: bool) -> None:
    """Load an extract into an empty register; the reference is COPY of the same rows into bare tables.

    Needs a database whose register is empty and whose units are loaded; the people stay in it (for `bench person`).
    """
    with begin(machine("bench", "*"), role="khien_loader") as session:
        if session.value("SELECT EXISTS (SELECT FROM person)"):
            raise NotFound(N_("The register is not empty. Measure in a database of its own (KHIEN_DATABASE_NAME)."))
        query = "SELECT code FROM unit WHERE level = 3 AND valid @> %(day)s::date ORDER BY code"
        codes = [row["code"] for row in session.rows(query, day=_AS_OF)]
    if not codes:
        raise NotFound(N_("No administrative units are loaded. Try: khien units load"))
    with tempfile.TemporaryDirectory(prefix="khien-bench-") as folder:
        path = Path(folder) / "nation.csv"
        write_extract(path, people, codes)
        os.sync()  # ours and the reference begin with nothing left to be written
        with bench.stopwatch() as ours:
            load_extract(path, by=machine("bench", "person.load"), as_of=_AS_OF)
            seconds = ours()
        bench.show(bench.rate("load", people, seconds, _raw_copy(Path(folder)), "people/s"), as_json)


def _raw_copy(folder: Path) -> float:
    """Seconds that COPY needs for the same rows into tables without keys, indexes, checks or policies."""
    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        for table in _TABLES:
            connection.execute(f"CREATE TABLE loading.bare_{table} AS SELECT * FROM {table} WITH NO DATA")  # noqa: S608
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as source, (folder / table).open("wb") as out:
                for part in source:
                    out.write(part)
        os.sync()
        try:
            with bench.stopwatch() as reference:
                for table in _TABLES:
                    _copy_in(connection, table, folder / table)
                return reference()
        finally:
            for table in _TABLES:
                connection.execute(f"DROP TABLE loading.bare_{table}")


def _copy_in(connection: psycopg.Connection[Any], table: str, path: Path) -> None:
    copy = f"COPY loading.bare_{table} FROM STDIN"
    with path.open("rb") as stream, connection.cursor().copy(copy) as target:
        while part := stream.read(_CHUNK):
            target.write(part)


def person_queries(pages: int) -> tuple[list[int], bench.Measured]:
    """Whose pages to ask for, and the queries of each, in its transaction and logged, beside one row by its key.

    Raises NotFound for an empty register.
    """
    actor = machine("bench", "person.read")
    with begin(actor) as session:
        size = session.value("SELECT count(*) FROM person")
        # A stride through the numbers, so that pages are cold and warm as in life.
        query = "SELECT person_id FROM person WHERE person_id %% greatest(%(size)s / %(pages)s, 1) = 0 LIMIT %(pages)s"
        ids = [row["person_id"] for row in session.rows(query, size=size, pages=pages)]
    if not ids:
        raise NotFound(N_("The register is empty. Try: khien bench load"))
    ours, reference = [], []
    for person_id in ids:
        with bench.stopwatch() as took, begin(actor) as session:
            store.person(session, person_id)
        ours.append(took() * 1000)
        with bench.stopwatch() as took, begin(actor) as session:
            session.row("SELECT * FROM person WHERE person_id = %(person_id)s", person_id=person_id)
        reference.append(took() * 1000)
    p95, bare = bench.percentile(ours, 0.95), bench.percentile(reference, 0.95)
    return ids, bench.Measured("person", round(p95, 2), round(bare, 2), "ms p95", round(p95 / bare, 2), size)
