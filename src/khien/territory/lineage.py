"""From the communes of 2021 to those of July 2025, by way of the communes of March 2025.

Between November 2021 and March 2025 hundreds of communes vanished; the packages do not say when or into which. A
commune is followed, in this order, by its code; by its name, which a commune of March 2025 in the same district bears
or remembers as a former name; by such a name in the whole province where it is unique there and not a number. What is
left stays unresolved: the address is kept, and the commune police confirm it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache

from khien.core.text import fold
from khien.territory import packages
from khien.territory.packages import Listed, March

BY_CODE, BY_DISTRICT, BY_PROVINCE = "code", "former name, same district", "former name, same province"
_NUMBER = re.compile(r"\D0*(\d+)$")


@cache
def to_march_2025() -> dict[str, tuple[March, str]]:
    """Package code of a commune of 2021, to the commune of March 2025 that has its place and how that was found."""
    march = [m for m in packages.communes_of_march() if m.code]
    by_code = {m.code: m for m in march}
    province = {d.code: d.parent for d in packages.districts_2021()}
    near, wide = _remembered(march)
    listed = packages.communes_2021()
    names = Counter((province[c.parent], _key(c.name)) for c in listed)
    found: dict[str, tuple[March, str]] = {}
    for commune in listed:
        key, area = _key(commune.name), province[commune.parent]
        here, there = near[commune.parent, key], wide[area, key]
        if (same := by_code.get(commune.code)) is not None:
            found[commune.code] = same, BY_CODE
        elif len(here) == 1:
            found[commune.code] = here[0], BY_DISTRICT
        elif not here and len(there) == 1 and names[area, key] == 1 and not _NUMBER.search(commune.name):
            found[commune.code] = there[0], BY_PROVINCE
    return found


def island_districts() -> dict[str, tuple[str, ...]]:
    """Code of a district without communes, to the special zones that followed it."""
    return {m.district: m.successors for m in packages.communes_of_march() if m.code is None}


def communes_2021_to_2025() -> dict[str, tuple[str, ...]]:
    """Package code of each commune of 2021 that could be followed, to the codes of July 2025."""
    return {code: via.successors for code, (via, _how) in to_march_2025().items()}


def unresolved() -> list[Listed]:
    """The communes of 2021 whose successor the packages do not tell."""
    found = to_march_2025()
    return [c for c in packages.communes_2021() if c.code not in found]


def _remembered(march: list[March]) -> tuple[dict[tuple[str, str], list[March]], dict[tuple[str, str], list[March]]]:
    """Who bears or remembers a name: by (district, name) and by (province, name)."""
    near: dict[tuple[str, str], list[March]] = defaultdict(list)
    wide: dict[tuple[str, str], list[March]] = defaultdict(list)
    for commune in march:
        for key in commune.former:
            near[commune.district, key].append(commune)
            wide[commune.province, key].append(commune)
    return near, wide


def _key(name: str) -> str:
    """As the package writes names for comparison: "Phường 02" and "Phường 2" are "phuong2"."""
    folded = re.sub(r"\b0+(?=\d)", "", fold(name))
    return re.sub(r"[^a-z0-9]", "", folded)
