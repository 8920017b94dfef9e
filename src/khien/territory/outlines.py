"""Map outlines from centroids, where no boundaries are at hand.

Every commune gets the part of the country that is nearer to its centroid than to any other (its Voronoi cell), and
districts and provinces are what their communes make up. The country's outline is public domain (Natural Earth 1:10m in
the npm package `world-atlas`). A unit whose centroid lies off the outline (an island too small for it, Hoàng Sa and
Trường Sa among them) is a disc at its place, marked to be shown in a frame of its own.

The cells are faces of one net of lines, so that neighbours share every point and simplification leaves no gaps.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

FORM = 1  # raised when the way of drawing changes, so that older maps on disk are drawn anew
_STRETCH = math.cos(math.radians(16))  # a degree of longitude in degrees of latitude, at Viet Nam's middle
OFFSHORE = 0.06  # degrees: a centroid this far off the outline is an island of its own
_DISC = 0.05  # degrees: radius of the disc that stands for such an island
_TARGET = 9_000  # points of one map, about 200 kB

Row = Mapping[str, Any]


def country_outline(atlas: Path, country: str) -> BaseGeometry:
    """The outline of a country (ISO 3166-1 numeric) from a TopoJSON file, valid, in degrees.

    Raises KeyError where the file does not know the country.
    """
    topology = json.loads(atlas.read_text(encoding="utf-8"))
    shapes = topology["objects"]["countries"]["geometries"]
    found = next((s for s in shapes if s.get("id") == country), None)
    if found is None:
        raise KeyError(country)
    scale, shift = (np.array(topology["transform"][k]) for k in ("scale", "translate"))

    def ring(indices: Sequence[int]) -> Any:
        # A negative index is the arc's complement, walked backwards; arcs repeat the point where they meet.
        arcs = [np.cumsum(topology["arcs"][i if i >= 0 else ~i], axis=0)[:: 1 if i >= 0 else -1] for i in indices]
        return np.concatenate([arcs[0], *(a[1:] for a in arcs[1:])]) * scale + shift

    rings = found["arcs"] if found["type"] == "MultiPolygon" else [found["arcs"]]
    parts = [shapely.Polygon(ring(p[0]), [ring(h) for h in p[1:]]) for p in rings]
    # Where two parts of the coast touch, the file's rounding makes them cross.
    return shapely.union_all(shapely.make_valid(np.array(parts)))


def cells(points: Sequence[tuple[float, float]], outline: BaseGeometry | None) -> tuple[list[BaseGeometry], list[bool]]:
    """For each (lon, lat) the part of the outline nearest to it: together they are the outline, without overlap.

    Equal points are set a little apart, points just off the coast onto it. A point far off the outline gets a disc, and
    True in the second list. Without outline: the hull around all points.
    """
    given = shapely.points(np.array(points, dtype=float).reshape(-1, 2) * (_STRETCH, 1.0))
    land = _stretched(outline) if outline is not None else shapely.MultiPoint(given).convex_hull.buffer(0.05)
    shapely.prepare(land)
    near_land = shapely.dwithin(given, land, OFFSHORE)
    inside = np.flatnonzero(near_land)
    ashore = np.where(near_land, shapely.get_point(shapely.shortest_line(given, land), 1), given)
    sites = shapely.points(_spread(shapely.get_coordinates(ashore)))
    result: list[BaseGeometry] = [_unstretched(s.buffer(_DISC, quad_segs=4)) for s in sites]
    apart = [True] * len(sites)
    if len(inside) == 0:
        return result, apart
    near = shapely.STRtree(sites[inside])
    edges: BaseGeometry = shapely.LineString()
    if len(inside) > 1:
        edges = shapely.voronoi_polygons(
            shapely.MultiPoint(sites[inside]), extend_to=shapely.box(*land.bounds).buffer(1), only_edges=True
        )
    net = shapely.union_all([edges, land.boundary])
    faces = np.array(shapely.get_parts(shapely.polygonize([net])))
    within = shapely.point_on_surface(faces)
    kept = shapely.contains(land, within)
    owners = near.nearest(within[kept])
    owned: dict[int, list[BaseGeometry]] = defaultdict(list)
    for owner, face in zip(owners, faces[kept], strict=True):
        owned[int(owner)].append(face)
    for position, index in enumerate(inside):
        if position in owned:
            result[index] = _unstretched(shapely.coverage_union_all(owned[position]))
            apart[index] = False
    return result, apart


class Atlas:
    """All outlines of one system. `rows` in pre-order: unit_id, last_id, parent_id, level, code, kind, name, lat, lon.

    `loaded` are real outlines (GeoJSON by unit id); they stand in for the cells of the units that have one.
    """

    def __init__(self, rows: Sequence[Row], loaded: Mapping[int, Any], outline: BaseGeometry | None) -> None:
        self._rows = {r["unit_id"]: r for r in rows}
        self._children: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            if row["parent_id"] is not None:
                self._children[row["parent_id"]].append(row["unit_id"])
        self._loaded = {i: shapely.from_geojson(json.dumps(g)) for i, g in loaded.items()}
        placed = [r for r in rows if r["unit_id"] not in self._children and r["lat"] is not None]
        drawn, apart = cells([(r["lon"], r["lat"]) for r in placed], outline)
        self._leaves = {r["unit_id"]: cell for r, cell in zip(placed, drawn, strict=True)}
        self._islands = {r["unit_id"] for r, alone in zip(placed, apart, strict=True) if alone}

    def parents(self) -> list[int]:
        """Units that have a map: the root and all others with units below them."""
        return list(dict.fromkeys([min(self._rows), *self._children]))

    def islands(self) -> list[Row]:
        """The units that are shown in frames of their own."""
        return [self._rows[i] for i in sorted(self._islands)]

    def shape(self, unit_id: int) -> BaseGeometry:
        """The unit without its islands: its loaded outline, or the union of its communes' cells. Not simplified."""
        if unit_id in self._loaded:
            return self._loaded[unit_id]
        return shapely.coverage_union_all(self._cells(unit_id))

    def collection(self, parent_id: int) -> dict[str, Any]:
        """GeoJSON FeatureCollection of the units below a parent; of the parent itself where there are none.

        Properties: id and unit_id, code, name, kind, and inset (true for an island, whose id is that of the unit of
        this map it belongs to, but whose name is its own).
        """
        shown = self._children.get(parent_id) or [parent_id]
        main = {i: s for i in shown if not (s := self.shape(i)).is_empty}
        features = [_feature(self._rows[i], s) for i, s in zip(main, _simplified(list(main.values())), strict=True)]
        features += [f for unit_id in shown for f in self._insets(unit_id)]
        return {"type": "FeatureCollection", "features": features}

    def _insets(self, shown: int) -> list[dict[str, Any]]:
        """The islands of a unit of this map, under the name of the largest unit that has nothing but islands."""
        if shown in self._loaded:
            return []
        found: dict[int, list[BaseGeometry]] = defaultdict(list)
        for island in self._below(shown):
            if island in self._islands:
                top = island
                while top != shown and (up := self._rows[top]["parent_id"]) >= shown and not self._cells(up):
                    top = up
                found[top].append(self._leaves[island])
        row = self._rows[shown]
        return [_feature(row, shapely.union_all(discs), island=self._rows[top]) for top, discs in found.items()]

    def _below(self, unit_id: int) -> range:
        return range(unit_id, self._rows[unit_id]["last_id"] + 1)

    def _cells(self, unit_id: int) -> list[BaseGeometry]:
        return [self._leaves[i] for i in self._below(unit_id) if i in self._leaves and i not in self._islands]


def _simplified(shapes: list[BaseGeometry]) -> list[BaseGeometry]:
    """Fewer points, the borders between neighbours kept the same on both sides; small maps keep everything."""
    tolerance = 0.0
    current = shapes
    while shapes and shapely.get_num_coordinates(current).sum() > _TARGET and tolerance < 0.1:
        tolerance = tolerance * 2 or 0.0015
        if not shapely.coverage_is_valid(shapes):  # outlines loaded from elsewhere need not fit each other
            current = list(shapely.simplify(shapes, tolerance))
        else:
            current = list(shapely.coverage_simplify(shapes, tolerance))
    return current


def _feature(row: Row, shape: BaseGeometry, island: Row | None = None) -> dict[str, Any]:
    properties = {"id": row["unit_id"], "unit_id": row["unit_id"], "code": row["code"], "kind": row["kind"]}
    properties |= {"name": (island or row)["name"]}
    if island is not None:
        properties |= {"inset": True, "island_id": island["unit_id"], "lat": island["lat"], "lon": island["lon"]}
    return {"type": "Feature", "properties": properties, "geometry": _rounded(shapely.geometry.mapping(shape))}


def _rounded(geometry: Any) -> Any:
    """Coordinates to 0.0001°, about 11 m: finer than any outline drawn here."""
    if isinstance(geometry, Mapping):
        return {k: _rounded(v) if k == "coordinates" else v for k, v in geometry.items()}
    if isinstance(geometry, Iterable) and not isinstance(geometry, str):
        return [_rounded(part) for part in geometry]
    return round(geometry, 4)


def _spread(points: Any) -> Any:
    """Set equal points on a small circle around their place, a quarter of the way to the nearest other point."""
    places, inverse, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    if (counts == 1).all():
        return points
    sites = shapely.points(places)
    result = points.copy()
    tree = shapely.STRtree(sites)
    for place in np.flatnonzero(counts > 1):
        _, gaps = tree.query_nearest(sites[place], exclusive=True, return_distance=True)
        radius = min(gaps[0] / 4, 0.02) if len(gaps) else 0.02
        members = np.flatnonzero(inverse.ravel() == place)
        angles = 2 * np.pi * np.arange(len(members)) / len(members)
        result[members] = places[place] + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    return result


def _stretched(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda c: c * (_STRETCH, 1.0))


def _unstretched(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda c: c / (_STRETCH, 1.0))
