"""A newcomer opens Khiên for the first time."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PHONE, Watch
from tests.browser.steps import check_axe, check_width, picture


@pytest.fixture
def server(quiet_server: str) -> str:
    return quiet_server


def test_the_start_page_is_vietnamese_and_changes_to_english(page: Page) -> None:
    # given a browser that its maker set to English, when somebody opens the start page
    page.goto("/")
    # then it speaks Vietnamese
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bảo vệ người dân")
    expect(page.get_by_role("link", name="Đăng nhập").first).to_be_visible()
    check_axe(page)
    picture(page, "start")
    # when English is chosen
    page.get_by_role("button", name="English").click()
    # then the same page speaks English, and still does after going somewhere else
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    check_axe(page)


def test_the_keyboard_reaches_the_content_at_once(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Chuyển đến nội dung chính")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_phone_shows_the_whole_page_without_moving_sideways(context: BrowserContext, page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/")
    check_width(page)
    check_axe(page)
    picture(page, "start-phone")


@pytest.mark.parametrize("width", [320, 1280])
def test_what_is_not_there_says_so_kindly(page: Page, watch: Watch, width: int) -> None:
    watch.expect(404)
    page.set_viewport_size({"width": width, "height": 700})
    page.goto("/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("Không có nội dung nào ở đây")
    check_width(page)


def test_our_own_fault_is_told_in_both_languages_without_detail(page: Page, watch: Watch) -> None:
    watch.expect(500)
    page.goto("/try/fail")
    expect(page.get_by_role("heading", name="Hệ thống gặp lỗi")).to_be_visible()
    expect(page.get_by_role("heading", name="Something went wrong on our side")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("on purpose")
    check_axe(page)


def test_a_form_from_elsewhere_is_refused(page: Page, watch: Watch, context: BrowserContext) -> None:
    watch.expect(403)
    page.goto("/")
    context.clear_cookies()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trang đã mở quá lâu")
