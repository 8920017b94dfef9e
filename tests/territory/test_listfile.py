"""Lists and boundaries that users bring: whole or not at all, faults by line and field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.core.session import Session
from khien.territory import actions, boundaries, listfile, store
from tests.territory.conftest import LOADER

HEADER = "code,parent_code,level,kind,name,lat,lon,area_km2,valid_from,valid_to\n"
GOOD = HEADER + (
    "LA,,0,country,Laos,,,,,\n"
    "0101,01,2,district,Chanthabuly,17.97,102.61,29,2000-01-01,\n"
    "01,LA,1,prefecture,Vientiane,,,,,\n"
    "0102,01,2,district,Sikhottabong,17.98,102.55,140,2000-01-01,2010-01-01\n"
    "0102,01,2,district,Sikhottabong,17.98,102.55,100,2010-01-01,\n"
)


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def faults(tmp_path: Path, text: str | bytes) -> set[tuple[int | None, str]]:
    with pytest.raises(BadInput) as caught:
        listfile.read(written(tmp_path, text), system="LA")
    return {(f.line, f.field) for f in caught.value.faults}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_another_country(session: Session, tmp_path: Path, mark: bytes) -> None:
    read = listfile.read(written(tmp_path, mark + GOOD.encode()), system="LA-2020", country="418")
    assert actions.load_units(by=LOADER, systems=[read])["unit"] == 5
    assert actions.load_units(by=LOADER, systems=[read])["unit"] == 0
    capital = store.find(session, "01", system="LA-2020")
    assert [u["area_km2"] for u in store.children(session, capital["unit_id"])] == [29, 140, 100]
    assert capital["lat"] is not None


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("03,XX,1,province,P,,,,,", (7, "parent_code")),
        ("0101,01,2,district,Again,,,,,", (7, "code")),
        ("03,LA,9,province,P,,,,,", (7, "level")),
        ("03,,1,province,P,,,,,", (7, "parent_code")),
        (",LA,1,province,P,,,,,", (7, "code")),
        ("03,LA,1,province,,,,,,", (7, "name")),
        ("03,LA,1,province,P,91,10,,,", (7, "lat")),
        ("03,LA,1,province,P,nan,10,,,", (7, "lat")),
        ("03,LA,1,province,P,10,,,,", (7, "lat")),
        ("03,LA,1,province,P,,,,2021-02-30,", (7, "valid_from")),
        ("03,LA,1,province,P,,,,2021-02-03,2021-02-03", (7, "valid_to")),
        ("03,LA,1", (7, "")),
        ("TH,,0,country,Thailand,,,,,", (None, "level")),
    ],
)
def test_faults_by_line_and_field(tmp_path: Path, line: str, place: tuple[int | None, str]) -> None:
    assert faults(tmp_path, GOOD + line + "\n") == {place}


def test_not_a_list(tmp_path: Path) -> None:
    assert faults(tmp_path, "a;b\n") == {(1, c) for c in listfile.REQUIRED}
    assert faults(tmp_path, "Hà Nội\n".encode("utf-16")) == {(1, "")}
    assert faults(tmp_path, HEADER) == {(None, "level")}
    assert faults(tmp_path, "") == {(1, c) for c in listfile.REQUIRED}


@given(st.binary(max_size=200))
def test_no_input_crashes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for text in (content, HEADER.encode() + content):
        path.write_bytes(text)
        with pytest.raises(BadInput):
            listfile.read(path, system="X")


def feature(code: object, geometry: object = None) -> dict[str, object]:
    square = {"type": "Polygon", "coordinates": [[[105, 20], [106, 20], [106, 21], [105, 21], [105, 20]]]}
    return {"type": "Feature", "properties": {"code": code}, "geometry": geometry or square}


METRES = {"type": "Polygon", "coordinates": [[[5e5, 2e6], [6e5, 2e6], [6e5, 3e6], [5e5, 2e6]]]}


def read_boundaries(tmp_path: Path, content: object) -> dict[int, dict[str, object]]:
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps(content))
    return boundaries.read(path, {(1, "01"): 7, (3, "01"): 8, (1, "02"): 9})


def test_boundaries_by_code(tmp_path: Path) -> None:
    found = read_boundaries(tmp_path, {"type": "FeatureCollection", "features": [feature("01")]})
    assert list(found) == [7]
    assert found[7]["type"] == "MultiPolygon"


def test_a_crossing_outline_is_mended(tmp_path: Path) -> None:
    bow = {"type": "Polygon", "coordinates": [[[105, 20], [106, 21], [106, 20], [105, 21], [105, 20]]]}
    (shape,) = read_boundaries(tmp_path, {"features": [feature("01", bow)]}).values()
    assert len(shape["coordinates"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"features": []},
        {"features": [feature("99")]},
        {"features": [feature("")]},
        {"features": [feature("01"), feature("01")]},
        {"features": [feature("01", {"type": "Point", "coordinates": [1, 2]})]},
        {"features": [feature("01", {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]})]},
        {"features": [feature("01", METRES)]},
        {"features": [3]},
    ],
)  # fmt: skip
def test_bad_boundaries(tmp_path: Path, content: object) -> None:
    with pytest.raises(BadInput) as caught:
        read_boundaries(tmp_path, content)
    assert caught.value.faults
