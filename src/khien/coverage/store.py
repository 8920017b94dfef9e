"""Questions on coverage: any unit's parts, any day up to today, any ages, by where people lived or were on that day."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session
from khien.coverage import snapshot as snapshots
from khien.coverage.snapshot import SQL, Snapshot
from khien.territory import store as territory

_FIRST_DAY = dt.date(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Question:
    """Whose coverage, when. Ages in completed years, both ends included; `present` counts people where they were on
    the day, otherwise where they had permanent residence."""

    on: dt.date
    disease: str = "covid-19"
    min_age: int = 0
    max_age: int = 150
    present: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """One unit's figures: numbers of people. `dose1` to `complete` count only people within `people`."""

    unit_id: int
    people: int
    dose1: int
    dose2: int
    dose3: int
    complete: int

    def share(self, of: str) -> float | None:
        """Share with at least that dose (0 to 1); None where nobody lives."""
        count: int = getattr(self, of)
        return count / self.people if self.people else None


def rest(whole: Coverage, parts: Sequence[Coverage]) -> Coverage:
    """Those of a unit who are in none of its parts: their commune of then was split, and nothing says which part is
    theirs."""
    names = ("people", "dose1", "dose2", "dose3", "complete")
    return Coverage(whole.unit_id, *(getattr(whole, n) - sum(getattr(p, n) for p in parts) for n in names))


def check_day(session: Session, on: dt.date) -> None:
    """Raises BadInput for a day after today: nobody knows who will have died, moved or been vaccinated by then."""
    if on > session.today:
        message = N_("Coverage is known up to today, {today}.")
        raise BadInput(message, faults=(Fault("on", message, None, {"today": session.today}),), today=session.today)


def by_unit(session: Session, question: Question, units: Sequence[tuple[int, int]]) -> list[Coverage]:
    """Coverage of each shown unit, given as (unit_id, last_id) ranges, which may overlap. Aggregates only: no person is
    read. Whoever's unit the day does not have counts in what took its place; of one that was split, in the unit above
    its parts, so that a unit may have more people than its parts together.

    Raises BadInput for a day to come.
    """
    session.actor.must("coverage.read")
    check_day(session, question.on)
    if not units:
        return []
    with _engine(session, question) as engine:
        firsts, lasts = [unit for unit, _last in units], [last for _unit, last in units]
        found = engine.execute(
            SQL.by_unit,
            {
                "firsts": firsts,
                "lasts": lasts,
                "first_id": min(firsts),
                "last_id": max(lasts),
                "on_day": question.on,
                "born_by": _years_before(question.on, question.min_age),
                "born_after": _years_before(question.on, question.max_age + 1),
            },
        ).fetchall()
    return [Coverage(*row) for row in found]


def by_day(session: Session, question: Question, area: tuple[int, int]) -> list[tuple[dt.date, int]]:
    """Doses a day up to the day of the question, of those who live within one unit's range on that day."""
    session.actor.must("coverage.read")
    check_day(session, question.on)
    with _engine(session, replace(question, present=False)) as engine:
        return engine.execute(SQL.by_day, {"first_id": area[0], "last_id": area[1], "on_day": question.on}).fetchall()


def _years_before(day: dt.date, years: int) -> dt.date:
    """The birthday of somebody who turns `years` on `day` (29 February counts as 1 March in common years)."""
    if years >= day.year:
        return _FIRST_DAY
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return dt.date(day.year - years, 2, 28)


def _engine(session: Session, question: Question) -> duckdb.DuckDBPyConnection:
    """DuckDB with the view `placed`: the snapshot and, laid over it, what changed since, each row with the unit of the
    day it is counted in."""
    disease = question.disease
    snapshot: Snapshot = snapshots.current(disease)
    engine = duckdb.connect()
    with tempfile.TemporaryDirectory(dir=snapshots.folder()) as scratch:
        source = Path(scratch) / "changed.csv"
        snapshots.copy_rows(session, disease, snapshot.changes_since, source)
        engine.execute(SQL.changed, {"source": str(source), "columns": snapshots.COLUMNS})
    engine.execute(SQL.people.format(snapshot=snapshot.path))
    _place(session, engine, question)
    return engine


def _place(session: Session, engine: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Only where somebody lives in a unit that the day does not have are units carried over at all."""
    place = "present_unit" if question.present else "home_unit"
    foreign = [
        unit
        for first, last in territory.not_of_day(session, question.on)
        for (unit,) in engine.execute(
            SQL.places_of.format(place=place), {"first_id": first, "last_id": last}
        ).fetchall()
    ]
    carried = territory.carried(session, foreign, question.on) if foreign else {}
    if carried:
        engine.execute(SQL.carried, {"units": list(carried), "places": list(carried.values())})
    engine.execute((SQL.placed_carried if carried else SQL.placed).format(place=place))
