"""The coverage page and its days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from khien.core.actor import machine
from khien.core.session import begin
from khien.coverage import snapshot
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.pages import ONE_FACTOR, PLAIN_STATIC, officer, signed_in
from tests.register import COUNTRY, NORTH, SOUTH, add_country
from tests.zones.people import reside, resident


@pytest.fixture
def desk(django_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:  # noqa: F811
    monkeypatch.setattr(snapshot, "folder", lambda: tmp_path / "coverage")
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE clock SET demo_on = '2021-09-15'")
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        resident(session, 1)
        resident(session, 2, SOUTH)
        session.execute("UPDATE residence SET valid = '[2010-01-01,2021-09-10)' WHERE person_id = 2")
        reside(session, 2, NORTH, start=dt.date(2021, 9, 10))
    snapshot.build(by=machine("coverage", "coverage.build"))
    officer("cdc", "epidemiologist", COUNTRY)
    with PLAIN_STATIC, ONE_FACTOR:
        yield signed_in("cdc")


def test_a_past_day_is_downloaded_as_it_was(desk: Client) -> None:
    def people(on: str) -> list[str]:
        answer = desk.get(f"/coverage/table.csv?unit={COUNTRY}&on={on}")
        return [line.split(",")[2] for line in answer.content.decode("utf-8-sig").splitlines()[1:]]

    assert people("2021-09-09") == ["1", "1"]
    assert people("2021-09-10") == ["2", "0"]


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ("2021-09-16", "Coverage is known up to today, 2021-09-15."),
        ("2399-12-31", "Coverage is known up to today, 2021-09-15."),
        ("9999-12-31", "Enter a real date as day, month and year"),
    ],
)
def test_a_day_to_come_is_named_beside_the_field(desk: Client, on: str, told: str) -> None:
    answer = desk.get(f"/coverage/?unit={COUNTRY}&on={on}")
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert desk.get(f"/coverage/table.csv?unit={COUNTRY}&on={on}").status_code == 404
