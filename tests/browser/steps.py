"""Steps that many journeys share."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import ROOT

_AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


def check_axe(page: Page) -> None:
    """Fail for every fault that axe finds on the page as it is now."""
    # evaluate() goes past the page's security policy, which would refuse the script itself. Only what is wrong is
    # worked out in full and sent back: the rest of the report is most of the work.
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    run = (
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
        ".then((report) => report.violations)"
    )
    faults = [
        f"{fault['id']} ({fault['impact']}): {fault['help']}\n    "
        + "\n    ".join(f"{node['html'][:160]} {node['failureSummary']}" for node in fault["nodes"][:3])
        for fault in page.evaluate(run, _RULES)
    ]
    assert not faults, "\n".join(faults)


def check_width(page: Page) -> None:
    """Fail if the page is wider than the screen: nobody should have to move it sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px wider than the screen"


def sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(username)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)


def picture(page: Page, name: str) -> None:
    """A picture for the documentation, docs/images/NAME.png; only when KHIEN_SCREENSHOTS=1 asks for it."""
    if os.environ.get("KHIEN_SCREENSHOTS") != "1":
        return
    folder = Path(os.environ.get("KHIEN_SCREENSHOT_FOLDER") or ROOT / "docs" / "images")
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
