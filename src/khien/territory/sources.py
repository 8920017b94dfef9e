"""Viet Nam's two systems of units and the succession between them, from the packages' data.

2021: 63 provinces, 705 districts, 10,599 communes. Since 2025-07-01: 34 provinces, 3,321 communes, no districts.
What the packages leave out or get wrong stands, with its document, in rulebook/territory/vn.toml.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from khien import rulebook
from khien.core.text import fold
from khien.territory import lineage, packages
from khien.territory.packages import LISTS_2021, LISTS_2025, Listed, March
from khien.territory.placing import FAR_KM, Placed, Point, believable, middle, place
from khien.territory.rules import Period, Succession, System, Unit, succession_kinds, with_change

VIET_NAM = "704"  # ISO 3166-1 numeric
VN_2021, VN_2025 = "VN-2021", "VN-2025"


@cache
def system_2021() -> System:
    """Raises Unavailable where a package is missing (so do the other functions)."""
    lists = {1: packages.provinces_2021(), 2: packages.districts_2021(), 3: packages.communes_2021()}
    return _system(VN_2021, LISTS_2021, lists, _points_2021())


@cache
def system_2025() -> System:
    lists = {1: packages.provinces_2025(), 3: packages.communes_2025()}
    return _system(VN_2025, LISTS_2025, lists, _points_2025())


@cache
def successions() -> tuple[Succession, ...]:
    """What followed each unit of 2021, as far as the packages tell; districts ended without a successor."""
    provinces = _successions(1, 1, packages.province_successors())
    codes = _official_codes(VN_2021)
    communes = [(codes.get(old, old), new) for old, heirs in lineage.communes_2021_to_2025().items() for new in heirs]
    islands = [(old, new) for old, heirs in lineage.island_districts().items() for new in heirs]
    return (*provinces, *_successions(2, 3, islands), *_successions(3, 3, communes))


def kind_of(name: str) -> str:
    """The kind that an official Vietnamese name begins with: "Thị xã Sơn Tây" is a "thi-xa".

    Raises ValueError for a name that begins with no known kind.
    """
    folded = fold(name)
    for kind, word in _book()["kinds"].items():
        if word and folded.startswith(fold(word) + " "):
            return str(kind)
    raise ValueError(f"no kind in the name {name!r}")


def rename(name: str, kind: str) -> str:
    """The same name with the word of another kind: ("Xã Hồng Tiến", "phuong") is "Phường Hồng Tiến"."""
    kinds = _book()["kinds"]
    return f"{kinds[kind]} {name[len(kinds[kind_of(name)]) + 1 :]}"


def known_totals(system: str) -> list[Mapping[str, Any]]:
    """Official totals (on, communes, document) of days on which the list loaded is known to differ."""
    return list(next((s.get("total", []) for s in _book()["system"] if s["name"] == system), []))


def list_day(system: str) -> dt.date | None:
    """The day whose official list a system reproduces; None for a system from elsewhere."""
    return next((s["list_of"] for s in _book()["system"] if s["name"] == system), None)


def _system(
    name: str, package: str, lists: Mapping[int, list[Listed]], points: Mapping[tuple[int, str], Placed]
) -> System:
    about = next(s for s in _book()["system"] if s["name"] == name)
    valid = Period(about["valid_from"], about.get("valid_to"))
    codes = _official_codes(name)
    units = [Unit("VN", 0, None, "quoc-gia", "Việt Nam", valid)]
    position = {"": 0}
    for level, listed in lists.items():
        position |= {entry.code: len(units) + n for n, entry in enumerate(listed)}
        units.extend(
            Unit(
                codes.get(entry.code, entry.code),
                level,
                position[entry.parent],
                entry.kind or kind_of(entry.name),
                entry.name,
                valid,
                area_km2=entry.area_km2,
            )
            for entry in listed
        )
    placed = _changed(place(units, points), name)
    return System(name, tuple(placed), packages.source(package), VIET_NAM, about["base"])


def _points_2021() -> dict[tuple[int, str], Placed]:
    """Centroids of March 2025 where they can be believed; else the point of what followed."""
    heirs = {c.code: c for c in packages.communes_2025()}
    zones = {code for code, c in heirs.items() if kind_of(c.name) == "dac-khu"}
    codes = _official_codes(VN_2021)
    points: dict[tuple[int, str], Placed] = {}
    for code, (via, how) in lineage.to_march_2025().items():
        after = [heirs[h] for h in via.successors]
        witnesses = [p for c in after if (p := _point(c))]
        # The package puts all of Trường Sa on the mainland: for islands the siblings are no witnesses.
        if not zones.intersection(via.successors) and (centre := _district_centres().get(via.district)):
            witnesses.append(centre)
        reach = FAR_KM + max((math.sqrt(c.area_km2 or 0.0) for c in after), default=0.0)
        point, sure = believable(_point(via), witnesses, reach, witnesses[0] if witnesses else None)
        points[3, codes.get(code, code)] = point, sure and how == lineage.BY_CODE
    for district, followed in lineage.island_districts().items():
        points[2, district] = _point(heirs[followed[0]]), True
    return points


def _points_2025() -> dict[tuple[int, str], Placed]:
    """The package's centroids where they lie near what the unit was made of, or the unit is an island."""
    made_of: dict[str, list[Point]] = defaultdict(list)
    for commune in packages.communes_of_march():
        if point := _point(commune):
            for code in commune.successors:
                made_of[code].append(point)
    points: dict[tuple[int, str], Placed] = {}
    for heir in packages.communes_2025():
        before = [] if kind_of(heir.name) == "dac-khu" else made_of[heir.code]
        reach = FAR_KM + math.sqrt(heir.area_km2 or 0.0)
        points[3, heir.code] = believable(_point(heir), before, reach, middle(before))
    return points


@cache
def _district_centres() -> dict[str, Point]:
    members: dict[str, list[Point]] = defaultdict(list)
    for commune in packages.communes_of_march():
        if point := _point(commune):
            members[commune.district].append(point)
    return {district: centre for district, known in members.items() if (centre := middle(known))}


def _point(listed: Listed | March) -> Point | None:
    return None if listed.lat is None or listed.lon is None else (listed.lat, listed.lon)


def _changed(units: Iterable[Unit], system: str) -> list[Unit]:
    """The units with the dated changes of name and kind that the rulebook tells."""
    changes = {(c["level"], code): c for c in _book()["change"] if c["system"] == system for code in c["codes"]}
    result = []
    for unit in units:
        change = changes.get((unit.level, unit.code))
        if change is not None:
            before, after = (
                (side.get("name") or rename(unit.name, side["kind"]), side["kind"]) if side else None
                for side in (change.get("before"), change.get("after"))
            )
            unit = with_change(unit, change["on"], before=before, after=after)
        result.append(unit)
    return result


def _successions(before: int, after: int, pairs: Iterable[tuple[str, str]]) -> list[Succession]:
    known = sorted(set(pairs))
    old = {u.code: u.name for u in system_2021().units if u.level == before}
    # Compared with the name on the first day: a later change of the new unit is not part of this step.
    new = {u.code: u.names[0].name if u.names else u.name for u in system_2025().units if u.level == after}
    same = {(o, n): fold(old[o]) == fold(new[n]) for o, n in known}
    kinds = succession_kinds(known, same)
    start = next(s["valid_from"] for s in _book()["system"] if s["name"] == VN_2025)
    origin = packages.source(LISTS_2025)
    return [Succession((before, o), (after, n), kinds[o, n], start, origin) for o, n in known]


def _official_codes(system: str) -> dict[str, str]:
    return {c["package"]: c["code"] for c in _book()["code"] if c["system"] == system}


def _book() -> Mapping[str, Any]:
    return rulebook.load("territory", "vn")
