"""Real outlines of units from a GeoJSON FeatureCollection (WGS 84), each feature with the unit's official code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

_BROKEN = N_("The file of boundaries has {count} faults; nothing was loaded.")


def read(
    path: Path, codes: Mapping[tuple[int, str], int], *, prop: str = "code", level: int | None = None
) -> dict[int, dict[str, Any]]:
    """GeoJSON geometries by unit id. `codes` are the ids of the system's units by (level, code).

    `prop` is the property that holds the code; without `level` the highest level that has the code is meant.
    Raises BadInput with every fault; the line of a fault is the number of the feature, from 1.
    """
    by_code: dict[str, int] = {}
    for (of, code), known in sorted(codes.items()):
        if level is None or of == level:
            by_code.setdefault(code, known)
    faults: list[Fault] = []
    found: dict[int, dict[str, Any]] = {}
    for number, feature in enumerate(_features(path), 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        code = str((properties or {}).get(prop, "")).strip()
        unit_id = by_code.get(code)
        geometry = _geometry(feature.get("geometry")) if isinstance(feature, dict) else None
        if not code:
            faults.append(Fault(prop, N_("The feature has no code."), number))
        elif unit_id is None:
            faults.append(Fault(prop, N_("No unit has the code {code}."), number, {"code": code}))
        elif unit_id in found:
            faults.append(Fault(prop, N_("The code {code} stands twice."), number, {"code": code}))
        elif geometry is None:
            faults.append(Fault("geometry", N_("This is not an area in longitude and latitude."), number))
        else:
            found[unit_id] = geometry
    if faults or not found:
        raise _bad(faults or [Fault("features", N_("There are no features."))])
    return found


def _features(path: Path) -> list[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        features = content["features"]
    except (ValueError, KeyError, TypeError) as failure:
        raise _bad([Fault("", N_("This is not a GeoJSON FeatureCollection."))]) from failure
    return features if isinstance(features, list) else []


def _geometry(given: Any) -> dict[str, Any] | None:
    """A valid Polygon or MultiPolygon within the globe, or None. Crossing rings are mended."""
    if not isinstance(given, dict) or given.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        shape = shapely.make_valid(shapely.from_geojson(json.dumps(given)))
    except (shapely.GEOSException, ValueError):
        return None
    # Mending may leave lines and points beside the areas, and areas one level deeper.
    parts = [part for piece in shapely.get_parts(shape) for part in shapely.get_parts(piece)]
    areas = shapely.MultiPolygon([p for p in parts if p.geom_type == "Polygon"])
    if areas.is_empty or not shapely.box(-180, -90, 180, 90).covers(areas):
        return None
    return dict(shapely.geometry.mapping(areas))


def _bad(faults: list[Fault]) -> BadInput:
    return BadInput(_BROKEN, faults=tuple(faults), count=len(faults))
