"""A campaign on the command line, from the order to the end of a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.table import Table

from khien.cli import _output, khien
from khien.core.session import Session
from tests.register import NORTH
from tests.vaccination.test_campaign import province

__all__ = ["province"]


@pytest.fixture
def run(province: Session):
    for person_id in range(1, 9):
        province.execute(
            "INSERT INTO identifier (value, kind, person_id, valid)"
            " VALUES (%(value)s, 'personal_number', %(person)s, '[2000-01-01,)')",
            value=f"00108000000{person_id}", person=person_id,
        )  # fmt: skip

    def call(*words: str, fails: int = 0) -> Any:
        done = CliRunner().invoke(khien, [*words, "--json"])
        assert (done.exception is None) or fails, done.output
        return json.loads(done.stdout)

    return call


def test_from_the_order_to_the_end(run, tmp_path: Path) -> None:
    opened = run(
        "campaign", "open", "Chiến dịch", "--unit", "T", "--from", "2021-09-01", "--to", "2021-12-31", "--document",
        "Quyết định 1",
    )  # fmt: skip
    campaign = str(opened["campaign"])
    assert [row["name"] for row in run("campaign", "list")] == ["Chiến dịch"]
    run("campaign", "allocate", campaign, "pfizer", "100", "--unit", "T")
    assert [row["doses"] for row in run("campaign", "allocate", campaign, "pfizer", "40", "--site", "S1")] == [100, 40]
    # who is due, and who has had no dose
    due = run("vaccination", "due", "--unit", "T1", "--on", "2021-09-15")
    assert {row["person_id"] for row in due} == {1, 2, 3, 4, 6, 7}
    sheet = tmp_path / "due.csv"
    CliRunner().invoke(khien, ["vaccination", "due", "--unit", "T1", "--csv", str(sheet)])
    assert "Số 10" in sheet.read_text(encoding="utf-8-sig")
    assert len(run("campaign", "unvaccinated", campaign, "--unit", "T2")) == 1
    # a list of an employer goes first
    numbers = tmp_path / "list.txt"
    numbers.write_text("001080000007\n999999999999\n", encoding="utf-8")
    listed = run("campaign", "prioritise", "covid_19_vn_2021", "1", str(numbers), "--source", "Công ty")
    assert (listed["done"], [fault["line"] for fault in listed["faults"]]) == (1, [2])
    session = str(
        run("session", "open", campaign, "S1", "2021-09-15", "pfizer", "--places", "1", "--lot", "P1")["session"]
    )
    assert run("session", "call", session) == {"called": 1}
    [called] = run("session", "people", session)
    assert (called["person_id"], called["priority"]) == (7, 1)
    assert run("session", "invite", session, "--through", f"file:{tmp_path}") == {"sent": 1, "failed": 0}
    assert [row["session_id"] for row in run("session", "list")] == [int(session)]
    assert run("session", "close", session) == []
    assert run("campaign", "board", campaign)[0]["unit_id"] == NORTH


def test_what_is_noted_of_a_person(run) -> None:
    person = "001080000007"
    [noted] = run("vaccination", "fact", person, "covid-19", "--since", "2021-08-01")
    assert (noted["code"], noted["holds"]) == ("covid-19", True)
    assert run("vaccination", "contact", person, "--phone", "0912 345 678") == [{"phone": "0912345678"}]
    told = run("vaccination", "schedule", person)
    assert told["forecast"][0]["recommended"] > "2021-09-15"  # an infection puts the dose off
    assert 7 not in {row["person_id"] for row in run("vaccination", "due", "--unit", "T1")}


def test_a_declared_dose_is_verified(run) -> None:
    person = "001080000007"
    declared = run(
        "vaccination", "record", person, "--product", "pfizer", "--on", "2021-08-01", "--evidence", "declared"
    )
    assert [row["dose_id"] for row in run("vaccination", "declared")] == [declared["dose_id"]]
    proved = run(
        "vaccination", "verify", person, str(declared["dose_id"]), "--evidence", "paper", "--reason", "Giấy xác nhận"
    )
    assert proved["result"] == "recorded"
    assert run("vaccination", "declared") == []


def test_columns_are_titled_for_people(run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = run("campaign", "open", "Chiến dịch", "--unit", "T", "--from", "2021-09-01", "--to", "2021-12-31",
                 "--document", "Quyết định 1")  # fmt: skip
    campaign, person = str(opened["campaign"]), "001080000007"
    run("campaign", "allocate", campaign, "pfizer", "100", "--unit", "T")
    session = str(run("session", "open", campaign, "S1", "2021-09-15", "pfizer", "--places", "20")["session"])
    run("session", "call", session)
    run("vaccination", "record", person, "--product", "pfizer", "--on", "2021-08-01", "--evidence", "declared")
    run("vaccination", "fact", person, "covid-19", "--since", "2021-08-01")
    run("vaccination", "contact", person, "--phone", "0912345678", "--email", "a@example.vn")
    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    known = {_output.translate(title, "vi") for title in _output.TITLES.values()} | {"Chiến dịch", "Xã, phường"}
    shown: list[str] = []

    def titled(*titles: str) -> Table:
        shown.extend(_output.translate(title, "vi") for title in titles)
        return Table(*titles)

    monkeypatch.setattr(_output, "titled", titled)
    for words in (
        ("campaign", "list"), ("campaign", "board", campaign), ("campaign", "allocations", campaign),
        ("campaign", "unvaccinated", campaign, "--unit", "T1"), ("session", "list"), ("session", "people", session),
        ("vaccination", "fact", person), ("vaccination", "contact", person), ("vaccination", "declared"),
        ("vaccination", "schedule", person),
    ):  # fmt: skip
        before = len(shown)
        done = CliRunner().invoke(khien, [*words])
        assert done.exception is None, done.output
        assert len(shown) > before, words
    assert set(shown) <= known
