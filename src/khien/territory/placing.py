"""Points for units: which given centroids can be believed, and a guess where there is none.

Geocoders put some communes into a town of the same name far away, and islands onto the mainland. A point is believed
when it lies near what follows or precedes the unit, or near its siblings; else the unit is placed there, or amid its
siblings, and marked as approximate.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

from khien.territory.rules import Unit

Point = tuple[float, float]  # latitude, longitude, degrees WGS 84
Placed = tuple[Point | None, bool]  # a point, and whether it is known rather than guessed
FAR_KM = 25.0  # a unit may lie this far from a witness, plus the width of the larger unit


def distance_km(a: Point, b: Point) -> float:
    """Good to a percent over the size of a province: enough to tell a village from its namesake."""
    north = (a[0] - b[0]) * 111.2
    east = (a[1] - b[1]) * 111.3 * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(north, east)


def believable(point: Point | None, witnesses: Sequence[Point], reach_km: float, guess: Point | None) -> Placed:
    """The point and True where one of the witnesses lies within reach or there is none; else the guess and False."""
    if point is not None and (not witnesses or any(distance_km(point, w) <= reach_km for w in witnesses)):
        return point, True
    return guess, False


def middle(points: Iterable[Point]) -> Point | None:
    """The median in each direction: a few wrong points do not move it. None of nothing."""
    known = list(points)
    return (median(p[0] for p in known), median(p[1] for p in known)) if known else None


def place(units: Sequence[Unit], points: Mapping[tuple[int, str], Placed]) -> list[Unit]:
    """The units with their points (by level and code; False marks a guess).

    What has no point gets the median of its siblings' points, a parent that of its children's. Parents stand before
    their children in `units`.
    """
    own: dict[int, Point] = {}
    sure: dict[int, bool] = {}
    children: dict[int | None, list[int]] = defaultdict(list)
    for position, unit in enumerate(units):
        children[unit.parent].append(position)
        point, known = points.get((unit.level, unit.code), (None, False))
        if point is not None:
            own[position], sure[position] = point, known
    for position in reversed(range(len(units))):
        below = [own[c] for c in children[position] if c in own]
        if position not in own and (centre := middle(below)):
            own[position], sure[position] = centre, True
    for position, unit in enumerate(units):
        if position not in own:
            around = middle(own[s] for s in children[unit.parent] if s in own and sure[s])
            if around is not None or (around := own.get(unit.parent or 0)) is not None:
                own[position], sure[position] = around, False
    return [replace(u, lat=own[p][0], lon=own[p][1], placed=sure[p]) if p in own else u for p, u in enumerate(units)]
