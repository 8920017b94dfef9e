"""A list of units from a file: another country's, or another state of this one's.

CSV, UTF-8 (a byte order mark is allowed), comma, with a header line:

code         official code, text, leading zeros kept; unique within its level and days
parent_code  code of the unit one level or more above; empty for the country alone
level        0 country, 1 province, 2 district, 3 commune, 4 hamlet, 5 below
kind         the official kind, a short word: "province", "xa"
name         the official name with its kind
lat, lon     optional, centroid in degrees WGS 84; give both or none
area_km2     optional
valid_from   optional, first day, YYYY-MM-DD; empty = always
valid_to     optional, the day after the last, YYYY-MM-DD; empty = still
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import nfc
from khien.territory.placing import place
from khien.territory.rules import Period, System, Unit

REQUIRED = ("code", "parent_code", "level", "kind", "name")
OPTIONAL = ("lat", "lon", "area_km2", "valid_from", "valid_to")
_BROKEN = N_("The list of units has {count} faults; nothing was loaded.")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    parent_code: str
    unit: Unit


def read(path: Path, *, system: str, country: str = "") -> System:
    """The system that a file holds. Raises BadInput with every fault by line and field."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as failure:
        line = path.read_bytes()[: failure.start].count(b"\n") + 1
        raise _bad([Fault("", N_("This is not UTF-8 text."), line)]) from failure
    faults: list[Fault] = []
    lines = list(_lines(text, faults))
    units = _tree(lines, faults) if not faults else []
    if faults:
        raise _bad(faults)
    points = {(u.level, u.code): ((u.lat, u.lon), True) for u in units if u.lat is not None and u.lon is not None}
    return System(system, tuple(place(units, points)), path.name, country)


def _lines(text: str, faults: list[Fault]) -> Iterable[_Line]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        missing = [c for c in REQUIRED if c not in (reader.fieldnames or ())]
        faults.extend(Fault(c, N_("This column is missing."), 1) for c in missing)
        if missing:
            return
        for row in reader:
            if None in row or None in row.values():
                faults.append(Fault("", N_("The line has another number of fields than the header."), reader.line_num))
            elif (line := _line(reader.line_num, row, faults)) is not None:
                yield line
    except csv.Error:
        faults.append(Fault("", N_("The line is not valid CSV."), reader.line_num))


def _line(number: int, row: dict[str, str], faults: list[Fault]) -> _Line | None:
    before = len(faults)
    fields = {name: nfc(row.get(name) or "") for name in REQUIRED + OPTIONAL}
    for name in ("code", "kind", "name"):
        if not fields[name]:
            faults.append(Fault(name, N_("This must not be empty."), number))
    level = fields["level"]
    if level not in {"0", "1", "2", "3", "4", "5"}:
        faults.append(Fault("level", N_("A level is a number from 0 to 5."), number))
    elif (level == "0") != (fields["parent_code"] == ""):
        faults.append(Fault("parent_code", N_("The country alone (level 0) has no parent."), number))
    lat, lon = (_number(number, name, fields[name], bound, faults) for name, bound in (("lat", 90.0), ("lon", 180.0)))
    if (lat is None) != (lon is None) and len(faults) == before:
        faults.append(Fault("lat", N_("Give both latitude and longitude, or none."), number))
    area = _number(number, "area_km2", fields["area_km2"], 2e7, faults)
    start, end = (_day(number, name, fields[name], faults) for name in ("valid_from", "valid_to"))
    if start and end and end <= start:
        faults.append(Fault("valid_to", N_("The last day is before the first."), number))
    if len(faults) > before:
        return None
    unit = Unit(fields["code"], int(level), None, fields["kind"], fields["name"], Period(start, end), lat, lon, area)
    return _Line(number, fields["parent_code"], unit)


def _tree(lines: list[_Line], faults: list[Fault]) -> list[Unit]:
    """The units with the positions of their parents, parents first."""
    lines = sorted(lines, key=lambda line: line.unit.level)
    by_code: dict[str, list[int]] = defaultdict(list)
    units: list[Unit] = []
    roots = 0
    for line in lines:
        unit = line.unit
        alike = [units[p] for p in by_code[unit.code] if units[p].level == unit.level]
        if any(_overlap(unit.valid, other.valid) for other in alike):
            faults.append(Fault("code", N_("The code stands twice in its level on the same days."), line.number))
        parent = None
        if unit.level == 0:
            roots += 1
        else:
            above = [p for p in by_code[line.parent_code] if units[p].level < unit.level]
            fitting = [p for p in above if units[p].valid.holds(unit.valid.start or dt.date.min)] or above
            if not fitting:
                faults.append(Fault("parent_code", N_("There is no such unit above this one."), line.number))
            # Where a code is used on several levels, the nearest one above is meant.
            parent = max(fitting, key=lambda p: units[p].level, default=None)
        by_code[unit.code].append(len(units))
        units.append(replace(unit, parent=parent))
    if roots != 1:
        faults.append(Fault("level", N_("There must be exactly one line of level 0, the country.")))
    return units


def _overlap(a: Period, b: Period) -> bool:
    return (a.end is None or b.start is None or b.start < a.end) and (
        b.end is None or a.start is None or a.start < b.end
    )


def _number(line: int, name: str, text: str, bound: float, faults: list[Fault]) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -bound <= value <= bound:
        faults.append(Fault(name, N_("This is not a number in range."), line))
        return None
    return value


def _day(line: int, name: str, text: str, faults: list[Fault]) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        faults.append(Fault(name, N_("A day is written YYYY-MM-DD."), line))
        return None


def _bad(faults: list[Fault]) -> BadInput:
    ordered = tuple(sorted(faults, key=lambda f: (f.line or 0, f.field)))
    return BadInput(_BROKEN, faults=ordered, count=len(ordered))
