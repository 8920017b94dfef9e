"""The administrator makes an account; its owner signs in with the one-time password and has to choose another."""

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
from tests.register import NORTH, add_country

WORD, OWN = "bon-mua-hoa-trai-9", "mot-mat-khau-khac-7"


@pytest.fixture(autouse=True)
def administrator(django_database: str) -> None:  # noqa: F811
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
    by = machine("administration", "account.manage")
    access.add_account(by=by, username="quan-tri", name="Quản trị viên", password=WORD)
    access.assign_role(by=by, username="quan-tri", role="administrator")


def test_an_account_from_the_administrator_to_its_owner(page: Page, watch: Watch) -> None:
    sign_in(page, "quan-tri", WORD)
    page.goto("/access/accounts/")
    check_axe(page)
    page.get_by_role("link", name="Tài khoản mới").click()
    check_axe(page)
    page.locator("#id_username").fill("lan")
    page.locator("#id_name").fill("Trần Thị Ví Dụ")
    page.locator("#id_role").select_option("vaccinator")
    page.locator("#id_unit").fill(str(NORTH))
    page.get_by_role("button", name="Tạo tài khoản").click()
    word = page.locator("code").inner_text()
    check_axe(page)
    page.get_by_role("link", name="Đến tài khoản").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Trần Thị Ví Dụ")
    check_axe(page)
    picture(page, "account")
    page.get_by_text("Phân công vị trí").click()
    check_axe(page)
    page.set_viewport_size(PHONE)
    for address in (page.url, "/access/accounts/", "/access/accounts/new/"):
        page.goto(address)
        check_width(page)

    page.context.clear_cookies()
    sign_in(page, "lan", word)
    expect(page).to_have_url("/accounts/password/change/")
    check_axe(page)
    page.goto("/persons/")
    page.wait_for_url("**/accounts/password/change/")
    page.locator("input[name=oldpassword]").fill(word)
    page.locator("input[name=password1]").fill(OWN)
    page.locator("input[name=password2]").fill(OWN)
    page.locator("input[name=password2]").press("Enter")
    page.wait_for_url("**/account/")
    expect(page.get_by_role("main")).to_contain_text("Cán bộ tiêm chủng")


def test_an_agency_and_a_key_from_their_making_to_their_end(page: Page, watch: Watch) -> None:
    by = machine("administration", "account.manage")
    access.add_account(by=by, username="cau-noi", name="Cầu nối bệnh viện", password=None)
    access.assign_role(by=by, username="cau-noi", role="vaccinator", unit_id=NORTH)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, "quan-tri", WORD)
    page.goto("/access/accounts/")
    page.get_by_role("link", name="Cơ quan", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("Không có cơ quan nào")
    check_axe(page)
    page.get_by_role("link", name="Cơ quan mới").click()
    watch.expect(422)
    page.get_by_role("button", name="Tạo cơ quan").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check_axe(page)
    page.locator("#id_code").fill("tram-bac")
    page.locator("#id_name").fill("Trạm Y tế xã Bắc")
    page.locator("#id_kind").select_option("station")
    page.locator("#id_unit").fill(str(NORTH))
    page.get_by_role("button", name="Tạo cơ quan").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Trạm Y tế xã Bắc")
    page.get_by_text("Đổi tên, loại hoặc địa bàn").click()
    check_axe(page)
    page.locator("#id_name").fill("Trạm Y tế phường Bắc")
    page.get_by_role("button", name="Thay đổi").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Trạm Y tế phường Bắc")
    page.get_by_role("button", name="Hoàn tác lần thay đổi gần nhất").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Trạm Y tế xã Bắc")
    page.locator("#id_last_day").fill("31/12/2020")
    page.get_by_role("button", name="Cho ngừng hoạt động").click()
    expect(page.get_by_role("main")).to_contain_text("đã ngừng, ngày cuối 31/12/2020")
    check_axe(page)
    page.get_by_role("button", name="Cho hoạt động lại").click()
    expect(page.get_by_role("main")).to_contain_text("đang hoạt động")
    agency = page.url

    page.goto("/access/accounts/")
    page.get_by_role("link", name="Cầu nối bệnh viện").click()
    page.get_by_role("link", name="Tạo khóa cho hệ thống khác").click()
    making = page.url
    check_axe(page)
    page.locator("#id_name").fill("Bệnh viện huyện")
    page.locator("#id_purpose").select_option(index=1)
    page.locator("#id_expires_on").fill(f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=365):%d/%m/%Y}")
    page.get_by_role("button", name="Tạo khóa").click()
    secret = page.locator("#secret").inner_text()
    check_axe(page)
    check_width(page)
    page.get_by_role("button", name="Sao chép").click()
    expect(page.get_by_role("button", name="Đã sao chép")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("link", name="Về danh sách khóa").click()
    expect(page.get_by_role("main")).not_to_contain_text(secret)
    check_axe(page)
    page.get_by_role("link", name="Bệnh viện huyện").click()
    page.get_by_text("Thu hồi khóa").click()
    check_axe(page)
    page.get_by_role("button", name="Thu hồi", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("đã thu hồi")
    page.set_viewport_size(PHONE)
    for address in (page.url, agency, making, "/access/agencies/", "/access/agencies/new/", "/access/keys/"):
        page.goto(address)
        check_width(page)
