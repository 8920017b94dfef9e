"""Pages: every address is gated or declared public; signing in, taking up a post, second factor, who looked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from khien.access import actions
from khien.access.public import PUBLIC
from khien.core.actor import machine
from khien.core.session import begin
from tests.pages import ADMIN, PLAIN_STATIC, WORD, officer, signed_in
from tests.register import NORTH, SOUTH, add_country, add_person


def addresses(resolver: URLResolver, spaces: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from addresses(entry, inner)
        else:
            yield spaces, entry


def is_gated(pattern: URLPattern) -> bool:
    view: Any = pattern.callback
    if hasattr(view, "permissions"):
        return True
    # A view of the API is a closure over its path's operations, each of which asks who calls.
    cells = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
    operations = [o for cell in cells for o in getattr(cell, "operations", ())]
    return bool(operations) and all(o.auth_callbacks for o in operations)


def test_every_address_is_gated_or_declared_public() -> None:
    open_ = [
        f"{spaces} {pattern.name or pattern.pattern}"
        for spaces, pattern in addresses(get_resolver("khien.web.urls"))
        if (pattern.name or str(pattern.pattern)) not in PUBLIC and not is_gated(pattern)
    ]
    assert open_ == []


@pytest.fixture
def people(django_database: str) -> Iterator[None]:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_person(session, 1, unit=NORTH)
        add_person(session, 2, unit=SOUTH)
    for username, role in (("nurse", "vaccinator"), ("head", "station-head"), ("boss", "administrator")):
        officer(username, role, None if role == "administrator" else NORTH)
    with PLAIN_STATIC:
        yield


def test_a_stranger_is_sent_to_sign_in_and_the_sign_in_page_shows(people: None) -> None:
    answer = Client(SERVER_NAME="localhost").get("/persons/1/access/")
    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/persons/1/access/")
    page = Client(SERVER_NAME="localhost").get("/accounts/login/").content.decode()
    assert "Đăng nhập" in page
    assert 'name="password"' in page


def test_nobody_signs_up(people: None) -> None:
    Client(SERVER_NAME="localhost").post("/accounts/signup/", {"username": "new", "password1": WORD})
    from khien.access.models import Account

    assert not Account.objects.filter(username="new").exists()


def test_what_would_send_a_message_names_the_administrator_instead(people: None) -> None:
    """There is no mail server: the pages of the library would fail where they send."""
    client = Client(SERVER_NAME="localhost")
    for address in ("/accounts/password/reset/", "/accounts/email/", "/accounts/signup/"):
        answer = client.post(address, {"email": "somebody@example.vn"})
        assert answer.status_code == 200
        assert "quản trị viên" in answer.content.decode()


def test_there_is_no_other_sign_in_and_no_table_without_an_area(people: None) -> None:
    """Django's own admin would know neither the limit of attempts nor the area of an administrator."""
    with override_settings(MFA_REQUIRED=False):
        boss = signed_in("boss")
        for address in ("/admin/", "/admin/login/", "/admin/access/agency/", "/admin/mfa/authenticator/"):
            assert boss.get(address).status_code == 404


def test_the_pages_of_signing_in_are_in_vietnamese(people: None) -> None:
    with override_settings(MFA_REQUIRED=False):
        nurse = signed_in("nurse")
        nurse.cookies["django_language"] = "vi"
        assert "Xác thực hai lớp" in nurse.get("/accounts/2fa/").content.decode()
        assert "Mật khẩu hiện tại" in nurse.get("/accounts/password/change/").content.decode()


def test_a_citizen_finds_the_own_record(people: None) -> None:
    actions.add_account(by=ADMIN, username="mau", name="Mẫu", password=WORD)
    actions.assign_role(by=ADMIN, username="mau", role="citizen")
    citizen = signed_in("mau")
    assert "/my-record/" in citizen.get("/").content.decode()
    assert "công an" in citizen.get("/my-record/").content.decode().lower()
    actions.open_own_record(by=ADMIN, username="mau", person_id=2)
    assert citizen.get("/my-record/").url == "/persons/2/"
    assert [citizen.get(f"/persons/{n}/").status_code for n in (1, 2)] == [404, 200]


def test_guessing_passwords_is_slowed_down(people: None) -> None:
    client = Client(SERVER_NAME="localhost")
    for _ in range(6):
        client.post(reverse("account_login"), {"login": "nurse", "password": "wrong-password-1"})
    answer = client.post(reverse("account_login"), {"login": "nurse", "password": WORD})
    assert answer.status_code != 302
    with begin(machine("test", "*")) as session:
        attempts = session.rows("SELECT account_id, detail FROM access_log WHERE action = 'account.sign_in_failed'")
    assert len(attempts) == 5
    assert attempts[0] == {"account_id": None, "detail": {}}


def test_missing_and_forbidden_look_the_same(people: None) -> None:
    with override_settings(MFA_REQUIRED=False):
        head, nurse = signed_in("head"), signed_in("nurse")
        assert head.get("/persons/1/access/").status_code == 200
        outside, absent, forbidden, nowhere = (
            head.get("/persons/2/access/"), head.get("/persons/99/access/"),
            nurse.get("/persons/1/access/"), nurse.get("/no/such/page/"),
        )  # fmt: skip
    assert {a.status_code for a in (outside, absent, forbidden, nowhere)} == {404}
    # Same page but for the token of its forms and the address itself.
    pages = {
        re.sub(r'(csrfmiddlewaretoken" value|csrf-token" content|name="next" value)="[^"]*"', "", a.content.decode())
        for a in (outside, absent)
    }
    assert len(pages) == 1


def test_who_looked_is_itself_logged(people: None) -> None:
    with override_settings(MFA_REQUIRED=False):
        page = signed_in("head").get("/persons/1/access/").content.decode()
    assert "Who looked at this record" in page
    with begin(machine("test", "*")) as session:
        row = session.row("SELECT purpose FROM access_log WHERE action = 'access.read' AND person_id = 1")
    assert row == {"purpose": "vaccination"}


def test_a_post_that_needs_a_second_factor_gives_no_rights_without_one(people: None) -> None:
    with override_settings(MFA_REQUIRED=True):
        head = signed_in("head")
        assert head.get("/persons/1/access/").url == "/account/second-factor/"
        assert head.get("/account/second-factor/").status_code == 200
        assert head.get("/accounts/2fa/").status_code == 200
        assert head.get("/accounts/2fa/totp/activate/").status_code in (200, 302)
        assert signed_in("nurse").get("/persons/1/access/").status_code == 404


def test_an_account_takes_up_another_of_its_posts_and_no_other(people: None) -> None:
    second = actions.assign_role(by=ADMIN, username="nurse", role="auditor")
    with override_settings(MFA_REQUIRED=False):
        nurse = signed_in("nurse")
        page = nurse.get("/account/").content.decode()
        assert f'value="{second}:audit"' in page
        assert nurse.post("/account/post/", {"post": f"{second}:audit"}).status_code == 302
        assert nurse.get("/persons/2/access/").status_code == 200
        for wrong in (f"{second}:vaccination", f"{second + 1}:audit", "x", "1:audit"):
            assert nurse.post("/account/post/", {"post": wrong}).status_code == 404
        actions.disable_account(by=ADMIN, username="nurse")
        assert nurse.get("/persons/2/access/").status_code == 302
