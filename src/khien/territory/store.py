"""Questions about units.

Rows are dicts of unit_id, last_id, system, code, level, kind, name, parent_id, valid_from, valid_to (the day after the
last, or None), lat, lon, area_km2 and approximate. `on` gives names and kinds of that day; None the last ones. Units
are public: nothing here depends on the actor, except `top_of_area`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from khien.core.errors import Ambiguous, NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.core.text import fold, nfc

Row = dict[str, Any]
_sql = Queries("khien.territory")


def unit(session: Session, unit_id: int, on: dt.date | None = None) -> Row:
    """Raises NotFound."""
    found = session.row(_sql.unit, unit_id=unit_id, on=on)
    if found is None:
        raise NotFound(N_("There is no such administrative unit."))
    return found


def find(session: Session, code: str, on: dt.date | None = None, system: str | None = None) -> Row:
    """By official code (leading zeros kept), unit id, or name with or without kind and accents; behind a name that
    several have, what it lies in: Phường 10, Quận 3. Raises NotFound, Ambiguous."""
    wanted = nfc(code)
    found = session.row(_sql.find, code=wanted, on=on, system=system)
    if found is None and wanted.isdecimal() and 6 < len(wanted) < 10:
        found = session.row(_sql.unit, unit_id=int(wanted), on=on)
    if found is None and not wanted.isdecimal():
        found = _called(session, wanted, on)
    if found is None:
        raise NotFound(N_("There is no administrative unit {unit} on that day."), unit=wanted)
    return found


_NAMESAKES = 200  # more units than share a name
_ONE_DIGIT = re.compile(r"\b0?([1-9])\b")


def _called(session: Session, wanted: str, on: dt.date | None) -> Row | None:
    """The unit of this name: the whole name before the name without its kind, with its accents before without, and the
    highest level. Raises Ambiguous where several are left. Some lists write Phường 1, some Phường 01."""
    name, *above = (part.strip() for part in wanted.split(","))
    spelled = {_ONE_DIGIT.sub(r"\1", name), _ONE_DIGIT.sub(r"0\1", name)}
    bare = _bare(name)

    def rank(unit: Row) -> tuple[Any, ...]:
        accents = _ONE_DIGIT.sub(r"\1", name).lower() in _ONE_DIGIT.sub(r"\1", unit["name"]).lower()
        since: dt.date = unit["valid_from"] or dt.date.min
        return _bare(unit["name"]) != bare, not accents, unit["level"], -since.toordinal()

    hits = {u["unit_id"]: u for spelling in spelled for u in search(session, spelling, on, limit=_NAMESAKES)}
    fitting = [
        unit
        for unit in hits.values()
        if f" {_bare(unit['name'])}".endswith(f" {bare}")
        and all(f" {_bare(part)}," in f" {_bare(unit['within'] or '')}," for part in above)
    ]
    best = [unit for unit in fitting if rank(unit) == min(map(rank, fitting))]
    if len(best) > 1:
        example = ", ".join(filter(None, (best[0]["name"], best[0]["within"])))
        raise Ambiguous(
            N_("{count} units are called {unit}. Enter its code, or what it lies in too, for example: {example}."),
            count=len(best), unit=wanted, example=example,
        )  # fmt: skip
    return best[0] if best else None


def _bare(name: str) -> str:
    return _ONE_DIGIT.sub(r"\1", fold(name))


def children(session: Session, unit_id: int, on: dt.date | None = None) -> list[Row]:
    """The units directly below, in the order of their codes."""
    return session.rows(_sql.children, unit_id=unit_id, on=on)


def ancestors(session: Session, unit_id: int, on: dt.date | None = None) -> list[Row]:
    """The country first, the parent last."""
    return session.rows(_sql.ancestors, unit_id=unit_id, on=on)


def subtree(session: Session, unit_id: int, level: int | None = None, on: dt.date | None = None) -> list[Row]:
    """The unit and all below it, or those of one level."""
    return session.rows(_sql.subtree, unit_id=unit_id, level=level, on=on)


def names(session: Session, unit_ids: Iterable[int], on: dt.date | None = None) -> dict[int, str]:
    """Names of many units with one query; ids that do not exist are absent."""
    return {r["unit_id"]: r["name"] for r in session.rows(_sql.names, ids=sorted(set(unit_ids)), on=on)}


def names_then(session: Session, units: Iterable[tuple[int, dt.date]]) -> dict[tuple[int, dt.date], str]:
    """What units were called on days, with what they lie in, in one query; ids that do not exist are absent."""
    asked = sorted(set(units))
    ids, days = [unit_id for unit_id, _ in asked], [day for _, day in asked]
    return {(r["unit_id"], r["day"]): r["name"] for r in session.rows(_sql.names_then, ids=ids, days=days)}


def within(session: Session, unit_ids: Iterable[int]) -> dict[int, str]:
    """What units lie in, the nearest first, without the country: names alone are shared by many."""
    return {r["unit_id"]: r["within"] for r in session.rows(_sql.within, ids=sorted(set(unit_ids))) if r["within"]}


def area_of(session: Session, unit_ids: Iterable[int]) -> str:
    """The subtrees of these units as an int4multirange literal: an actor's area."""
    return str(session.value(_sql.area, ids=list(unit_ids)))


def country(session: Session, on: dt.date) -> Row:
    """The root of the system in force on a day. Raises NotFound where no list covers the day."""
    roots = session.rows(_sql.roots, on=on)
    if not roots:
        raise NotFound(N_("No list of administrative units covers {day}. Load one: khien units load"), day=on)
    return roots[0]


def top_of_area(session: Session, on: dt.date) -> int:
    """The highest unit that the actor's area begins with on a day; the country where it is everything.

    Raises NotFound for an actor without an area.
    """
    tops = session.rows(_sql.tops, on=on, area=session.actor.area)
    if not tops:
        raise NotFound(N_("There is no such administrative unit."))
    return int(tops[0]["unit_id"])


def counts(session: Session, on: dt.date) -> list[Row]:
    """Rows of system, level, kind, units on a day."""
    return session.rows(_sql.counts, on=on)


def search(session: Session, text: str, on: dt.date | None = None, limit: int = 20) -> list[Row]:
    """Units whose name, present or past, holds every word of `text`; best first. Rows have `within` as well."""
    folded = fold(text)
    if not folded:
        return []
    escaped = _escape(folded)
    patterns = [f"%{word}%" for word in escaped.split(" ")]
    return session.rows(
        _sql.search, patterns=patterns, folded=folded, escaped=escaped, text=nfc(text), on=on, limit=limit
    )


def successors(session: Session, unit_id: int, by: dt.date | None = None) -> list[Row]:
    """What followed a unit until a day (None: ever), with on_date, how (same, renamed, merged, split) and source."""
    return session.rows(_sql.successors, unit_id=unit_id, on=by, by=by)


def predecessors(session: Session, unit_id: int) -> list[Row]:
    """What a unit came from; the same columns as `successors`."""
    return session.rows(_sql.predecessors, unit_id=unit_id)


def units_on(session: Session, unit_ids: Iterable[int], on: dt.date) -> dict[int, list[int]]:
    """For units of any day the units of another day in their place: themselves, successors or predecessors.

    An id is absent where nothing is known to have its place on that day; a split unit has several.
    """
    found: dict[int, list[int]] = defaultdict(list)
    for row in session.rows(_sql.on_day, ids=sorted(set(unit_ids)), on=on):
        found[row["origin"]].append(row["unit_id"])
    return dict(found)


def not_of_day(session: Session, on: dt.date) -> list[tuple[int, int]]:
    """The units that a day does not have (those of another system, ended ones), as ranges of ids."""
    return [(r["first_id"], r["last_id"]) for r in session.rows(_sql.not_of_day, on=on)]


def carried(session: Session, unit_ids: Iterable[int], on: dt.date) -> dict[int, int]:
    """For units that a day does not have: the smallest unit of that day which holds all that has their place. Of a unit
    that was split it is the unit above its parts; see unit_carried in functions.sql."""
    return {r["unit_id"]: r["carried_to"] for r in session.rows(_sql.carried, ids=sorted(set(unit_ids)), on=on)}


def systems(session: Session) -> list[Row]:
    """The lists loaded: system, country, first_id, source, version."""
    return session.rows(_sql.systems)


def system_of(session: Session, unit_id: int) -> Row:
    """Raises NotFound."""
    found = session.row(_sql.system_of, unit_id=unit_id)
    if found is None:
        raise NotFound(N_("There is no such administrative unit."))
    return found


def for_map(session: Session, system: str) -> tuple[list[Row], dict[int, Any]]:
    """All units of a system in pre-order, and the outlines that were loaded for some of them (GeoJSON by unit id)."""
    loaded = {r["unit_id"]: r["geometry"] for r in session.rows(_sql.boundaries, system=system)}
    return session.rows(_sql.for_map, system=system), loaded


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def codes(session: Session, system: str) -> dict[tuple[int, str], int]:
    """Unit ids of a system by (level, code); of several units with one code the last. Raises NotFound."""
    found = {(r["level"], r["code"]): r["unit_id"] for r in session.rows(_sql.codes_of_system, system=system)}
    if not found:
        raise NotFound(N_("No list of units is loaded under the name {system}."), system=system)
    return found
