"""Django set up once; a database of the test's own for Django and the register alike; a keeper who may tamper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import django
import pytest

from khien.core.actor import machine
from khien.core.session import Session, begin


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


class _RollBack(Exception):
    pass


@pytest.fixture
def keeper(database: str) -> Iterator[Session]:
    """The owner of the tables, who could tamper. Nothing is kept."""
    with suppress(_RollBack), begin(machine("test", "*"), role="khien_owner") as opened:
        yield opened
        raise _RollBack
