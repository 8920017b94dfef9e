"""`khien bench zone`: the answers an order needs at once; presence of everybody beside SQL written by hand."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from khien.core import bench
from khien.core.actor import machine
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.population.load.loader import load_extract
from khien.population.synthetic_extract import write_extract
from khien.zones import grading, store
from khien.zones.rules.area import Area
from khien.zones.rules.presence import VIET_NAM

_q = Queries("khien.zones", "bench.sql")
_ON = dt.date(2021, 9, 1)
_MOMENT = dt.datetime(2021, 9, 1, 23, 59, tzinfo=VIET_NAM)
_ACTOR = machine("bench", "*")
_AREA_PEOPLE = 50_000
_TIMES = 3


@click.command()
@click.option(
    "--people", type=click.IntRange(1000), default=1_000_000, show_default=True, help="If the register is empty."
)
@click.option("--passages", type=click.IntRange(0), default=10_000_000, show_default=True, help="At least so many.")
@click.option("--json", "as_json", is_flag=True)
def zone(people: int, passages: int, as_json: bool) -> None:
    """Lists of a zone, a moved border, presence, grades; fills an empty register, and passages, doses and cases.

    For a database of its own (KHIEN_DATABASE_NAME): what it makes up stays there.
    """
    size = _prepare(people, passages)
    with begin(_ACTOR) as session:
        area, border, inside = _areas(session)
    for measure in (
        lambda: _lists(area, border, inside),
        lambda: [_one(size)],
        lambda: [_everybody(size)],
        lambda: [_grades()],
    ):
        for measured in measure():
            bench.show(measured, as_json)


def _prepare(people: int, passages: int) -> int:
    with begin(_ACTOR, role="khien_loader") as session:
        size = int(session.value(_q.people))
        codes = [
            r["code"]
            for r in session.rows(
                "SELECT code FROM unit WHERE level = 3 AND valid @> %(on)s::date ORDER BY code", on=_ON
            )
        ]
    if not codes:
        raise NotFound(N_("No administrative units are loaded. Try: khien units load"))
    if size == 0:
        with tempfile.TemporaryDirectory(prefix="khien-bench-") as folder:
            path = Path(folder) / "nation.csv"
            write_extract(path, people, codes)
            load_extract(path, by=_ACTOR, as_of=_ON)
        size = people
    with begin(_ACTOR, role="khien_owner") as session:
        session.value(_q.months, first=_ON - dt.timedelta(days=62), last=_ON)
        _add_passages(session, size, passages)
    with begin(_ACTOR, role="khien_loader") as session:
        if not session.value(_q.has_doses):
            session.execute(_q.add_product)
            session.execute(_q.add_doses, on=_ON)
        session.execute(_q.add_cases, on=_ON)
        session.execute(_q.add_stays, on=_ON)
    with begin(_ACTOR, role="khien_owner") as session:
        session.execute(_q.analyze)
    return size


def _add_passages(session: Session, size: int, wanted: int) -> None:
    """References are proved once at the end: row by row they take longer than everything else."""
    have = int(session.value(_q.passages))
    if have >= wanted:
        return
    references = session.rows(_q.references)
    for reference in references:
        session.execute(reference["drop"])
    session.execute(_q.add_checkpoint)
    session.execute(_q.add_passages, people=size, have=have, passages=wanted, moment=_MOMENT)
    for reference in references:
        session.execute(reference["add"])


def _areas(session: Session) -> tuple[Area, Area, int]:
    """The largest communes up to 50,000 people, the same with the next one added, and how many live in the first."""
    chosen, total, following = [], 0, None
    for row in session.rows(_q.communes):
        if total >= _AREA_PEOPLE:
            following = row["unit_id"]
            break
        chosen.append(row["unit_id"])
        total += row["people"]
    wider = [*chosen, following] if following is not None else chosen
    return store.area_of_units(session, chosen), store.area_of_units(session, wider), total


def _best(work: Callable[[Session], Any], role: str = "khien_app") -> tuple[float, Any]:
    """Seconds of the middle one of some runs, and the last answer. Each run is a transaction of its own."""
    seconds, answer = [], None
    for _n in range(_TIMES):
        with bench.stopwatch() as took, begin(_ACTOR, role=role) as session:
            answer = work(session)
        seconds.append(took())
    return bench.percentile(seconds, 0.5), answer


def _lists(area: Area, border: Area, inside: int) -> list[bench.Measured]:
    lists, _members = _best(lambda s: store.members(s, area, _ON))
    people, rows = _best(lambda s: store.people(s, area, _ON))
    moved, changed = _best(lambda s: store.difference(s, (area, _ON), (border, _ON)))
    return [
        bench.Measured("zone.lists", round(lists, 3), None, "s", None, inside),
        bench.Measured("zone.people with details and log", round(people, 3), None, "s", None, len(rows)),
        bench.Measured("zone.difference of a moved border", round(moved, 3), None, "s", None, len(changed)),
    ]


def _one(size: int) -> bench.Measured:
    with begin(_ACTOR) as session:
        ids = [r["person_id"] for r in session.rows(_q.some_people, size=size, wanted=200)]
    took = []
    for person_id in ids:
        with begin(_ACTOR) as session, bench.stopwatch() as one:
            store.presence(session, person_id, _MOMENT)
            took.append(one() * 1000)
    return bench.Measured(
        "zone.presence of one, logged", round(bench.percentile(took, 0.95), 2), None, "ms p95", None, size
    )


def _everybody(size: int) -> bench.Measured:
    ours, found = _best(lambda s: s.row(_q.everybody, on=_ON))
    # By hand without row-level security and with the same memory for sorting.
    reference, by_hand = _best(_by_hand, "khien_loader")
    if found != by_hand:
        raise AssertionError(f"the two do not agree: {found}, {by_hand}")
    return bench.Measured(
        "zone.presence of everybody", round(ours, 2), round(reference, 2), "s (less is better)",
        round(ours / reference, 3), size,
    )  # fmt: skip


def _by_hand(session: Session) -> Any:
    session.execute("SET LOCAL work_mem = '128MB'")
    return session.row(_q.everybody_by_hand, on=_ON)


def _grades() -> bench.Measured:
    seconds, found = _best(lambda s: grading.proposals(s, _ON))
    return bench.Measured("zone.grade of every commune", round(seconds, 2), None, "s", None, len(found))
