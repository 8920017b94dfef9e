"""Reports that grades are made of: cases and what a commune can treat."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from khien.core.actor import Actor
from khien.core.errors import Fault
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.core.text import free_text
from khien.zones import store
from khien.zones.lines import day_of, lines_of, refuse

_q = Queries("khien.zones")
_COLUMNS = ("commune", "reported_on", "onset_on", "cases")


def report_capacity(*, by: Actor, unit_id: int, sufficient: bool, on: dt.date | None = None, note: str = "") -> None:
    """Record whether a commune can treat its patients (criterion 3 of Decision 4800). Raises NotFound."""
    by.must("zone.grade")
    with begin(by) as session:
        store.must_reach(session, store.area_of_units(session, [unit_id]))
        day = on or session.today
        session.execute(_q.load_capacity, unit_id=unit_id, on=day, sufficient=sufficient, note=free_text(note, "note"))
        session.log("zone.capacity", unit=unit_id, sufficient=sufficient)


def load_cases(*, by: Actor, path: Path) -> int:
    """Load case counts from CSV (UTF-8): commune (official code), reported_on, onset_on (may be empty), cases.

    A row that is known replaces its number. All or nothing; gives how many rows are new or changed. Raises BadInput
    with the faults by line.
    """
    by.must("case.report")
    with begin(by) as session:
        rows = _read(session, path)
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
        changed = session.execute(
            _q.load_cases, units=columns[0], reported=columns[1], onset=columns[2], cases=columns[3], source=path.name
        )
        session.log("zone.cases", rows=len(rows), changed=changed)
        return changed


def _read(session: Session, path: Path) -> list[tuple[int, dt.date, dt.date | None, int]]:
    known: dict[dt.date, dict[str, int]] = {}
    faults: list[Fault] = []
    rows: dict[tuple[int, dt.date, dt.date | None], int] = {}
    for number, line in lines_of(path, _COLUMNS):
        found = _row(session, line, number, known, faults)
        if found is not None and found[:3] in rows:
            faults.append(Fault("commune", N_("This commune, day and day of onset stand in the file twice."), number))
        elif found is not None:
            rows[found[:3]] = found[3]
    refuse(faults)
    return [(*key, cases) for key, cases in rows.items()]


def _row(
    session: Session, line: dict[str, str], number: int, known: dict[dt.date, dict[str, int]], faults: list[Fault]
) -> tuple[int, dt.date, dt.date | None, int] | None:
    before = len(faults)
    reported = day_of(line, "reported_on", number, faults)
    onset = day_of(line, "onset_on", number, faults) if line["onset_on"] else None
    cases = line["cases"]
    if not cases.isdecimal() or len(cases) > 7:
        faults.append(Fault("cases", N_("A number of cases is a whole number."), number))
    if reported is None:
        return None
    if reported not in known:  # once for each day of the file: the communes differ from day to day
        known[reported] = {r["code"]: r["unit_id"] for r in session.rows(_q.communes_by_code, on=reported)}
    unit = known[reported].get(line["commune"])
    if unit is None:
        faults.append(Fault("commune", N_("There is no commune with this code on that day."), number))
    if onset is not None and onset > reported:
        faults.append(Fault("onset_on", N_("The onset lies after the report."), number))
    if reported > session.today:
        faults.append(Fault("reported_on", N_("The date lies in the future."), number))
    return None if len(faults) > before or unit is None else (unit, reported, onset, int(cases))
