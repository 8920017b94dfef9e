"""From a report to its contacts: a provincial desk reports and traces, a commune's police follow the contacts."""

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
from tests.register import COUNTRY, NORTH
from tests.tracing.brute import Visit
from tests.tracing.town import add_home, add_people, add_places, add_visits, at, report

WORD = "bon-mua-hoa-trai-9"
TODAY = dt.date(2021, 8, 20)
pytestmark = pytest.mark.usefixtures("django_database")


def given_people_who_met() -> None:
    given_a_demonstration_on(TODAY.isoformat())
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_people(session, 8)
        add_home(session, 1, 1, 2)
        places = add_places(session, cho="market", xuong="work")
        met = [Visit(p, "cho", at(15, 8), at(15, 9)) for p in (1, 3, 4)]
        met += [Visit(p, "xuong", at(17, 8), at(17, 16)) for p in (3, 5, 6)]
        add_visits(session, places, met)
        report(3, dt.date(2021, 8, 18))
        report(5, dt.date(2021, 8, 20))
    by = machine("administration", "account.manage")
    for username, role, unit in (("cdc", "epidemiologist", COUNTRY), ("bac", "commune-police", NORTH)):
        access.add_account(by=by, username=username, name=username, password=WORD)
        access.assign_role(by=by, username=username, role=role, unit_id=unit)


def test_a_report_becomes_a_list_of_contacts_and_the_work_of_a_commune(page: Page, watch: Watch) -> None:
    given_people_who_met()
    sign_in(page, "cdc", WORD)
    page.goto("/persons/1/case/new")
    check_axe(page)
    page.get_by_role("button", name="Báo cáo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nguyễn Thị Ví Dụ")
    page.get_by_role("button", name="Truy vết người tiếp xúc ngay").click()
    expect(page.get_by_role("table").first).to_contain_text("cùng hộ gia đình")
    check_axe(page)
    picture(page, "case")
    page.goto("/tracing/chains/")
    expect(page.locator("khien-graph[data-state=ready] canvas")).to_be_visible()
    check_axe(page)
    picture(page, "chains")
    for address in ("/tracing/", "/tracing/contacts/", "/tracing/chains/"):
        page.goto(address)
        check_axe(page)
        page.set_viewport_size(PHONE)
        check_width(page)


def test_the_police_of_a_commune_note_their_calls(page: Page, watch: Watch) -> None:
    given_people_who_met()
    from khien.tracing import actions

    with begin(machine("test", "*")):
        actions.trace(by=machine("epidemic-control", "trace.run"), persons=[3])
    sign_in(page, "bac", WORD)
    page.goto("/tracing/contacts/")
    check_axe(page)
    picture(page, "contacts")
    page.get_by_role("button", name="Đã gọi điện").first.click()
    expect(page.get_by_role("table")).to_contain_text("Đã gọi, cần đến thăm")
