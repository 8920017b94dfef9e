"""Visits that nobody had to write down: from checkpoints, vaccination sessions and timetables, by dated rule."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from khien import rulebook
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.tracing import store
from khien.tracing.rules.window import VIET_NAM
from khien.tracing.tabular import rows_of

_q = Queries("khien.tracing.movement")

_SOURCES = ("lane", "vehicle", "session", "roster")
_NEEDED = ("personal_number", "place", "weekdays", "starts", "ends")
_ROSTER = (*_NEEDED, "valid_from", "valid_until")
_SHOWN = 100


def rule_on(day: dt.date) -> dict[str, Any]:
    """What each source gives on a day, by rulebook/contacts/sources.toml; a source without a rule gives nothing."""
    book = rulebook.load("contacts", "sources")
    found = {name: rulebook.in_force(book.get(name, ()), day) for name in _SOURCES}
    return {name: dict(entries[0]) for name, entries in found.items() if entries}


def derive(session: Session, *, start: dt.datetime, end: dt.datetime, persons: Sequence[int] | None) -> int:
    """Write down the visits between two moments that other capabilities know of; with `persons` only of groups that
    one of them was in. How many are new or changed. Part of an action; the same again changes nothing."""
    rule = rule_on(end.astimezone(VIET_NAM).date())
    minutes = Jsonb({name: {k: v for k, v in one.items() if isinstance(v, int)} for name, one in rule.items()})
    people = list(persons) if persons is not None else None
    return int(session.value(_q.derive, first=start, until=end, persons=people, rule=minutes))


def derive_all(*, by: Actor, start: dt.datetime, end: dt.datetime) -> int:
    """Everybody's visits of a period. Raises NotAllowed."""
    by.must("visit.load")
    with begin(by) as session:
        made = derive(session, start=start, end=end, persons=None)
        session.log("visit.load", (), derived=made)
    return made


def load_rosters(path: Path, *, by: Actor) -> int:
    """Load timetables (CSV or Parquet): personal_number, place, weekdays ("12345", 1 is Monday), starts, ends, and if
    there are, valid_from and valid_until. How many. The same file again changes nothing. All or nothing: raises
    BadInput that names the lines."""
    by.must("visit.load")
    rows = list(rows_of(path, _NEEDED, _ROSTER))
    with begin(by) as session:
        persons = store.people_of(session, [row["personal_number"] for row in rows])
        faults: list[Fault] = []
        columns: dict[str, list[Any]] = {
            c: [] for c in ("persons", "places", "firsts", "lasts", "weekdays", "starts", "ends")
        }
        for line, (row, person) in enumerate(zip(rows, persons, strict=True), 2):
            try:
                read = _read(row, person)
            except BadInput as wrong:
                faults += [Fault(f.field, f.message, line) for f in wrong.faults]
                continue
            for name, value in read.items():
                columns[name].append(value)
        if faults:
            raise BadInput(N_("{count} lines of the timetable are wrong; nothing was loaded."),
                           faults=tuple(faults[:_SHOWN]), count=len(faults))  # fmt: skip
        session.execute(_q.add_places_by_code, codes=columns["places"])
        made = session.execute(_q.add_rosters, columns)
        session.log("visit.load", [p for p in persons if p is not None], rosters=made)
    return made


def _read(row: dict[str, str], person: int | None) -> dict[str, Any]:
    """One line. Raises BadInput with its first fault."""

    def fault(field: str, message: str) -> BadInput:
        return BadInput(message, faults=(Fault(field, message),))

    if person is None:
        raise fault("personal_number", N_("Nobody in the register has this number."))
    if not row["place"]:
        raise fault("place", N_("There is no place."))
    days = "".join(sorted(set(re.sub(r"[ ,;]", "", row["weekdays"]))))
    if not re.fullmatch("[1-7]+", days):
        raise fault("weekdays", N_("Days of the week are digits from 1 (Monday) to 7 (Sunday)."))
    times, dates = {}, {}
    for name in ("starts", "ends"):
        try:
            times[name] = dt.time.fromisoformat(row[name])
        except ValueError:
            raise fault(name, N_("This is no time.")) from None
    for name in ("valid_from", "valid_until"):
        try:
            dates[name] = dt.date.fromisoformat(row[name][:10]) if row.get(name) else None
        except ValueError:
            raise fault(name, N_("This is no day.")) from None
    first, last = dates["valid_from"], dates["valid_until"]
    if first and last and last < first:
        raise fault("valid_until", N_("The last day is before the first."))
    return {"persons": person, "places": row["place"], "firsts": first, "lasts": last, "weekdays": days, **times}
