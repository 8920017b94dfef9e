"""From an order to the visit: a provincial desk opens a zone, the police of another commune see who came from it."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from khien.access import actions as access
from khien.core.actor import machine
from khien.core.session import begin
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.browser.conftest import PHONE, Watch
from tests.browser.steps import check_axe, check_width, picture, sign_in
from tests.browser.test_demonstration import given_a_demonstration_on
from tests.register import COUNTRY, SOUTH, add_country
from tests.zones.people import reside, resident

WORD = "bon-mua-hoa-trai-9"
TODAY = dt.date(2021, 9, 15)
pytestmark = pytest.mark.usefixtures("django_database")


def given_two_communes_and_their_desks() -> None:
    given_a_demonstration_on(TODAY.isoformat())
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        session.execute("UPDATE unit SET lat = 21.0 - (unit_id % 10), lon = 105.8 WHERE system = 'TEST'")
        for number, name in ((1, "Nguyễn Văn An"), (2, "Trần Thị Bình"), (3, "Lê Văn Cường")):
            resident(session, number, name=name, birth_date=dt.date(1950 + number, 3, 2))
        reside(session, 2, SOUTH, "stay", TODAY - dt.timedelta(3), TODAY + dt.timedelta(5), address="Nhà trọ 9")
        session.execute("UPDATE person SET present_unit = %(south)s WHERE person_id = 2", south=SOUTH)
    by = machine("administration", "account.manage")
    for username, role, unit in (("cdc", "epidemiologist", COUNTRY), ("nam", "commune-police", SOUTH)):
        access.add_account(by=by, username=username, name=username, password=WORD)
        access.assign_role(by=by, username=username, role=role, unit_id=unit)


def test_a_desk_opens_a_zone_and_the_police_visit_who_left(page: Page, watch: Watch) -> None:
    given_two_communes_and_their_desks()
    sign_in(page, "cdc", WORD)
    page.goto("/zones/new/")
    page.get_by_label("Tên vùng dịch").fill("Ổ dịch Xã Bắc")
    page.locator("textarea[name=units]").fill("T1")
    page.get_by_label("4 đỏ").check()
    page.get_by_label("Văn bản").fill("Quyết định 12/QĐ-UBND ngày 15/9/2021")
    page.get_by_label("Người ký").fill("Chủ tịch Ủy ban nhân dân tỉnh")
    check_axe(page)
    page.get_by_role("button", name="Thiết lập vùng dịch").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ổ dịch Xã Bắc")
    check_axe(page)
    picture(page, "zone")
    page.get_by_role("link", name="Đã rời đi: 1").click()
    expect(page.get_by_role("table").first).to_contain_text("Trần Thị Bình")
    page.get_by_role("button", name="Báo công an").click()
    page.get_by_role("link", name="Phiếu hộ gia đình").click()
    check_axe(page)
    picture(page, "household-sheets")
    page.goto("/zones/")
    check_axe(page)
    picture(page, "zones")
    page.set_viewport_size(PHONE)
    check_width(page)
    for address in ("/zones/grades/", "/zones/capacity/", "/zones/findings/", "/zones/1/difference/"):
        page.goto(address)
        check_axe(page)
        check_width(page)


def test_a_proposal_is_signed_by_keyboard_and_movement_is_drawn(page: Page, watch: Watch) -> None:
    given_two_communes_and_their_desks()
    sign_in(page, "cdc", WORD)
    page.goto("/zones/new/")
    page.get_by_label("Tên vùng dịch").fill("Dự kiến Xã Bắc")
    page.locator("textarea[name=units]").fill("T1")
    page.get_by_label("4 đỏ").check()
    page.get_by_label("là dự thảo, sẽ ký sau").check()
    page.get_by_label("Văn bản").fill("Tờ trình 3/TTr")
    page.get_by_label("Người ký").fill("Giám đốc CDC")
    page.get_by_role("button", name="Thiết lập vùng dịch").click()
    expect(page.locator("[aria-current=step]")).to_have_text("đề xuất")
    page.get_by_role("link", name="Ký ban hành").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ký ban hành quyết định")
    check_axe(page)
    page.get_by_role("button", name="Ký ban hành quyết định").click()
    expect(page.locator("[aria-current=step]")).to_have_text("đang có hiệu lực")

    page.goto("/zones/flows/?first=2021-09-10&last=2021-09-15&level=commune")
    expect(page.locator("khien-flow")).to_have_attribute("data-state", "ready")
    expect(page.locator("#flow-table tbody tr")).to_have_count(1)
    check_axe(page)
    page.get_by_role("link", name="11/09").click()
    expect(page.get_by_role("heading", name="Không có ai di chuyển")).to_be_visible()
    page.set_viewport_size(PHONE)
    check_width(page)


def test_the_police_of_a_commune_work_through_their_list_on_a_phone(page: Page, watch: Watch) -> None:
    from khien.zones import actions, store

    given_two_communes_and_their_desks()
    desk = machine("epidemic-control", "*")
    with begin(desk) as session:
        area = store.area_of_units(session, [SOUTH - 1])
    signed = actions.Signed("Quyết định 12", "Chủ tịch")
    zone_id, _order = actions.open_zone(by=desk, name="Ổ dịch", area=area, grade=4, signed=signed)
    actions.push(by=desk, zone_id=zone_id)
    sign_in(page, "nam", WORD)
    page.set_viewport_size(PHONE)
    page.goto("/zones/tasks/")
    expect(page.locator(".khien-lead")).to_have_text("1 người đến từ vùng dịch trong tuần: 0 đã gặp, 1 cần đến gặp.")
    check_axe(page)
    check_width(page)
    picture(page, "my-commune")
    page.get_by_role("button", name="Đã gặp").click()
    expect(page.locator(".khien-lead")).to_contain_text("1 đã gặp, 0 cần đến gặp")
    page.goto("/persons/2/needs/")
    check_axe(page)
    check_width(page)
    page.get_by_label("Chạy thận nhân tạo").check()
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.locator(".khien-cards")).to_contain_text("chạy thận nhân tạo")
    page.goto("/persons/2/household/")
    check_axe(page)
    check_width(page)
    page.goto("/persons/2/residence/")
    check_axe(page)
    check_width(page)
    picture(page, "residence-event")
