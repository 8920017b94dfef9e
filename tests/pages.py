"""How tests come to pages: accounts in a post, signing in, one page as text."""

from __future__ import annotations

from django.test import Client, override_settings
from django.urls import reverse

from khien.access import actions
from khien.core.actor import machine

ADMIN = machine("administration", "account.manage")
WORD = "bon-mua-hoa-trai-9"
PLAIN_STATIC = override_settings(
    STORAGES={"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
)
ONE_FACTOR = override_settings(MFA_REQUIRED=False)


def officer(username: str, role: str, unit: int | None = None) -> None:
    """An account that serves in a role, in a unit or the nation."""
    actions.add_account(by=ADMIN, username=username, name=username.title(), password=WORD, language="en")
    actions.assign_role(by=ADMIN, username=username, role=role, unit_id=unit)


def signed_in(username: str, word: str = WORD) -> Client:
    client = Client(SERVER_NAME="localhost")
    answer = client.post(reverse("account_login"), {"login": username, "password": word})
    assert answer.status_code == 302, answer.content.decode()[:1500]
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:1500]
    return answer.content.decode()
