"""The components of the shell, each as a user meets it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Watch
from tests.browser.steps import check_axe, check_width, picture

CARD = "001190123456|012345678|Nguyễn Thị Ví Dụ|15011990|Nữ|Số 1, Trúc Bạch, Ba Đình, Hà Nội|01072021"


@pytest.fixture
def server(quiet_server: str) -> str:
    return quiet_server


def scan_by_keyboard(page: Page, text: str) -> None:
    """What a keyboard scanner does: every sign as a key at once, then Enter."""
    page.evaluate(
        """(text) => {
            const press = (key) => document.activeElement.dispatchEvent(
                new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
            for (const sign of text) press(sign);
            press("Enter");
        }""",
        text,
    )


def test_a_keyboard_scanner_reads_a_card_wherever_the_focus_is(page: Page) -> None:
    page.goto("/try/scan")
    # some readers send accents as separate signs; the product keeps composed text
    decomposed = CARD.replace("ễ", "e\u0302\u0303")
    scan_by_keyboard(page, decomposed)
    expect(page.locator("#read")).to_have_text(CARD)


def test_a_person_typing_is_not_taken_for_a_scanner(page: Page) -> None:
    page.goto("/try/scan")
    page.locator("main").focus()
    page.keyboard.type("001190123456", delay=120)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Thẻ hoặc mã")).to_have_value("")
    page.get_by_label("Thẻ hoặc mã").fill(CARD)
    page.keyboard.press("Enter")
    expect(page.locator("#read")).to_have_text(CARD)


def test_the_camera_opens_with_our_own_reader_and_closes(page: Page) -> None:
    page.goto("/try/scan")
    page.get_by_role("button", name="Dùng máy ảnh").click()
    expect(page.locator("video")).to_be_visible()
    expect(page.locator("video")).to_have_js_property("readyState", 4)
    check_axe(page)
    page.get_by_role("button", name="Tắt máy ảnh").click()
    expect(page.locator("video")).to_be_hidden()
    expect(page.get_by_role("button", name="Dùng máy ảnh")).to_be_focused()


def test_only_a_page_with_a_scanner_may_use_the_camera(page: Page) -> None:
    scan, home = page.request.get("/try/scan"), page.request.get("/")
    assert "camera=(self)" in scan.headers["permissions-policy"]
    assert "'wasm-unsafe-eval'" in scan.headers["content-security-policy"]
    assert "camera=()" in home.headers["permissions-policy"]
    assert "wasm" not in home.headers["content-security-policy"]


def test_a_wrong_form_says_what_is_wrong_and_leads_there(page: Page) -> None:
    page.goto("/try/form")
    check_axe(page)
    page.get_by_label("Ngày", exact=True).fill("31")
    page.get_by_label("Tháng", exact=True).fill("2")
    page.get_by_label("Năm", exact=True).fill("1990")
    page.get_by_role("button", name="Gửi").click()
    summary = page.locator(".nhsuk-error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Hãy nhập ngày có thật")
    check_axe(page)
    picture(page, "form-errors")
    summary.get_by_role("link", name="Ngày sinh").click()
    expect(page.get_by_label("Ngày", exact=True)).to_be_focused()
    page.set_viewport_size(PHONE)
    check_width(page)


def test_a_right_form_gives_the_day(page: Page) -> None:
    page.goto("/try/form")
    page.get_by_label("Họ và tên").fill("Nguyễn Thị Ví Dụ")
    for box, value in (("Ngày", "5"), ("Tháng", "1"), ("Năm", "1990")):
        page.get_by_label(box, exact=True).fill(value)
    page.get_by_label("Nữ").check()
    page.get_by_label("Tôi đồng ý").check()
    page.get_by_role("button", name="Gửi").click()
    expect(page.locator("body")).to_have_text("1990-01-05")


def test_a_map_and_its_table_speak_of_the_same_places(page: Page) -> None:
    page.goto("/try/figures")
    expect(page.locator("khien-map")).to_have_attribute("data-state", "ready")
    expect(page.locator("khien-map canvas")).to_be_visible()
    expect(page.locator("khien-map li")).to_have_count(6)
    expect(page.locator("khien-map li").last).to_contain_text("không có số liệu")
    check_axe(page)
    picture(page, "figures")
    # a press on an area leads to the link in its row
    box = page.locator("khien-map canvas").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75)
    expect(page.locator("#units a:focus")).to_have_count(1)
    page.set_viewport_size(PHONE)
    check_width(page)
    picture(page, "figures-phone")


def test_a_chart_without_figures_says_so(page: Page) -> None:
    page.goto("/try/figures?empty")
    expect(page.locator("khien-chart")).to_contain_text("Chưa có số liệu.")
    check_axe(page)


@pytest.mark.parametrize("tone", ["go", "look", "stop"])
def test_a_verdict_can_be_read_at_arms_length(page: Page, tone: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/try/verdict/{tone}")
    expect(page.get_by_role("alert").first).to_be_visible()
    check_width(page)
    check_axe(page)
    picture(page, f"verdict-{tone}")


def test_a_part_of_a_page_is_exchanged_and_spoken_of(page: Page, watch: Watch) -> None:
    watch.expect(422, 500)
    page.goto("/try/part")
    page.get_by_role("button", name="Gửi", exact=True).click()
    expect(page.get_by_text("Đã nhận")).to_be_focused()
    page.get_by_role("button", name="Gửi sai").click()
    expect(page.get_by_text("Chưa được")).to_be_focused()
    # no answer must not look like one
    page.get_by_role("button", name="Hỏng").click()
    expect(page.get_by_role("alert")).to_contain_text("Chưa nhận được phản hồi")
    check_axe(page)
