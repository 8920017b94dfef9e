"""`khien bench trace`: loading visits beside raw COPY, tracing beside the same question as hand-written SQL."""

from __future__ import annotations

import datetime as dt
import gc
import json
import tempfile
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path

import click
import psycopg

from khien.core import bench, config
from khien.core.actor import machine
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.server import databases
from khien.core.session import begin
from khien.core.sql import Queries
from khien.tracing import actions, visits
from khien.tracing import replay as replaying
from khien.tracing.contact import Contact
from khien.tracing.outbreak import read_contacts, read_linelist
from khien.tracing.rules import exposure
from khien.tracing.rules.window import VIET_NAM, infectious_window

_q = Queries("khien.tracing", "bench.sql")
_MOMENT = dt.datetime(2021, 9, 15, tzinfo=VIET_NAM)
_ONSET = dt.date(2021, 9, 13)  # of every case: _q.cases
_VISITS_A_PERSON = 30
_ACTOR = machine("bench", "visit.load", "trace.run")
_CHUNK = 1 << 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLUMNS = "person_id, place_id, came_at, left_at, span, source, seat"


@click.command()
@click.option("--people", type=click.IntRange(1000), default=1_000_000, show_default=True, help="With 30 visits each.")
@click.option("--cases", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--only", type=click.Choice(["load", "one", "many"]), help="One part; the last two use what is there.")
@click.option("--json", "as_json", is_flag=True)
def trace(people: int, cases: int, only: str | None, as_json: bool) -> None:
    """Load the visits of 14 days, trace single cases to depth 2 and many at once.

    Needs a database whose register is empty and whose units are loaded; what it makes stays in it.
    """
    if only in (None, "load"):
        _make(people, cases)
        _settle()
        with tempfile.TemporaryDirectory(prefix="khien-bench-") as folder:
            _bench_load(Path(folder) / "visits.csv", people, as_json)
        _settle()
    with begin(machine("bench", "*"), role="khien_loader") as session:
        found = [row["person_id"] for row in session.rows("SELECT person_id FROM case_report ORDER BY case_id")]
    if not found:
        raise NotFound(N_("There is nothing to trace yet. Leave out --only."))
    if only in (None, "one"):
        _bench_single(found[: min(100, cases)], people, as_json)
    if only in (None, "many"):
        for depth in (1, 2):
            _bench_many(found[:cases], depth, people, as_json)


def _make(people: int, cases: int) -> None:
    with begin(machine("bench", "*"), role="khien_loader") as session:
        if session.value("SELECT EXISTS (SELECT FROM visit)") or session.value("SELECT EXISTS (SELECT FROM person)"):
            raise NotFound(N_("The register is not empty. Measure in a database of its own (KHIEN_DATABASE_NAME)."))
        if not session.value("SELECT EXISTS (SELECT FROM unit WHERE level = 3)"):
            raise NotFound(N_("No administrative units are loaded. Try: khien units load"))
        for query in (_q.people, _q.numbers, _q.homes):
            session.execute(query, people=people)
        session.execute(_q.places, places=people // 10)
        session.execute(_q.cases, people=people, cases=cases)


def _settle() -> None:
    """As autovacuum and the checkpointer do after a while: visibility map, figures, nothing left to write."""
    with closing(databases.connect_admin(databases.current_name())) as admin:
        admin.execute("VACUUM (ANALYZE) visit, person, identifier, household_member, place, case_report")
        with suppress(psycopg.errors.InsufficientPrivilege):  # a server of somebody else's
            admin.execute("CHECKPOINT")


def _bench_load(path: Path, people: int, as_json: bool) -> None:
    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        query = _q.visits_to.format(places=people // 10, visits=_VISITS_A_PERSON, people=people).replace("%%", "%")
        with connection.cursor().copy(query) as source, path.open("wb") as out:
            for part in source:
                out.write(part)
    with bench.stopwatch() as took:
        done = visits.load_visits(path, by=_ACTOR)
        ours = took()
    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE loading.bare (personal_number text, place text, a timestamptz, b timestamptz, source text)"
        )
        bare = _copy_in(connection, "loading.bare", path, "CSV, HEADER")
        connection.execute("DROP TABLE loading.bare")
        resolved = path.with_name("resolved")
        with (
            connection.cursor().copy(_q.resolved) as rows,
            resolved.open("wb") as out,
        ):
            for part in rows:
                out.write(part)
        connection.execute("CREATE TABLE loading.keyed AS SELECT * FROM visit WITH NO DATA")
        connection.execute("ALTER TABLE loading.keyed ADD PRIMARY KEY (person_id, came_at, place_id) INCLUDE (left_at)")
        connection.execute("CREATE INDEX ON loading.keyed (place_id, span, came_at) INCLUDE (left_at, person_id)")
        keyed = _copy_in(connection, f"loading.keyed ({_COLUMNS})", resolved, "TEXT")
        connection.execute("DROP TABLE loading.keyed")
    bench.show(bench.rate("visits-load", done.loaded, ours, bare, "visits/s, COPY without keys"), as_json)
    bench.show(bench.rate("visits-load-keyed", done.loaded, ours, keyed, "visits/s, COPY with the same keys"), as_json)


def _copy_in(connection: psycopg.Connection[tuple[object, ...]], table: str, path: Path, form: str) -> float:
    with bench.stopwatch() as took:
        copy = f"COPY {table} FROM STDIN (FORMAT {form})"
        with path.open("rb") as stream, connection.cursor().copy(copy) as target:
            while part := stream.read(_CHUNK):
                target.write(part)
        return took()


def _reference(persons: list[int], depth: int) -> tuple[float, int]:
    """Seconds and contacts of the hand-written SQL, by a role without row-level security. Its rows are read as ours."""
    window = infectious_window(_ONSET, None, moment=_MOMENT, days=14)
    asked = {
        "persons": persons, "start": window.start, "end": window.end, "depth": depth, "onset": _ONSET,
        "moment": _MOMENT, "most": exposure.limits()["most_sources"],
    }  # fmt: skip
    with begin(machine("bench", "*"), role="khien_loader") as session, bench.stopwatch() as took:
        with session.connection.cursor(row_factory=lambda _: Contact._make, binary=True) as cursor:
            rows = cursor.execute(_q.reference, asked).fetchall()
        return took(), len(rows)


def _bench_single(persons: list[int], people: int, as_json: bool) -> None:
    ours, reference, contacts, beside = [], [], 0, 0
    gc.collect()
    gc.freeze()  # as the server of the pages does (web/wsgi.py)
    for person in persons:
        with bench.stopwatch() as took:
            found = actions.trace(by=_ACTOR, persons=[person], depth=2, moment=_MOMENT, days=14, keep=False)
            ours.append(took() * 1000)
        contacts += len(found[0].contacts)
        seconds, many = _reference([person], 2)
        reference.append(seconds * 1000)
        beside += many
    each = len(persons)
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        p, bare = bench.percentile(ours, share), bench.percentile(reference, share)
        unit = f"ms {name}, depth 2, {contacts // each} contacts a case, reference {beside // each}"
        bench.show(bench.Measured("trace-one", round(p, 1), round(bare, 1), unit, round(p / bare, 2), people), as_json)


def _bench_many(persons: list[int], depth: int, people: int, as_json: bool) -> None:
    with bench.stopwatch() as took:
        found = actions.trace(by=_ACTOR, persons=persons, depth=depth, moment=_MOMENT, days=14, keep=False)
        ours = took()
    reference, beside = _reference(persons, depth)
    contacts = sum(len(one.contacts) for one in found)
    cut = " (what was cut is named)" if any(one.cuts for one in found) else ""
    unit = f"s for {len(persons)} cases, depth {depth}, {contacts} contacts{cut}, reference {beside}"
    bench.show(
        bench.Measured("trace-many", round(ours, 2), round(reference, 2), unit, round(ours / reference, 2), people),
        as_json,
    )


@click.command()
@click.argument("linelist", type=_FILE)
@click.argument("contacts", type=_FILE, required=False)
@click.option(
    "--left-out", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Contacts nobody scanned."
)
@click.option("--false", type=click.FloatRange(0), default=0.0, show_default=True, help="False ones for each true one.")
@click.option("--serial", type=(float, float), help="Serial interval: mean and standard deviation in days.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def replay(
    linelist: Path, contacts: Path | None, left_out: float, false: float, serial: tuple[float, float] | None, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Replay a published outbreak: LINELIST and CONTACTS as CSV, or a LINELIST with a column infector.

    Case after case is reported, traced and looked back from, with nothing known that was not known that day. Nothing is
    kept in the register. Needs units.
    """
    done = replaying.replay(
        read_linelist(linelist), read_contacts(contacts or linelist), by=machine("bench", "*"), left_out=left_out,
        false=false, serial=serial, seed=seed,
    )  # fmt: skip
    answer = {"name": "replay", **asdict(done)}
    click.echo(json.dumps(answer) if as_json else "\n".join(f"{k}: {v}" for k, v in answer.items()))
