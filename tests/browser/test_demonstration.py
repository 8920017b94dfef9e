"""A demonstration plays on a day of its own, and says so."""

from __future__ import annotations

import psycopg
from playwright.sync_api import Page, expect

from khien.core import config
from tests.browser.conftest import Watch
from tests.browser.steps import check_axe, picture


def given_a_demonstration_on(day: str) -> None:
    with psycopg.connect(config.database_dsn("khien_owner"), autocommit=True) as connection:
        connection.execute("UPDATE clock SET demo_on = %s", (day,))


def test_every_page_of_a_demonstration_shows_its_day(page: Page, watch: Watch) -> None:
    given_a_demonstration_on("2021-09-15")
    watch.expect(404)
    for address in ("/", "/nowhere"):
        page.goto(address)
        expect(page.get_by_role("region", name="Bản trình diễn")).to_contain_text("15/09/2021")
        check_axe(page)
    page.goto("/")
    picture(page, "start-demonstration")
