"""From a declaration on a phone to the passage at the barrier and the police of the commune."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, ROOT, Watch, playing
from tests.browser.steps import check_axe, check_width, picture, sign_in


@pytest.fixture(scope="module")
def demo(
    database: str, logins: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict]]:
    """A demonstration of this module's own; its address and logins by role."""
    name = f"{database}_barrier"
    with playing(database, name, tmp_path_factory.mktemp("barrier") / "server.log") as address:
        yield address, {"database": name, **logins}


@pytest.fixture
def server(demo: tuple[str, dict]) -> str:
    return demo[0]


def traveller(demo: tuple[str, dict], place: int = 0) -> dict[str, str]:
    """A grown-up of the demonstration who lives outside the officer's commune and outside any zone in force."""
    from psycopg.conninfo import make_conninfo

    from khien.core import config

    dsn = make_conninfo(config.database_dsn("khien_loader"), dbname=demo[1]["database"])
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT p.name, i.value, p.birth_date, p.sex, concat_ws(', ', u.name, d.name) FROM person p"
            " JOIN unit u ON u.unit_id = p.home_unit JOIN unit d ON d.unit_id = u.parent_id"
            " JOIN identifier i ON i.person_id = p.person_id AND i.kind = 'personal_number'"
            " WHERE p.died_on IS NULL AND p.birth_precision = 'd'"
            " AND p.birth_date BETWEEN '1960-01-01' AND '1995-12-31'"
            " AND p.sex IN ('male', 'female') AND p.present_unit = p.home_unit"
            " AND p.home_unit <> (SELECT min(unit_id) FROM site)"
            " AND NOT EXISTS (SELECT FROM zone_order z WHERE p.home_unit <@ z.area AND z.state = 'in_force')"
            " AND NOT EXISTS (SELECT FROM isolation_order o WHERE o.person_id = p.person_id)"
            " ORDER BY p.person_id OFFSET %s LIMIT 1",
            (place,),
        ).fetchone()
    assert found is not None
    return dict(zip(("name", "number", "born", "sex", "commune"), found, strict=True))


def card_of(person: dict) -> str:
    sex = "Nam" if person["sex"] == "male" else "Nữ"
    born: dt.date = person["born"]
    return f"{person['number']}||{person['name']}|{born:%d%m%Y}|{sex}|Số 1, {person['commune']}|01072021"


def forge(route: Route) -> None:
    """One byte of the header is another."""
    answer = route.fetch()
    body = bytearray(answer.body())
    at = body.index(b'"entries": ') + 11
    body[at] = ord("9") if body[at] != ord("9") else ord("8")
    route.fulfill(response=answer, body=bytes(body))


def fill_declaration(page: Page, person: dict) -> None:
    page.get_by_text("Quét thẻ căn cước").click()
    page.locator("input[name=card]").fill(card_of(person))
    page.locator("input[name=card]").press("Enter")
    expect(page.locator("input[name=name]")).to_have_value(person["name"])
    page.locator("input[name=q_from]").fill(person["commune"])
    page.locator("input[name=q_to]").fill("Phường 15, Quận 10, TP Hồ Chí Minh")
    page.locator("input[name=q_phone]").fill("0900 000 000")
    page.locator("input[name=q_plate]").fill("51A-123.45")
    for question in ("symptoms", "exposed", "been_in_zone"):
        page.locator(f"input[name=q_{question}][value=no]").check()


def scan(page: Page, text: str) -> None:
    page.locator('[data-barrier="scan"] input[name=card]').fill(text)
    page.locator('[data-barrier="scan"] input[name=card]').press("Enter")


def read_pass(page: Page) -> str:
    import base64

    import numpy as np
    import zxingcpp

    source = page.locator(".khien-pass__code").first.get_attribute("src") or ""
    raw = base64.b64decode(source.partition(",")[2])
    # A grey PNG of eight bits without filters, as we write it.
    import struct
    import zlib

    width, height = struct.unpack(">II", raw[16:24])
    size = struct.unpack(">I", raw[33:37])[0]
    rows = np.frombuffer(zlib.decompress(raw[41 : 41 + size]), dtype=np.uint8).reshape(height, width + 1)[:, 1:]
    found = zxingcpp.read_barcodes(np.ascontiguousarray(rows))
    return found[0].text


def test_a_declaration_on_a_phone_becomes_a_pass_and_then_a_passage(demo, page: Page, watch: Watch) -> None:
    person = traveller(demo)
    page.set_viewport_size(PHONE)
    page.goto("/declare/")
    check_axe(page)
    check_width(page)
    picture(page, "declare-phone")
    fill_declaration(page, person)
    page.get_by_role("button", name="Khai báo và nhận mã").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Đã nhận tờ khai")
    check_axe(page)
    check_width(page)
    picture(page, "pass-phone")
    text = read_pass(page)
    assert text.startswith("KP1:")
    # when the officer scans it
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, demo[1]["checkpoint-officer"]["username"], demo[1]["checkpoint-officer"]["password"])
    page.goto("/checkpoint/")
    check_axe(page)
    check_width(page)
    scan(page, text)
    # then the answer is big, and one key records
    expect(page.locator(".khien-verdict--go")).to_be_visible()
    expect(page.locator(".khien-verdict__word")).to_have_text("Được qua")
    check_axe(page)
    check_width(page)
    picture(page, "barrier-go-phone")
    page.keyboard.press("F2")
    expect(page.locator("#answer")).to_contain_text("Đã ghi nhận: vào")
    expect(page.locator("#counts")).to_contain_text("1")
    page.goto("/checkpoint/shift")
    expect(page.locator("#passages")).to_contain_text(person["name"])
    expect(page.locator("#passages")).to_contain_text("51A12345")
    check_axe(page)
    check_width(page)
    picture(page, "shift-phone")


def test_a_family_is_declared_one_after_the_other_with_one_journey(demo, page: Page) -> None:
    page.goto("/declare/")
    fill_declaration(page, traveller(demo, 1))
    page.get_by_role("button", name="Khai báo và nhận mã").click()
    page.get_by_role("button", name="Khai cho người khác").click()
    expect(page.locator("input[name=q_plate]")).to_have_value("51A-123.45")
    fill_declaration(page, traveller(demo, 2))
    page.get_by_role("button", name="Khai báo và nhận mã").click()
    expect(page.locator(".khien-pass")).to_have_count(2)
    picture(page, "passes-family")


def test_a_stranger_learns_nothing_about_a_number(demo, page: Page) -> None:
    known = traveller(demo, 3)
    answers = []
    for person in (known, {**known, "number": "079090999999"}, {**known, "name": "Người Không Có"}):
        page.goto("/declare/")
        fill_declaration(page, person)
        page.get_by_role("button", name="Khai báo và nhận mã").click()
        expect(page.locator(".khien-pass")).to_have_count(1)
        text = page.locator("main").inner_text()
        # The minute may turn between two declarations.
        answers.append(re.sub(r"\d\d:\d\d", "00:00", text.replace(person["name"], "X")))
    assert answers[0] == answers[1] == answers[2]


def test_without_a_pass_the_officer_looks_closer_and_a_wrong_name_does_not_match(
    demo, page: Page, watch: Watch
) -> None:
    watch.expect(422)
    sign_in(page, demo[1]["checkpoint-officer"]["username"], demo[1]["checkpoint-officer"]["password"])
    page.goto("/checkpoint/")
    person = traveller(demo, 4)
    scan(page, card_of(person))
    expect(page.locator(".khien-verdict--look")).to_contain_text("Chưa khai báo")
    check_axe(page)
    picture(page, "barrier-look")
    scan(page, card_of({**person, "name": "Trần Không Phải"}))
    expect(page.locator(".khien-verdict--look")).to_contain_text("tên khác")
    scan(page, "KP1:" + "A" * 120)
    expect(page.get_by_role("alert")).to_contain_text("Không đọc được")  # the answer before it is an alert too
    page.keyboard.press("Escape")
    expect(page.locator("#answer")).to_be_empty()
    expect(page.locator('[data-barrier="scan"] input[name=card]')).to_be_focused()


def test_the_police_tick_off_who_arrived_and_the_nation_sees_figures(demo, page: Page) -> None:
    page.goto("/declare/")
    fill_declaration(page, traveller(demo, 5))
    page.get_by_role("button", name="Khai báo và nhận mã").click()
    expect(page.locator(".khien-pass")).to_have_count(1)
    sign_in(page, demo[1]["commune-police"]["username"], demo[1]["commune-police"]["password"])
    page.goto("/movements/")
    check_axe(page)
    before = page.locator("main tbody tr").count()
    assert before
    picture(page, "notices")
    page.get_by_role("button", name="Đã gặp").first.click()
    expect(page.locator("main tbody tr")).to_have_count(before - 1)
    page.get_by_role("link", name="Đã gặp").click()
    check_axe(page)
    page.get_by_role("button", name="Mở lại").first.click()
    page.get_by_role("link", name="Việc cần làm").click()
    expect(page.locator("main tbody tr")).to_have_count(before)
    page.set_viewport_size(PHONE)
    check_width(page)


def test_an_analyst_sees_every_checkpoint_and_nobodys_name(demo, page: Page) -> None:
    sign_in(page, demo[1]["national-analyst"]["username"], demo[1]["national-analyst"]["password"])
    page.goto("/checkpoints/")
    expect(page.get_by_text("Im lặng").first).to_be_visible()
    check_axe(page)
    picture(page, "checkpoints")
    page.set_viewport_size(PHONE)
    check_width(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("code,name,commune,hour,in,out")


def test_without_network_the_kit_answers_and_passages_wait_until_it_is_back(demo, page: Page) -> None:
    environment = {**os.environ, "KHIEN_DATABASE_NAME": demo[1]["database"]}
    subprocess.run([sys.executable, "-m", "khien", "checkpoint", "kit"], cwd=ROOT, env=environment, check=True)
    declared, undeclared = traveller(demo, 6), traveller(demo, 7)
    page.goto("/declare/")
    fill_declaration(page, declared)
    page.get_by_role("button", name="Khai báo và nhận mã").click()
    text = read_pass(page)
    sign_in(page, demo[1]["checkpoint-officer"]["username"], demo[1]["checkpoint-officer"]["password"])
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/checkpoint/offline")
    expect(page.locator("khien-offline[data-state=ready]")).to_be_attached()
    told, fetch = page.locator("[data-offline=kit]"), page.get_by_role("button", name="Tải gói dữ liệu")
    # A cable that is cut in the middle, a stranger's kit, and then the real one.
    parts = re.compile("/checkpoint/kit")
    page.route(parts, lambda route: route.fallback() if "bytes=0-" in route.request.headers["range"] else route.abort())
    fetch.click()
    expect(told).to_contain_text("Mất kết nối")
    page.unroute(parts)
    page.route(parts, forge)
    fetch.click()
    expect(told).to_contain_text("không có chữ ký của hệ thống")
    page.unroute(parts)
    fetch.click()
    expect(told).to_contain_text("dùng được đến")
    expect(told).not_to_contain_text("chưa được xác thực")
    check_axe(page)
    check_width(page)
    # the worker keeps the page and its parts in its own time
    page.wait_for_function("caches.match('/checkpoint/offline', {ignoreVary: true}).then((kept) => !!kept)")
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("khien-offline[data-state=ready]")).to_be_attached()
    field, answer = page.locator("form[data-offline=scan] input[name=card]"), page.locator("[data-offline=answer]")
    for scanned, word in ((text, "Được qua"), (card_of(undeclared), "có trong cơ sở dữ liệu dân cư")):
        field.fill(scanned)
        field.press("Enter")
        expect(answer).to_contain_text(word)
        page.keyboard.press("F2")
        expect(answer).to_be_empty()
    field.fill(card_of({**undeclared, "name": "Người Khác"}))
    field.press("Enter")
    expect(answer).to_contain_text("không có số, họ tên và ngày sinh này đi cùng nhau")
    expect(page.locator("[data-offline=count]")).to_have_text("2")
    picture(page, "offline-phone")
    page.context.set_offline(False)
    expect(page.locator("[data-offline=count]")).to_have_text("0")
    page.goto("/checkpoint/shift")
    expect(page.locator("#passages")).to_contain_text(declared["name"])
    expect(page.locator("#passages")).to_contain_text(undeclared["name"])
