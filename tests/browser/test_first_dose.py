"""The first thing a newcomer does: scan a card, see the person, record a dose, watch the coverage move."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PHONE, Watch, playing
from tests.browser.steps import check_axe, check_width, picture, sign_in

Demo = tuple[str, dict[str, dict[str, str]]]


@pytest.fixture(scope="module")
def demo(
    database: str, logins: dict[str, dict[str, str]], request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Demo]:  # fmt: skip
    """A demonstration of this module's own; its address and logins by role."""
    name = f"{database}_{request.module.__name__.rpartition('_')[2]}"
    with playing(database, name, tmp_path_factory.mktemp("demo") / "server.log") as address:
        yield address, {"database": {"name": name}, **logins}


@pytest.fixture
def server(demo: tuple[str, dict]) -> str:
    return demo[0]


@pytest.fixture
def as_role(demo: tuple[str, dict], page: Page):
    def enter(role: str) -> Page:
        sign_in(page, demo[1][role]["username"], demo[1][role]["password"])
        return page

    return enter


def somebody(demo: tuple[str, dict], *, doses: int, in_station: bool = True) -> dict:
    """A grown-up of the demonstration with a card, living in the first commune of the district or elsewhere."""
    from psycopg.conninfo import make_conninfo

    from khien.core import config

    dsn = make_conninfo(config.database_dsn("khien_loader"), dbname=demo[1]["database"]["name"])
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT p.person_id, p.name, i.value, to_char(p.birth_date, 'DDMMYYYY'), p.sex FROM person p"
            " JOIN identifier i ON i.person_id = p.person_id AND i.kind = 'personal_number'"
            " WHERE p.died_on IS NULL AND p.birth_date BETWEEN '1960-01-01' AND '1995-12-31'"
            " AND p.birth_precision = 'd'"
            " AND (p.home_unit = (SELECT min(unit_id) FROM site)) = %s AND (p.present_unit = p.home_unit)"
            " AND (SELECT count(*) FROM dose d WHERE d.person_id = p.person_id) = %s ORDER BY p.person_id LIMIT 1",
            (in_station, doses),
        ).fetchone()
    assert found is not None
    return dict(zip(("person_id", "name", "number", "born", "sex"), found, strict=True))


def card_of(person: dict) -> str:
    sex = "Nam" if person["sex"] == "male" else "Nữ"
    return f"{person['number']}||{person['name']}|{person['born']}|{sex}|Phường, Quận 10, Hồ Chí Minh|01072021"


def test_a_card_leads_to_a_dose_and_the_dose_to_the_coverage(demo: tuple[str, dict], as_role) -> None:
    # given the head of a station, and somebody of the commune without any dose
    page = as_role("station-head")
    person = somebody(demo, doses=0)
    page.goto("/coverage/")
    before = page.locator("tr[aria-current] td").nth(1).inner_text()
    # when the card is scanned (a reader types the code and presses Enter)
    page.goto("/scan/")
    check_axe(page)
    page.locator("input[name=card]").fill(card_of(person))
    page.locator("input[name=card]").press("Enter")
    # then the person's page opens, without a number in the address
    expect(page.get_by_role("heading", level=1)).to_have_text(person["name"])
    assert person["number"] not in page.url
    expect(page.locator("#doses")).to_contain_text("Chưa ghi nhận mũi tiêm nào")
    check_axe(page)
    picture(page, "person")
    # when a dose is recorded
    page.get_by_role("link", name="Ghi nhận mũi tiêm").click()
    check_axe(page)
    picture(page, "record")
    page.locator("#id_vaccine").select_option(index=1)
    page.get_by_role("button", name="Ghi nhận").click()
    # then it stands in the list, and the coverage of the commune has one more
    expect(page.get_by_text("Đã ghi nhận mũi tiêm.")).to_be_visible()
    expect(page.locator("#doses")).to_contain_text("Đã tiêm")
    page.goto("/coverage/")
    after = page.locator("tr[aria-current] td").nth(1).inner_text()
    assert int(after.replace(".", "")) == int(before.replace(".", "")) + 1
    expect(page.locator("khien-map")).to_have_attribute("data-state", "ready", timeout=30_000)
    check_axe(page)
    picture(page, "coverage")


def test_a_second_dose_on_the_same_day_names_the_rule(demo: tuple[str, dict], as_role, watch: Watch) -> None:
    page = as_role("station-head")
    watch.expect(422)
    person = somebody(demo, doses=0)
    page.goto(f"/persons/{person['person_id']}/doses/new")
    page.locator("#id_vaccine").select_option(index=1)
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.locator("#doses")).to_be_visible()
    page.goto(f"/persons/{person['person_id']}/doses/new")
    page.locator("#id_vaccine").select_option(index=1)
    page.get_by_role("button", name="Ghi nhận").click()
    expect(page.get_by_role("alert")).to_contain_text("Người này đã có một mũi tiêm khác trong cùng ngày")
    check_axe(page)


def test_a_correction_keeps_the_old_entry(demo: tuple[str, dict], as_role) -> None:
    page = as_role("station-head")
    person = somebody(demo, doses=2)
    page.goto(f"/persons/{person['person_id']}/doses/")
    page.get_by_role("link", name="Đính chính").first.click()
    check_axe(page)
    page.get_by_label("Người này chưa từng được tiêm mũi này").check()
    page.get_by_label("Lý do").fill("Nhập nhầm người")
    page.get_by_role("button", name="Đính chính").click()
    expect(page.locator("#doses")).to_contain_text("Đã đính chính")
    expect(page.locator("#doses")).to_contain_text("Nhập nhầm người")


def test_a_broken_card_is_told_plainly(as_role, watch: Watch) -> None:
    page = as_role("vaccinator")
    watch.expect(422)
    page.goto("/scan/")
    page.locator("input[name=card]").fill("07912345678|x|y")
    page.locator("input[name=card]").press("Enter")
    expect(page.locator("#card-error")).to_be_visible()
    check_axe(page)


def test_somebody_of_another_commune_opens_with_the_card_only(demo: tuple[str, dict], as_role, watch: Watch) -> None:
    page = as_role("vaccinator")
    watch.expect(404)
    stranger = somebody(demo, doses=1, in_station=False)
    page.goto(f"/persons/{stranger['person_id']}/")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text(stranger["name"])
    page.goto("/scan/")
    page.locator("input[name=card]").fill(card_of(stranger))
    page.locator("input[name=card]").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(stranger["name"])


def test_an_analyst_sees_figures_and_no_person(demo: tuple[str, dict], as_role, watch: Watch) -> None:
    page = as_role("national-analyst")
    watch.expect(404)
    page.goto("/coverage/")
    expect(page.locator("#coverage-table")).to_be_visible()
    person = somebody(demo, doses=1)
    page.goto(f"/persons/{person['person_id']}/")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text(person["name"])


def test_search_sorts_by_given_name_and_fits_a_phone(as_role, context: BrowserContext) -> None:
    page = as_role("station-head")
    page.set_viewport_size(PHONE)
    page.goto("/persons/")
    page.get_by_label("Họ và tên").fill("an")
    page.get_by_role("button", name="Tìm").click()
    names = page.locator("main table th a").all_inner_texts()
    assert names
    check_width(page)
    check_axe(page)
    page.goto("/coverage/")
    check_width(page)
