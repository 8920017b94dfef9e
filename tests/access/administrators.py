"""What tests of the administrators' pages ask of those whom the fixture `administrators` makes."""

from __future__ import annotations

from typing import Any

from khien.access.actor import actor_for, posts
from khien.core.actor import Actor, machine
from khien.core.session import begin

OWN = "mot-mat-khau-khac-7"  # what they choose instead of a one-time password


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
