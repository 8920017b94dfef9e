"""`khien bench tracing-recall`: how many of the truly infected a trace lists before they are found anyway.

A simulated epidemic is observed with a share p of visits scanned. On the day a case is reported it is traced; the lists
are held against the truth. Beside ours: the household alone, and what people remember when they are asked.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import click
import duckdb

from khien.core.actor import machine
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import begin
from khien.population.load.loader import load_extract
from khien.rulebook import load
from khien.simulation import extract, residents
from khien.simulation.epidemic import Epidemic
from khien.simulation.nation import COLUMNS
from khien.simulation.nation import nation as make_nation
from khien.simulation.observation import simulated
from khien.tracing import actions, store, visits
from khien.tracing.contact import Contact
from khien.tracing.rules.window import midnight

_ACTOR = machine("bench", "person.load", "visit.load", "case.report", "trace.run")
_FIRST = dt.date(2021, 8, 1)
_TOP = 20

Listed = dict[int, dt.date]  # person: the day of the first list they stood on


@dataclass
class Method:
    """Whom a method lists of the contacts of a case, and what came of it."""

    name: str
    picks: Callable[[list[Contact]], Iterable[Contact]]
    listed: Listed = field(default_factory=dict)
    entries: int = 0

    def take(self, contacts: list[Contact], day: dt.date) -> None:
        for contact in self.picks(contacts):
            self.entries += 1
            self.listed.setdefault(contact.person_id, day)


@dataclass(frozen=True)
class Truth:
    """Infections by reported cases, and when people were reported (None: never)."""

    infected: set[int]
    reported: dict[int, dt.date]


def _kinds(contact: Contact) -> set[str]:
    return {exposure["kind"] for exposure in contact.exposures}


def _household(contacts: list[Contact]) -> list[Contact]:
    return [c for c in contacts if "household" in _kinds(c)]


def _remembered(contacts: list[Contact]) -> list[Contact]:
    """Everybody is asked whom they met; what they remember by setting stands in rulebook/simulation/recall.toml."""
    chances = load("simulation", "recall")["remembered"]
    draw = random.Random(1)  # noqa: S311 - a simulation
    return [c for c in contacts if draw.random() < max(chances.get(k, chances["any"]) for k in _kinds(c))]


@click.command(name="tracing-recall")
@click.option("--people", type=click.IntRange(1000), default=30_000, show_default=True)
@click.option("--days", type=click.IntRange(5, 200), default=30, show_default=True)
@click.option("--scanned", default="0.1,0.3,0.6,1", show_default=True, help="Shares of visits scanned.")
@click.option("--json", "as_json", is_flag=True)
def tracing_recall(people: int, days: int, scanned: str, as_json: bool) -> None:
    """Infected contacts found, contacts listed for each, days gained. Needs units and an empty register."""
    shares = sorted(float(p) for p in scanned.split(","))
    with begin(_ACTOR) as session:
        if session.value("SELECT EXISTS (SELECT FROM person)"):
            raise NotFound(N_("The register is not empty. Measure in a database of its own (KHIEN_DATABASE_NAME)."))
    with tempfile.TemporaryDirectory(prefix="khien-bench-") as made:
        folder = Path(made)
        file = folder / "nation.parquet"
        extract.write(make_nation(people=people, seed=1, on=_FIRST, area=["00001", "00004", "00006"]), file, COLUMNS)
        load_extract(file, by=_ACTOR, as_of=_FIRST)
        for number, share in enumerate(shares):
            epidemic = Epidemic(residents.read(file, _FIRST), seed=1, first_day=_FIRST)
            outcome = simulated(epidemic, days=days, scan=share, folder=folder)
            # With one seed, what is scanned at a smaller share is scanned at a larger one too: the visits only grow.
            visits.load_places(folder / "places.parquet", by=_ACTOR)
            visits.load_visits(folder / "visits.parquet", by=_ACTOR)
            if number == 0:
                _report(folder / "cases.parquet")
            truth = _truth(folder)
            methods = [Method("ours", lambda c: c), Method(f"ours-top-{_TOP}", lambda c: c[:_TOP])]
            if number == 0:
                methods.append(Method("household", _household))
            if share == 1:
                methods.append(Method("manual-recall", _remembered))
            _trace_each_day(methods)
            for method in methods:
                answer = _answer(method, truth, share, len(epidemic.residents), outcome.infections)
                click.echo(json.dumps(answer) if as_json else "  ".join(f"{k}: {v}" for k, v in answer.items()))


def _report(path: Path) -> None:
    with duckdb.connect() as engine:
        rows = engine.execute(
            "SELECT personal_number, onset_on::DATE, sampled_on::DATE, reported_on::DATE FROM read_parquet(?)",
            [str(path)],
        ).fetchall()
    with begin(_ACTOR) as session:
        persons = store.people_of(session, [row[0] for row in rows])
        for person, (_, onset, sampled, reported) in zip(persons, rows, strict=True):
            if person is not None:
                entry = actions.CaseEntry(
                    uuid4(),
                    person,
                    onset_on=onset,
                    sampled_on=sampled,
                    reported_on=reported,
                    isolated_at=midnight(reported),
                )
                actions.report_case(by=_ACTOR, entry=entry, retrace=False)


def _truth(folder: Path) -> Truth:
    """Of whom the register knows: who was infected by somebody who was reported."""
    with duckdb.connect() as engine:
        rows = engine.execute(
            "SELECT i.personal_number, i.infector FROM read_parquet(?) i"
            " JOIN read_parquet(?) c ON c.personal_number = i.infector",
            [str(folder / "truth" / "infections.parquet"), str(folder / "cases.parquet")],
        ).fetchall()
    with begin(_ACTOR) as session:
        persons = store.people_of(session, [row[0] for row in rows])
        infectors = store.people_of(session, [row[1] for row in rows])
        reported = {
            r["person_id"]: r["reported_on"] for r in session.rows("SELECT person_id, reported_on FROM case_report")
        }
    known = {p for p, by in zip(persons, infectors, strict=True) if p is not None and by is not None}
    return Truth(known, reported)


def _trace_each_day(methods: list[Method]) -> None:
    """Each day's reports are traced as soon as the day is over."""
    with begin(_ACTOR) as session:
        days: dict[dt.date, list[int]] = {}
        for row in session.rows("SELECT person_id, reported_on FROM case_report ORDER BY reported_on, case_id"):
            days.setdefault(row["reported_on"], []).append(row["person_id"])
    for day, persons in days.items():
        for found in actions.trace(by=_ACTOR, persons=persons, moment=midnight(day + dt.timedelta(days=1)), keep=False):
            for method in methods:
                method.take(found.contacts, day)


def _answer(method: Method, truth: Truth, share: float, people: int, infections: int) -> dict[str, Any]:
    """Found: on a list by the day before the own report, or never reported."""
    far = dt.date.max
    found = {p for p in truth.infected if p in method.listed and method.listed[p] < truth.reported.get(p, far)}
    gained = [(truth.reported[p] - method.listed[p]).days for p in found if p in truth.reported]
    return {
        "name": "tracing-recall", "method": method.name, "scanned": share, "people": people, "infections": infections,
        "infected_by_cases": len(truth.infected), "found": round(len(found) / max(1, len(truth.infected)), 3),
        "listed_for_one_found": round(method.entries / max(1, len(found)), 1),
        "median_days_gained": median(gained) if gained else None,
    }  # fmt: skip
