"""Maps drawn from centroids: cells tile the country, islands are there, files are small."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from khien.core.errors import NotFound, Unavailable
from khien.core.session import Session
from khien.territory import actions, boundaries, maps, store
from khien.territory.outlines import Atlas, cells, country_outline
from tests.territory.conftest import LOADER

SQUARE = shapely.box(100, 10, 110, 20)


@given(st.lists(st.tuples(st.floats(100, 110), st.floats(10, 20)), min_size=1, max_size=30))
@settings(deadline=None, max_examples=50)
def test_cells_tile_the_outline(points: list[tuple[float, float]]) -> None:
    rounded = [(round(x, 2), round(y, 2)) for x, y in points]
    shapes, apart = cells(rounded, SQUARE)
    drawn = [s for s, alone in zip(shapes, apart, strict=True) if not alone]
    assert sum(s.area for s in drawn) == pytest.approx(SQUARE.area, rel=1e-6)
    assert shapely.union_all(drawn, grid_size=1e-9).area == pytest.approx(SQUARE.area, rel=1e-6)


def test_equal_points_share_their_place() -> None:
    shapes, apart = cells([(105, 15)] * 3 + [(101, 11)], SQUARE)
    assert not any(apart)
    assert all(s.area > 1 for s in shapes)


def test_an_island_gets_a_disc() -> None:
    shapes, apart = cells([(105, 15), (114.5, 9.7)], SQUARE)
    assert apart == [False, True]
    assert shapes[1].contains(shapely.Point(114.5, 9.7))


def test_without_an_outline() -> None:
    shapes, apart = cells([(1, 1), (2, 2), (3, 1)], None)
    assert not any(apart)
    assert all(not s.is_empty for s in shapes)


@pytest.fixture(scope="module")
def land() -> shapely.Geometry:
    if not maps.WORLD.exists():
        pytest.skip("the front end is not built")
    return country_outline(maps.WORLD, "704")


def test_viet_nam(loaded: Session, land: shapely.Geometry) -> None:
    assert land.is_valid
    for root, provinces in ((1_000_000, 63), (2_000_000, 34)):
        atlas = Atlas(*store.for_map(loaded, store.system_of(loaded, root)["system"]), land)
        whole = [atlas.shape(u["unit_id"]) for u in store.children(loaded, root)]
        assert len(whole) == provinces
        assert shapely.coverage_is_valid(whole)
        assert shapely.area(whole).sum() == pytest.approx(land.area, rel=1e-9)
        for province in store.children(loaded, root)[:5]:
            parts = [atlas.shape(u["unit_id"]) for u in store.children(loaded, province["unit_id"])]
            assert shapely.area(parts).sum() == pytest.approx(atlas.shape(province["unit_id"]).area, rel=1e-9)


def test_maps_are_kept_and_have_every_unit(loaded: Session, land: shapely.Geometry, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))
    for root in (1_000_000, 2_000_000):
        text = maps.outlines(loaded, root)
        assert len(text.encode()) < 300_000
        drawn = json.loads(text)["features"]
        ids = {f["properties"]["id"] for f in drawn if not f["properties"].get("inset")}
        assert ids == {u["unit_id"] for u in store.children(loaded, root)}
        names = {f["properties"]["name"]: f["properties"] for f in drawn if f["properties"].get("inset")}
        for island, province in (("Hoàng Sa", "48"), ("Trường Sa", "56")):
            (found,) = (p for name, p in names.items() if name.endswith(island))
            assert found["code"] == province
            assert found["lon"] > 111
    folders = sorted(p.name.split("@")[0] for p in (tmp_path / "outlines").iterdir())
    assert folders == ["VN-2021", "VN-2025"]
    files = list((tmp_path / "outlines").rglob("*.geojson"))
    assert max(f.stat().st_size for f in files) < 300_000
    commune = store.find(loaded, "26740")
    (alone,) = json.loads(maps.outlines(loaded, commune["unit_id"]))["features"]
    assert alone["properties"]["name"] == commune["name"]


def test_simplified_neighbours_leave_no_gap(loaded: Session, land: shapely.Geometry) -> None:
    atlas = Atlas(*store.for_map(loaded, "VN-2025"), land)
    shapes = [
        shapely.from_geojson(json.dumps(f["geometry"])) for f in atlas.collection(2_000_000)["features"]
        if not f["properties"].get("inset")
    ]  # fmt: skip
    assert np.sum(shapely.area(shapes)) == pytest.approx(shapely.union_all(shapes, grid_size=1e-6).area, rel=1e-4)


def test_loaded_boundaries_stand_in(loaded: Session, land: shapely.Geometry, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))
    hanoi = store.find(loaded, "01")
    before = maps.outlines(loaded, 2_000_000)
    square = shapely.geometry.mapping(shapely.box(105, 20, 106, 21))
    assert actions.load_boundaries(by=LOADER, geometries={hanoi["unit_id"]: square}, source="test") == 1
    assert actions.load_boundaries(by=LOADER, geometries={hanoi["unit_id"]: square}, source="test") == 0
    after = maps.outlines(loaded, 2_000_000)
    assert after != before
    (shape,) = (f["geometry"] for f in json.loads(after)["features"] if f["properties"]["id"] == hanoi["unit_id"])
    assert shapely.from_geojson(json.dumps(shape)).equals(shapely.box(105, 20, 106, 21))


def test_what_is_not_there(loaded: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))
    with pytest.raises(NotFound):
        maps.outlines(loaded, 5)
    with pytest.raises(Unavailable):
        maps.draw(loaded, 2_000_000, tmp_path / "none.json")
    assert not (tmp_path / "outlines").exists()


@pytest.mark.shared
def test_real_outlines_of_the_provinces(loaded: Session, land: shapely.Geometry, shared: Path, tmp_path: Path) -> None:
    """Official outlines can be loaded, show both archipelagos, and the drawn cells are near them."""
    unpacked = tmp_path / "provinces.geojson"
    unpacked.write_bytes(gzip.decompress((shared / "data/vietnam/provinces_2025_34.geojson.gz").read_bytes()))
    real = boundaries.read(unpacked, store.codes(loaded, "VN-2025"), level=1)
    assert len(real) == 34
    rows, _ = store.for_map(loaded, "VN-2025")
    drawn = Atlas(rows, {}, land)
    apart = 0.0
    for unit_id, geometry in real.items():
        shape = shapely.make_valid(shapely.from_geojson(json.dumps(geometry)))
        apart += shapely.difference(drawn.shape(unit_id), shape).area
    print(f"drawn outside the official province: {apart / land.area:.1%} of the country")
    assert apart / land.area < 0.1
    east = max(shapely.from_geojson(json.dumps(g)).bounds[2] for g in real.values())
    assert east > 112
    mixed = Atlas(rows, real, land).collection(2_000_000)
    assert len(json.dumps(mixed)) < 600_000
    assert not any(f["properties"].get("inset") for f in mixed["features"])
