"""What tests of the administrators' pages ask of those whom the fixture `administrators` makes."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from khien.access.actor import actor_for, posts
from khien.core.actor import Actor, machine
from khien.core.session import begin

ADMIN = machine("administration", "account.manage")
WORD, OWN = "bon-mua-hoa-trai-9", "mot-mat-khau-khac-7"


def signed_in(username: str, word: str = WORD) -> Client:
    client = Client(SERVER_NAME="localhost")
    assert client.post(reverse("account_login"), {"login": username, "password": word}).status_code == 302
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:1500]
    return answer.content.decode()


def accounts() -> Any:
    """Django is set up when the tests run, not when they are collected."""
    from khien.access.models import Account

    return Account.objects


def number_of(username: str) -> int:
    return int(accounts().get(username=username).pk)


def boss_of_the_north() -> Actor:
    account = number_of("north-boss")
    return actor_for(account, "North", posts(account)[1])


def logged() -> list[str]:
    with begin(machine("test", "*")) as session:
        rows = session.rows("SELECT action FROM access_log WHERE action LIKE 'account.%%' ORDER BY at, lane, seq")
    return [row["action"] for row in rows]
