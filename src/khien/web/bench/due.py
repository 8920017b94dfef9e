"""`khien bench due`: who is due in a province, beside SQL written by hand for the plain case."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable
from contextlib import closing

import click

from khien.checkpoints.bench import people as register
from khien.core import bench
from khien.core.actor import NATION, machine
from khien.core.server import databases
from khien.core.server.progress import quiet
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.vaccination import actions as vaccination
from khien.vaccination import due as who
from khien.vaccination import programmes

_q = Queries("khien.web.bench", "due.sql")
_ON = dt.date(2021, 12, 20)
_FROM = dt.date(2021, 7, 1)  # of the campaign that is made up
_TIMES = 3
_ACTOR = machine("bench", "*")
_PROGRAMME = "covid_19_vn_2021"


@click.command()
@click.option("--people", type=click.IntRange(1000), default=1_000_000, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def due(people: int, as_json: bool) -> None:
    """Sort PEOPLE of one area, judge them, list who is due and count them; in seconds, less is better.

    Uses a database of its own, made at the first run and kept for the next.
    """
    register.use_database(f"khien_bench_due_{people}")
    _prepare(people)
    for measured in _measure(people):
        bench.show(measured, as_json)


def _prepare(people: int) -> None:
    register.make(people, quiet)
    vaccination.load_products(by=_ACTOR)
    with begin(_ACTOR, role="khien_loader") as session:
        if session.value(_q.have):
            return
        session.execute(_q.doses, {"from": _FROM})
        session.execute(_q.infections, {"from": _FROM})
    with closing(databases.connect_admin(databases.current_name())) as admin:
        admin.execute(_q.analyze)


def _measure(people: int) -> list[bench.Measured]:
    reference, ours, page = ([] for _ in range(3))  # type: list[float], list[float], list[float]
    with closing(databases.connect_admin(databases.current_name())) as admin:
        admin.execute(_q.forget)
    with bench.stopwatch() as passed:  # as after a load, and every night for what is new
        assert who.keep_up(_ACTOR, _PROGRAMME)
        kept_up = passed()
    first = _timed(_ours)
    for _ in range(_TIMES):
        reference.append(_timed(_by_hand))
        who.forget()
        ours.append(_timed(_ours))
        page.append(_timed(_first_page))
    plain = statistics.median(reference)
    return [
        bench.Measured("due", _seconds(ours), round(plain, 2), "s", round(plain / statistics.median(ours), 2), people),
        bench.Measured("due_first_page", _seconds(page), None, "s", None, people),
        bench.Measured("due_asked_first", round(first, 2), None, "s", None, people),
        bench.Measured("due_kept_up_from_nothing", round(kept_up, 2), None, "s", None, people),
    ]


def _timed(work: Callable[[Session], None]) -> float:
    with begin(_ACTOR) as session, bench.stopwatch() as passed:
        work(session)
        return passed()


def _seconds(values: list[float]) -> float:
    return round(statistics.median(values), 2)


def _ours(session: Session) -> None:
    who.find_due(session, _PROGRAMME, NATION, _ON)
    assert who.count_due(session)


def _first_page(session: Session) -> None:
    assert who.due_page(session, _PROGRAMME, NATION, _ON, people=50)


def _by_hand(session: Session) -> None:
    session.execute(_q.drop_reference)
    session.execute(_q.reference, products=list(programmes.products()), on=_ON, area=NATION)
    session.rows(_q.count_reference)
