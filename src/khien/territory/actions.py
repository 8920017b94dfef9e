"""Writes of units: lists, successions, boundaries. All or nothing; a second run with the same data changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from khien.core.actor import Actor
from khien.core.errors import Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.core.text import fold
from khien.territory.rules import Numbered, Succession, System, number

_sql = Queries("khien.territory")
_UNIT = (
    "COPY unit_staged (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid, lat, lon,"
    " area_km2, approximate) FROM STDIN"
)
_NAME = "COPY unit_name_staged (unit_id, valid, kind, name, name_folded) FROM STDIN"
_SUCCESSION = "COPY unit_succession_staged FROM STDIN"
BLOCK = 1_000_000  # ids of one system


def load_units(
    *, by: Actor, systems: Sequence[System], successions: Mapping[tuple[str, str], Iterable[Succession]] | None = None
) -> dict[str, int]:
    """Load whole systems, and the successions between pairs of them (by their names). Returns rows changed, by table.

    A system already loaded must have the same tree (Refused otherwise: its ids stand in residences); names, days,
    centroids may differ and are taken over.
    """
    by.must("unit.load")
    changed = {"unit": 0, "unit_name": 0, "unit_succession": 0}
    with begin(by, role="khien_loader") as session:
        session.execute(_sql.lock_units)
        for system in systems:
            for table, rows in _load_system(session, system).items():
                changed[table] += rows
        session.execute(_sql.stage)
        for (before, after), steps in (successions or {}).items():
            _copy(session, _SUCCESSION, (
                (before, *s.before, after, *s.after, s.on, s.kind, s.source) for s in steps
            ))  # fmt: skip
        changed["unit_succession"] = session.execute(_sql.merge_successions)
        session.execute(_sql.save_version)
        if any(changed.values()):
            session.log("unit.load", [], systems=[s.name for s in systems], changed=changed)
    return changed


def load_boundaries(*, by: Actor, geometries: Mapping[int, Mapping[str, Any]], source: str) -> int:
    """Set real outlines (GeoJSON geometries by unit id). Returns how many changed."""
    by.must("unit.load")
    with begin(by, role="khien_loader") as session:
        session.execute(_sql.lock_units)
        changed = session.execute(
            _sql.save_boundaries,
            ids=list(geometries),
            geometries=[json.dumps(g) for g in geometries.values()],
            source=source,
        )
        session.execute(_sql.save_version)
        if changed:
            session.log("unit.load", boundaries=changed)
    return changed


def _load_system(session: Session, system: System) -> dict[str, int]:
    known = next((s["first_id"] for s in session.rows(_sql.systems) if s["system"] == system.name), None)
    base = known or system.base or session.value(_sql.next_base) * BLOCK
    numbered = number(system.units, base)
    session.execute(_sql.stage)
    _copy(session, _UNIT, (_unit_row(system.name, n) for n in numbered))
    _copy(session, _NAME, (
        (n.unit_id, k.valid.range(), k.kind, k.name, fold(k.name)) for n in numbered for k in n.unit.names
    ))  # fmt: skip
    if session.value(_sql.moved, system=system.name):
        raise Refused(
            N_("The list {system} is loaded with other units. Load this one under another name."),
            rule="unit_ids_never_change",
            system=system.name,
        )
    session.execute(_sql.save_system, system=system.name, country=system.country, first_id=base, source=system.source)
    units = session.execute(_sql.merge_units)
    gone = session.value(_sql.merge_names)
    return {"unit": units, "unit_name": gone + session.execute(_sql.add_names)}


def _unit_row(system: str, n: Numbered) -> tuple[object, ...]:
    u = n.unit
    return (
        n.unit_id, n.last_id, system, u.code, u.level, u.kind, u.name, fold(u.name), n.parent_id, u.valid.range(),
        u.lat, u.lon, u.area_km2, not u.placed,
    )  # fmt: skip


def _copy(session: Session, statement: str, rows: Iterable[Sequence[object]]) -> None:
    with session.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
