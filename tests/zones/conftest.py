"""Two communes with a provincial desk and a commune's police who have accounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from khien.core.actor import machine
from khien.core.session import begin
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.pages import ONE_FACTOR, PLAIN_STATIC, officer
from tests.register import COUNTRY, SOUTH, add_country
from tests.zones.people import reside, resident

TODAY = dt.date(2021, 9, 15)
ORDER = {
    "name": "Vùng Bắc", "units": "T1", "grade": "4", "regime": "directive-16", "document": "QĐ 1",
    "signed_by": "Chủ tịch", "state": "in_force", "from_day_0": "15", "from_day_1": "9", "from_day_2": "2021",
}  # fmt: skip


@pytest.fixture
def desks(django_database: str) -> Iterator[None]:  # noqa: F811
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE clock SET demo_on = %(day)s", day=TODAY)
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        for number in (1, 2, 3):
            resident(session, number, name=f"Nguyễn Văn Số {'ABC'[number - 1]}")
        reside(session, 2, SOUTH, "stay", TODAY - dt.timedelta(3), TODAY + dt.timedelta(5))
        session.execute("UPDATE person SET present_unit = %(s)s WHERE person_id = 2", s=SOUTH)
    officer("cdc", "epidemiologist", COUNTRY)
    officer("nam", "commune-police", SOUTH)
    with PLAIN_STATIC, ONE_FACTOR:
        yield
