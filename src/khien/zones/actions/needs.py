"""What somebody needs when a zone is closed: recorded one by one at a desk, or as a hospital's list."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import begin
from khien.core.sql import Queries
from khien.population.rules.documents import normalise
from khien.zones.lines import day_of, lines_of, refuse

_q = Queries("khien.zones.movement")
NEEDS = ("pregnant", "dialysis", "chronic", "disabled", "oxygen")
_COLUMNS = ("number", "kind", "from", "until")
_UNKNOWN_KIND = N_("This need is not one that is kept.")


def record_need(
    *, by: Actor, person_id: int, kind: str, from_day: dt.date | None = None, until_day: dt.date | None = None,
    source: str = "station",
) -> bool:  # fmt: skip
    """Record that somebody is pregnant, needs dialysis, ... from a day to before another. False if that was known.

    Raises BadInput for another kind or impossible days, NotFound for somebody whom the actor does not see.
    """
    by.must("need.record")
    with begin(by) as session:
        first = from_day or session.today
        if faults := _faults(kind, first, until_day, None):
            raise BadInput(faults[0].message, faults=faults)
        if not session.value(_q.visible, person_id=person_id):
            raise NotFound
        added = session.execute(
            _q.record_need, person_id=person_id, kind=kind, from_day=first, until_day=until_day, source=source
        )
        if added:
            session.log("zone.need", [person_id], kind=kind)
        return bool(added)


def end_need(*, by: Actor, person_id: int, kind: str, on: dt.date | None = None) -> None:
    """Somebody no longer needs it from a day on, today by default. Raises NotFound where nothing runs before it."""
    by.must("need.record")
    with begin(by) as session:
        if not session.execute(_q.end_need, person_id=person_id, kind=kind, on=on or session.today):
            raise NotFound(N_("This need does not run, or began on that day: then take it back."))
        session.log("zone.need", [person_id], kind=kind, ended=True)


def take_back_need(*, by: Actor, person_id: int, kind: str, from_day: dt.date) -> None:
    """A need was recorded in error: it goes away, the log keeps both. Raises NotFound."""
    by.must("need.record")
    with begin(by) as session:
        if not session.execute(_q.drop_need, person_id=person_id, kind=kind, from_day=from_day):
            raise NotFound
        session.log("zone.need", [person_id], kind=kind, taken_back=True)


def load_needs(*, by: Actor, path: Path, source: str = "hospital") -> tuple[int, int]:
    """Record a list, CSV (UTF-8) of number, kind, from, until (may be empty): how many are new, how many were known.

    All or nothing. Raises BadInput with the faults by line: a number that the register does not know in the actor's
    area, an unknown kind, an impossible day.
    """
    by.must("need.record")
    lines, faults = _read(path)
    with begin(by) as session:
        found = session.row(
            _q.load_needs, lines=[n for n, *_rest in lines], numbers=[row[1] for row in lines],
            kinds=[row[2] for row in lines], until=[row[4] for row in lines], source=source, today=session.today,
            **{"from": [row[3] or session.today for row in lines]},
        )  # fmt: skip
        assert found is not None
        unknown = N_("Nobody of your area has this number.")
        faults = sorted([*faults, *(Fault("number", unknown, n) for n in found["unknown"])], key=lambda f: f.line or 0)
        refuse(faults)
        if found["persons"]:
            session.log("zone.need", found["persons"], source=source)
        return found["added"], len(lines) - found["added"]


Line = tuple[int, str, str, dt.date | None, dt.date | None]


def _read(path: Path) -> tuple[list[Line], list[Fault]]:
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, row in lines_of(path, _COLUMNS):
        wrong = len(faults)
        first, until = (day_of(row, f, number, faults) if row[f] else None for f in ("from", "until"))
        faults += _faults(row["kind"], first, until, number)
        if len(faults) == wrong:
            lines.append((number, normalise(row["number"]), row["kind"], first, until))
    return lines, faults


def _faults(kind: str, first: dt.date | None, until: dt.date | None, line: int | None) -> tuple[Fault, ...]:
    found = [Fault("kind", _UNKNOWN_KIND, line)] if kind not in NEEDS else []
    if first is not None and until is not None and until <= first:
        found.append(Fault("until", N_("The last day lies before the first."), line))
    return tuple(found)
