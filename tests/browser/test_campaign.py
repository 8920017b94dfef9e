"""A campaign beside the desk: doses are allocated, the fridge is kept, people are found, called and noted."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Watch
from tests.browser.steps import check_axe, check_width, picture
from tests.browser.test_first_dose import as_role, demo, server, somebody

__all__ = ["as_role", "demo", "server"]  # fixtures of the demonstration


def fill_day(page: Page, label: str, day: int, month: int, year: int) -> None:
    boxes = page.get_by_role("group", name=re.compile(f"^{label}")).get_by_role("textbox")
    for n, value in enumerate((day, month, year)):
        boxes.nth(n).fill(str(value))


def choose(page: Page, label: str, part: str) -> None:
    """The option whose text holds `part`."""
    chosen = page.get_by_label(label).get_by_role("option").filter(has_text=part).get_attribute("value")
    page.get_by_label(label).select_option(value=chosen)


def test_the_province_gives_doses_to_its_communes(demo, as_role) -> None:
    page = as_role("epidemiologist")
    page.goto("/campaigns/")
    page.get_by_role("link", name="Chiến dịch tháng 09/2021").click()
    page.get_by_role("link", name="Phân bổ vắc xin").click()
    check_axe(page)
    page.locator("#id_place").select_option(index=1)
    page.get_by_label("Số liều").fill("5000")
    page.get_by_label("Vắc xin", exact=True).select_option(value="astrazeneca")
    page.get_by_role("button", name="Phân bổ").click()
    table = page.get_by_role("table").filter(has_text="Đơn vị hoặc điểm tiêm")
    expect(table).to_contain_text("5.000")
    check_axe(page)
    # whom a team visits at home, and who has had no dose yet
    page.get_by_role("link", name=re.compile("^Người đến lượt tiêm")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Người chưa tiêm")
    check_axe(page)
    picture(page, "door-to-door")
    page.get_by_role("link", name="Người cao tuổi, nằm liệt giường (đội lưu động)").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cần đến nhà tiêm")
    page.set_viewport_size(PHONE)
    check_width(page)


def test_a_fridge_that_failed_names_who_got_the_lot(demo, as_role, watch: Watch) -> None:
    page = as_role("station-head")
    # vaccine arrives
    page.goto("/stock/")
    page.get_by_role("link", name="Nhập vắc xin").click()
    check_axe(page)
    page.get_by_label("Vắc xin", exact=True).select_option(value="moderna")
    page.get_by_label("Lô vắc xin").fill("MOD-2108")
    page.get_by_label("Số liều", exact=True).fill("40")
    fill_day(page, "Hạn dùng", 1, 3, 2022)
    page.get_by_role("button", name="Ghi nhận nhập kho").click()
    expect(page.get_by_role("table", name="").first).to_contain_text("MOD-2108")
    # more than there is cannot leave, and the page says which rule
    watch.expect(422)
    page.get_by_role("link", name="Điều chuyển hoặc tiêu hủy").click()
    choose(page, "Lấy từ điểm nào, lô nào", "MOD-2108")
    page.get_by_label("Số liều", exact=True).fill("41")
    page.get_by_role("radio", name="Tiêu hủy").check()
    page.get_by_label("Lý do tiêu hủy").fill("Vỡ lọ")
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("40")
    check_axe(page)
    # too warm: blocked everywhere, and the list
    page.goto("/stock/excursion")
    check_axe(page)
    choose(page, "Điểm nào, lô nào", "MOD-2108")
    page.get_by_label("Diễn biến").fill("Tủ lạnh 14 °C cả đêm")
    page.get_by_role("button", name="Tạm dừng sử dụng lô").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("MOD-2108")
    expect(page.get_by_text("Tủ lạnh 14 °C cả đêm")).to_be_visible()
    expect(page.get_by_role("heading", name="Người đã tiêm lô này")).to_be_visible()
    check_axe(page)
    picture(page, "lot-blocked")
    page.set_viewport_size(PHONE)
    for address in (page.url, "/stock/", "/stock/receive", "/stock/move"):
        page.goto(address)
        check_width(page)


def test_a_declared_dose_counts_once_its_proof_was_seen(demo, as_role) -> None:
    page = as_role("station-head")
    person = somebody(demo, doses=0)
    page.goto(f"/persons/{person['person_id']}/doses/")
    page.get_by_role("link", name="Mũi tiêm ở nơi khác").click()
    check_axe(page)
    page.get_by_label("Vắc xin", exact=True).select_option(value="pfizer")
    fill_day(page, "Ngày tiêm", 1, 8, 2021)
    page.get_by_label("Chưa có gì: người dân tự khai").check()
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.locator("#doses")).to_contain_text("Tự khai, chưa xác minh")
    next_doses = page.get_by_role("region", name="Mũi tiêm tiếp theo")
    expect(next_doses).to_contain_text("1")  # it does not count yet
    check_axe(page)
    picture(page, "declared-dose")
    page.goto("/declared-doses/")
    check_axe(page)
    page.get_by_role("link", name=f"Xác minh {person['name']}").click()
    page.get_by_label("Giấy xác nhận, chứng nhận trong nước").check()
    page.get_by_label("Số và nơi cấp giấy tờ chứng minh").fill("Giấy 12, Trung tâm y tế")
    page.get_by_role("button", name="Xác minh").click()
    expect(page.get_by_text("Không có mũi tiêm tự khai nào chờ xác minh.")).to_be_visible()
    page.goto(f"/persons/{person['person_id']}/doses/")
    expect(page.locator("#doses")).to_contain_text("Theo giấy xác nhận, chứng nhận")
    expect(next_doses).to_contain_text("2")
    # what the rules ask for, and where invitations go
    page.get_by_role("link", name="Sức khỏe và liên hệ").click()
    page.get_by_label("Thông tin sức khỏe").select_option(label="Phản vệ sau tiêm Pfizer")
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.get_by_role("region", name="Thông tin sức khỏe")).to_contain_text("Phản vệ sau tiêm Pfizer")
    page.get_by_label("Điện thoại").fill("0912 345 678")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_label("Điện thoại")).to_have_value("0912345678")
    check_axe(page)
    page.set_viewport_size(PHONE)
    check_width(page)


def test_a_citizen_declares_a_dose(demo, as_role) -> None:
    page = as_role("citizen")
    page.goto("/my-record/")
    page.get_by_role("link", name="Khai báo mũi tiêm").click()
    page.get_by_label("Vắc xin", exact=True).select_option(value="astrazeneca")
    fill_day(page, "Ngày tiêm", 3, 8, 2021)
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.locator("#doses")).to_contain_text("Tự khai, chưa xác minh")


def test_a_hospital_s_list_goes_first_and_its_faults_are_told_by_line(demo, as_role) -> None:
    page = as_role("epidemiologist")
    page.goto("/campaigns/")
    page.get_by_role("link", name="Chiến dịch tháng 09/2021").click()
    page.get_by_role("link", name="Danh sách ưu tiên").click()
    check_axe(page)
    known = somebody(demo, doses=0)["number"]
    text = f"Số định danh\n{known}\n{known[1:]}\n"
    page.locator("#id_group_number").select_option(index=1)
    page.get_by_label("Cơ quan lập danh sách").fill("Bệnh viện")
    page.get_by_label("Tệp").set_input_files({"name": "danh-sach.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Đưa vào nhóm").click()
    expect(page.get_by_role("status")).to_contain_text("Đã đưa 1 người vào nhóm")
    expect(page.get_by_role("table").first).to_contain_text("mất số 0 ở đầu")
    check_axe(page)
    page.set_viewport_size(PHONE)
    check_width(page)


def test_an_administrator_sees_the_jobs_of_the_night_and_asks_for_one(demo, as_role) -> None:
    page = as_role("administrator")
    page.get_by_role("link", name="Công việc tự động").first.click()
    check_axe(page)
    page.get_by_role("button", name="Chạy ngay").first.click()
    expect(page.get_by_role("status")).to_contain_text("chạy ngay khi có thể")
    page.set_viewport_size(PHONE)
    check_width(page)
