"""Second factors and single sign-on as people meet them: an authenticator in the browser, a provider beside."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from khien.access import actions
from khien.core.actor import machine
from tests.browser.conftest import PHONE, Watch, _free_port, _serving, _wait
from tests.browser.steps import check_axe, check_width, picture, sign_in

ADMIN = machine("administration", "account.manage")
WORD = "bon-mua-hoa-trai-9"
EMAIL = "can-bo@vi-du.test"


@pytest.fixture
def officer(fresh_database: str, ready: None) -> str:
    """An epidemiologist: a post that has no rights without a second factor."""
    from django.db import connections

    connections["default"].close()
    connections["default"].settings_dict["NAME"] = fresh_database
    actions.add_account(by=ADMIN, username="can-bo", name="Trần Thị Ví Dụ", password=WORD, email=EMAIL)
    actions.assign_role(by=ADMIN, username="can-bo", role="epidemiologist")
    connections["default"].close()
    return "can-bo"


@pytest.fixture(scope="session")
def ready() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()


@pytest.fixture
def provider() -> Iterator[str]:
    """An OpenID Connect provider of the agency, in a process of its own; its issuer."""
    person = {"sub": "77", "email": EMAIL, "email_verified": True, "name": "Trần Thị Ví Dụ"}
    port = _free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    running = subprocess.Popen([*command, "--user-claims", json.dumps(person)], stderr=subprocess.DEVNULL)
    address = f"http://localhost:{port}"
    _wait(running, f"{address}/.well-known/openid-configuration", Path(os.devnull))
    yield address
    running.terminate()
    running.wait()


@pytest.fixture
def server(officer: str, provider: str, tmp_path: Path) -> Iterator[str]:
    """Served under a name: browsers know no passkeys for an address of numbers."""
    settings = {
        "KHIEN_MFA": "required", "KHIEN_OIDC_URL": provider, "KHIEN_OIDC_NAME": "Sở Y tế",
        "KHIEN_OIDC_CLIENT": "khien", "KHIEN_OIDC_SECRET": "for-this-test",
    }  # fmt: skip
    with _serving(tmp_path / "server.log", **settings) as address:
        yield address.replace("127.0.0.1", "localhost")


def totp(secret: str, moment: float) -> str:
    """RFC 6238, written out, so that the product is not asked to check itself."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(moment) // 30), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def confirm(page: Page) -> None:
    """A change of how one signs in asks for the password once more."""
    check_axe(page)
    page.locator("input[name=password]").fill(WORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "reauthenticate" not in url)


def test_a_post_with_other_peoples_data_waits_for_the_authenticator_app(page: Page, officer: str) -> None:
    # given an account without a second factor
    sign_in(page, officer, WORD)
    page.goto("/persons/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cần xác thực hai lớp")
    check_axe(page)
    # when the authenticator app is set up
    page.get_by_role("link", name="Thiết lập ngay").click()
    check_axe(page)
    picture(page, "second-factor")
    page.locator("a[href$='/totp/activate/']").click()
    confirm(page)
    check_axe(page)
    picture(page, "totp")
    secret = page.locator("#authenticator_secret").input_value()
    page.locator("input[name=code]").fill("000000")
    page.locator("main form button").last.click()
    expect(page.locator("main")).to_contain_text("không đúng")
    page.locator("input[name=code]").fill(totp(secret, time.time()))
    page.locator("main form button").last.click()
    # then codes for the day the phone is lost are shown, and the post has its rights
    expect(page.locator("main")).to_contain_text("Mã khôi phục")
    check_axe(page)
    picture(page, "recovery")
    page.goto("/persons/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Cần xác thực hai lớp")


def test_a_passkey_signs_in_without_a_password(page: Page, context: BrowserContext, officer: str) -> None:
    # given a device with an authenticator of its own
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    sign_in(page, officer, WORD)
    page.goto("/accounts/2fa/")
    page.locator("a[href$='/webauthn/add/']").click()
    confirm(page)
    check_axe(page)
    picture(page, "passkey")
    page.locator("input[name=name]").fill("Máy trạm y tế")
    if page.locator("input[name=passwordless]").count():
        page.locator("input[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(lambda url: "/webauthn/add/" not in url)
    check_axe(page)
    # when she signs out and comes back with the passkey alone
    page.goto("/accounts/logout/")
    page.locator("main form button").click()
    page.goto("/accounts/login/")
    check_axe(page)
    page.get_by_role("button", name="Đăng nhập bằng khóa truy cập").click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    # then it was password and second factor in one
    page.goto("/persons/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Cần xác thực hai lớp")


def test_the_agencys_own_sign_in_leads_to_the_account_with_that_address(
    page: Page, provider: str, officer: str, watch: Watch
) -> None:
    # the provider is another host by nature, and the only one
    watch.also = urlsplit(provider).netloc
    page.goto("/accounts/login/")
    check_axe(page)
    picture(page, "login")
    with page.expect_request(lambda asked: asked.url.startswith(f"{provider}/oauth2/authorize")) as asked:
        page.get_by_role("link", name="Đăng nhập qua Sở Y tế").click()
    assert parse_qs(urlsplit(asked.value.url).query)["code_challenge_method"] == ["S256"]
    page.locator("input[name=sub]").fill("77")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(lambda url: provider not in url)
    expect(page.locator("header")).to_contain_text("Trần Thị Ví Dụ")


def test_somebody_the_administrator_does_not_know_stays_outside(page: Page, provider: str, watch: Watch) -> None:
    watch.also = urlsplit(provider).netloc
    page.set_viewport_size(PHONE)
    page.goto("/accounts/login/")
    check_width(page)
    page.get_by_role("link", name="Đăng nhập qua Sở Y tế").click()
    page.locator("input[name=sub]").fill("stranger@vi-du.test")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(lambda url: provider not in url)
    check_axe(page)
    picture(page, "stranger")
    page.goto("/account/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
