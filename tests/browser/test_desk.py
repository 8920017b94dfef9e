"""A station's day at the desk: plan a session, call, scan, screen, give, observe, undo."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Watch
from tests.browser.steps import check_axe, check_width, picture
from tests.browser.test_first_dose import as_role, card_of, demo, server, somebody

__all__ = ["as_role", "demo", "server"]  # fixtures of the demonstration

# Counts what a hand presses: the wedge's Enter is no press.
_COUNT = """addEventListener('pointerdown', () =>
    sessionStorage.setItem('presses', 1 + Number(sessionStorage.getItem('presses') ?? 0)), true)"""

# A scanner that poses as a keyboard: a key a character, letters with accents too, and Enter.
_WEDGE = """(text) => { for (const key of [...text, 'Enter'])
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})) }"""


def test_a_session_from_the_plan_to_the_observation(demo, as_role, watch: Watch) -> None:
    page = as_role("station-head")
    # a campaign and a session, planned
    page.goto("/campaigns/")
    check_axe(page)
    page.get_by_label("Tên chiến dịch").fill("Chiến dịch tháng 9")
    group = page.get_by_label("Chương trình và nhóm vắc xin")
    group.select_option(value="covid_19_vn_2021|COVID-19")
    page.get_by_role("button", name="Bắt đầu").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Chiến dịch tháng 9")
    check_axe(page)
    picture(page, "campaign")
    page.locator("#id_vaccine").select_option(index=1)
    page.get_by_label("Số chỗ").fill("30")
    page.get_by_role("button", name="Lập buổi tiêm").click()
    page.get_by_role("button", name="Mời người đến lượt tiêm").click()
    expect(page.get_by_role("table", name="Danh sách mời tiêm")).to_be_visible()
    check_axe(page)
    picture(page, "session")
    # the desk: a scan and two clicks
    page.get_by_role("link", name="Vào bàn tiêm").click()
    check_axe(page)
    desk = page.url
    person = somebody(demo, doses=0)
    page.evaluate(_COUNT)
    page.context.add_init_script(_COUNT)
    page.evaluate(_WEDGE, card_of(person))  # nobody puts the cursor anywhere
    expect(page.get_by_role("heading", level=1)).to_contain_text(person["name"])
    assert person["number"] not in page.url
    expect(page.locator(".khien-verdict")).to_contain_text("Đến lượt: mũi 1")
    check_axe(page)
    picture(page, "screening")
    page.get_by_role("button", name="Đúng người, đã khám sàng lọc").click()
    check_axe(page)
    picture(page, "desk-dose")
    page.get_by_role("button", name="Đã đồng ý, đã tiêm").click()
    expect(page.get_by_text("Bắt đầu theo dõi sau tiêm")).to_be_visible()
    expect(page.get_by_role("heading", name="Vừa tiêm xong")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('presses')") == "2"
    # who was vaccinated waits half an hour
    page.get_by_role("link", name="Đang theo dõi: 1").click()
    expect(page.get_by_text("còn 30 phút")).to_be_visible()
    check_axe(page)
    picture(page, "observation")
    # a wrong click is taken back, and what is refused says why
    page.goto(desk)
    page.get_by_role("button", name="Hoàn tác").click()
    expect(page.get_by_text("Đã hoàn tác mũi tiêm")).to_be_visible()
    page.goto(f"/persons/{person['person_id']}/doses/")
    expect(page.locator("#doses")).to_contain_text("Hoàn tác tại bàn tiêm")
    # screened out: no way on to the dose
    page.goto(desk)
    page.locator("input[name=card]").fill(card_of(person))
    page.locator("input[name=card]").press("Enter")
    page.get_by_label("Đang mắc bệnh cấp tính hoặc đang sốt").check()
    page.get_by_role("button", name="Đúng người, đã khám sàng lọc").click()
    expect(page.locator(".khien-verdict")).to_contain_text("Tạm hoãn")
    check_axe(page)
    picture(page, "screened-out")
    page.set_viewport_size(PHONE)
    session = desk.removesuffix("desk/")
    for address in (desk, session, f"{session}observation/", "/campaigns/", "/stock/"):
        page.goto(address)
        check_width(page)
    # the end of the session: what was wrong stays where it was typed
    page.goto(session)
    watch.expect(422)
    page.locator("#id_used").fill("-3")
    page.locator("#id_reason").fill("Rơi vỡ")
    page.get_by_role("button", name="Kết thúc buổi tiêm").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#id_used")).to_have_value("-3")
    expect(page.locator("#id_reason")).to_have_value("Rơi vỡ")
    check_axe(page)
