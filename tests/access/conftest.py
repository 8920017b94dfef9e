"""Django set up once; a database of the test's own for Django and the register alike; a keeper who may tamper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import django
import pytest

from khien.core.actor import machine
from khien.core.session import Session, begin
from tests.register import NORTH, SOUTH, add_country


@pytest.fixture(autouse=True, scope="session")
def ready() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()


@pytest.fixture
def django_database(fresh_database: str) -> Iterator[str]:
    """A migrated database of the test's own, for Django's ORM too."""
    from django.db import connections

    before = connections["default"].settings_dict["NAME"]
    _point(fresh_database)
    yield fresh_database
    _point(before)


def _point(name: str) -> None:
    from django.db import connections

    connections["default"].close()
    connections["default"].settings_dict["NAME"] = name


@pytest.fixture
def administrators(django_database: str) -> Iterator[None]:
    """A nation's administrator, one of the north, a nurse on each side, and one account that serves nowhere."""
    from khien.access import actions
    from tests.pages import ADMIN, ONE_FACTOR, PLAIN_STATIC, WORD, officer

    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
    for username, role, unit in (
        ("boss", "administrator", None),
        ("north-boss", "administrator", NORTH),
        ("north-nurse", "vaccinator", NORTH),
        ("south-nurse", "vaccinator", SOUTH),
    ):
        officer(username, role, unit)
    actions.add_account(by=ADMIN, username="idle", name="Idle", password=WORD, language="en")
    actions.add_agency(by=ADMIN, code="tram-nam", name="Trạm Nam", kind="station", unit_id=SOUTH)
    with PLAIN_STATIC, ONE_FACTOR:
        yield


class _RollBack(Exception):
    pass


@pytest.fixture
def keeper(database: str) -> Iterator[Session]:
    """The owner of the tables, who could tamper. Nothing is kept."""
    with suppress(_RollBack), begin(machine("test", "*"), role="khien_owner") as opened:
        yield opened
        raise _RollBack
