"""Posters of places as PDF: who gets one, that the code on it is read back, and that every name is set as it stands."""

from __future__ import annotations

import json
import re
import struct
import unicodedata
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import typst
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from khien.access import actions as access
from khien.checkpoints.movement import qr
from khien.core.errors import NotFound
from khien.core.session import Session, begin
from khien.rulebook import load
from khien.tracing.movement import places, posters
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.pages import ADMIN, WORD, signed_in
from tests.register import NORTH, SOUTH, add_country
from tests.tracing.test_checkins import shop  # noqa: F401 - fixture
from tests.tracing.test_command_line import run
from tests.tracing.town import ALL

NASTY = 'Quán "Ổ #bánh" \\ $x$ *đậm* _nghiêng_ @a <b> [c] {d} // `e` #import "x"'
CODE = "https://khien.example.vn" + "/v/" + "Ab3_" * 26


def sheet(**changed: str) -> str:
    """What the template gets, without a register behind it."""
    both = {"vi": "Quét mã khi đến", "en": "Scan when you come"}
    place = {"name": "Chợ", "where": "Phường 1, Quận 10", "label": "K-1", "code": qr.svg(CODE), **changed}
    return json.dumps(
        {"title": place["name"], "call": both, "steps": [both, both], "privacy": [both], "alt": "Mã", "printed": "In",
         "places": [place]}
    )  # fmt: skip


def read_back(page: bytes) -> list[tuple[str, float]]:
    """The codes on a picture, and how wide each is as a part of the page."""
    grey = grey_of(page)
    return [
        (found.text, (found.position.top_right.x - found.position.top_left.x) / grey.shape[1])
        for found in zxingcpp.read_barcodes(grey)
    ]


def grey_of(png: bytes) -> Any:
    """Eight bits RGBA, no interlace, as typst writes: grey values. No picture library is needed for that alone."""
    width, height, _depth, colour = struct.unpack(">IIBB", png[16:26])
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * channels)
    lines = np.zeros((height + 1, (width + 1) * channels), np.int32)
    for y, row in enumerate(rows, 1):
        _unfilter(int(row[0]), row[1:].astype(np.int32), lines[y], lines[y - 1], channels)
    return np.ascontiguousarray(lines[1:, channels::channels].astype(np.uint8))


def _unfilter(kind: int, row: Any, line: Any, above: Any, n: int) -> None:
    if kind in (0, 2):
        line[n:] = (row + (above[n:] if kind == 2 else 0)) & 255
        return
    for x in range(len(row)):
        left, up, corner = int(line[x]), int(above[x + n]), int(above[x])
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up) // 2
        else:
            p = left + up - corner
            guess = min((left, up, corner), key=lambda v: abs(p - v))
        line[x + n] = (int(row[x]) + guess) & 255


def letters_of(pdf: bytes) -> set[str]:
    """Every character that the PDF's own tables of letters name: what can be searched and copied."""
    found: set[str] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        if b"begincmap" in text:
            for code in re.findall(rb"<[0-9A-Fa-f]{4}> <([0-9A-Fa-f]+)>\n", text):
                found |= set(bytes.fromhex(code.decode()).decode("utf-16-be"))
    return found


# The sheet ------------------------------------------------------------------------------------------------------------


def test_the_code_is_read_back_from_the_printed_page_and_is_as_large_as_promised() -> None:
    ((text, width),) = read_back(posters.typeset(sheet(), "png", 60)[0])
    assert text == CODE
    assert width * 210 > 80  # mm of an A4 sheet, without the quiet zone


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=200))
def test_no_name_is_read_as_markup_or_takes_a_second_page(name: str) -> None:
    assert len(posters.typeset(sheet(name=name, where=name), "png", 10)) == 1


def test_the_longest_names_leave_the_code_as_it_is() -> None:
    for name, where in (("Ữ" * 200, "Ổ" * 300), (NASTY * 3, "Số 5, " * 60), ("W " * 100, "")):
        (page,) = posters.typeset(sheet(name=name, where=where), "png", 60)
        assert [text for text, _width in read_back(page)] == [CODE]


def test_what_looks_like_markup_stands_on_the_sheet_as_it_is() -> None:
    assert set(NASTY) - {" "} <= letters_of(posters.typeset(sheet(name=NASTY))[0])


def test_the_font_within_the_wheel_draws_every_vietnamese_letter() -> None:
    marks = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    small = [unicodedata.normalize("NFC", v + m) for v in "aăâeêioôơuưy" for m in marks] + ["đ"]
    letters = small + [letter.upper() for letter in small] + ["\ue123"]  # the last has no glyph: a box, or nothing
    page = '#set page(width: 30pt, height: 36pt, margin: 10pt)\n#set text(font: "Libertinus Serif")\n'
    shown = page + "#for one in sys.inputs.letters.codepoints() { page(one) }"
    for weight in ("regular", "semibold", "bold"):
        drawn = typst.compile(
            f'#set text(weight: "{weight}")\n{shown}'.encode(), format="png", ppi=100,
            sys_inputs={"letters": "".join(letters)}, ignore_system_fonts=True,
        )  # fmt: skip
        assert isinstance(drawn, list) and len(drawn) == len(letters) == len(set(drawn))


# From the register ----------------------------------------------------------------------------------------------------


def test_who_may_manage_places_gets_the_pdf(shop: int) -> None:  # noqa: F811
    head = signed_in("head")
    assert f"/places/{shop}/poster/guest.pdf" in head.get(f"/places/{shop}/poster/guest").content.decode()
    for role in ("guest", "keeper"):
        made = head.get(f"/places/{shop}/poster/{role}.pdf")
        assert (made.status_code, made["Content-Type"]) == (200, "application/pdf")
        assert made.content.startswith(b"%PDF-")
    assert set("Chợ Bắc") - {" "} <= letters_of(made.content)
    assert head.get(f"/places/{shop}/poster/other.pdf").status_code == 404
    assert "/places/posters.pdf" in head.get("/places/").content.decode()
    assert head.get("/places/posters.pdf?q=cho").content.startswith(b"%PDF-")
    assert head.get("/places/posters.pdf?q=nichts").status_code == 404
    places.close_place(by=ALL, place_id=shop)
    assert head.get(f"/places/{shop}/poster/guest.pdf").status_code == 404


def test_who_may_not_manage_places_gets_none(shop: int) -> None:  # noqa: F811
    access.add_account(by=ADMIN, username="guest", name="Guest", password=WORD, language="vi")
    access.assign_role(by=ADMIN, username="guest", role="citizen")
    citizen = signed_in("guest")
    paths = (f"/places/{shop}/poster/guest", f"/places/{shop}/poster/guest.pdf", "/places/posters.pdf")
    before, *now = [citizen.get(path) for path in paths]
    assert [answer.status_code for answer in now] == [before.status_code] * 2 == [404, 404]
    assert not any(b"%PDF" in answer.content for answer in now)


def test_nobody_prints_the_code_of_a_place_of_another_area(shop: int) -> None:  # noqa: F811
    elsewhere = places.add_place(by=ALL, client_id=uuid4(), name="Chợ Nam", unit_id=SOUTH, kind="market")
    head = signed_in("head")
    absent = head.get("/places/999999999/poster/keeper")
    for path in (f"/places/{elsewhere}/poster/keeper", f"/places/{elsewhere}/poster/keeper.pdf"):
        answer = head.get(path)
        assert (answer.status_code, b"Nam" in answer.content) == (absent.status_code, False) == (404, False)


def test_a_sheet_names_place_unit_day_and_retention_and_its_code_opens_the_place(session: Session) -> None:
    add_country(session)
    session.execute(
        "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid) VALUES"
        " (900000010, 900000012, 'TEST', 'P', 1, 'tinh', 'Tỉnh Thử', 'tinh thu', 900000000, '[2000-01-01,)'),"
        " (900000011, 900000012, 'TEST', 'D', 2, 'quan', 'Quận Giữa', 'quan giua', 900000010, '[2000-01-01,)'),"
        " (900000012, 900000012, 'TEST', 'C', 3, 'phuong', 'Phường Ổi', 'phuong oi', 900000011, '[2000-01-01,)')"
    )
    made = places.add_place(by=ALL, client_id=uuid4(), name=NASTY, unit_id=900_000_012, address="Số 1")
    with begin(ALL) as reading:
        found = places.place(reading, made)
        sheets = posters.sheets(reading, [found], host="https://khien.example.vn/")
        said, day = json.loads(sheets), reading.today
    (place,) = said["places"]
    assert place["name"] == NASTY
    assert place["where"] == "Số 1, Phường Ổi, Quận Giữa, Tỉnh Thử"
    assert f"{day:%d/%m/%Y}" in said["printed"]
    days = load("contacts", "limits")["retention_days"]
    assert all(f" {days} " in text for text in said["privacy"][1].values())
    ((text, _width),) = read_back(posters.typeset(sheets, "png", 60)[0])
    assert text == "https://khien.example.vn" + places.path_of(made)
    with begin(places.DOOR) as door:
        assert places.opened(door, text)[0]["place_id"] == made


def test_the_command_line_writes_one_place_several_or_a_whole_commune(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_country(session)
    made = [
        places.add_place(by=ALL, client_id=uuid4(), name=f"Chợ {n}", unit_id=SOUTH if n == 9 else NORTH)
        for n in range(1, 10)
    ]
    places.close_place(by=ALL, place_id=made[0])
    out = tmp_path / "posters.pdf"
    to = ("--host", "https://khien.example.vn", "--out", str(out))
    assert run(capsys, "place", "poster", *map(str, made[1:3]), *to)["posters"] == 2
    assert len(re.findall(rb"/Type */Page\b", out.read_bytes())) == 2
    with begin(ALL) as reading:
        north = reading.value("SELECT code FROM unit WHERE unit_id = %(u)s", u=NORTH)
    assert run(capsys, "place", "poster", "--commune", north, *to)["posters"] == 7
    assert run(capsys, "place", "poster", *to, exit_code=2)["error"] == "wrong_usage"
    assert run(capsys, "place", "poster", str(made[0]), *to, exit_code=5)["error"] == "not_found"


def test_no_place_makes_no_poster(session: Session) -> None:
    with begin(ALL) as reading, pytest.raises(NotFound):
        posters.sheets(reading, [], host="https://khien.example.vn")
