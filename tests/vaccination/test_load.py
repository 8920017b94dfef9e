"""`khien vaccination load`: each line on its own, those not recorded named by line, field and reason."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from khien.cli import main
from khien.core.actor import machine
from khien.core.session import begin
from tests.register import add_country, add_person, add_vaccines, set_today


@pytest.fixture
def clinic(fresh_database: str) -> None:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_vaccines(session)
        add_person(session, 1)
        set_today(session, dt.date(2021, 9, 15))


def dose(**changes: Any) -> str:
    told = {"client_id": str(uuid4()), "person_id": 1, "product": "alpha", "given_on": "2021-09-10", "lot_number": "A1",
            "site": "S1"}  # fmt: skip
    return json.dumps(told | changes)


def load(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], list[list[str]]]:
    main(["vaccination", "load", str(file), "--json"])
    done = json.loads(capsys.readouterr().out)
    listed = Path(done["rejects"]).read_text("utf-8") if done["rejects"] else ""
    return done, list(csv.reader(listed.splitlines()))[1:]


def test_lines_that_are_not_recorded_are_named(
    clinic: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "doses.jsonl"
    lines = [dose(person_id=99), dose(), "", dose(given_on="2021-09-16"), dose(product="none"), dose(person_id=98)]
    file.write_text("\n".join(lines), "utf-8")
    done, listed = load(file, capsys)
    assert (done["recorded"], done["unknown"], done["refused"]) == (1, 3, 1)
    assert [(line, field) for line, field, _, _ in listed] == [
        ("1", "person"), ("4", "dose"), ("5", "product"), ("6", "person"),
    ]  # fmt: skip
    assert listed[0][2:] == ["Không tìm thấy.", "Not found."]
    assert all(vi and vi != en for _, _, vi, en in listed)
    again, listed_again = load(file, capsys)
    assert (again["replayed"], listed_again) == (1, listed)


def test_nothing_to_refuse_leaves_no_file(clinic: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "doses.jsonl"
    file.write_text(dose(), "utf-8")
    done, listed = load(file, capsys)
    assert (done, listed) == ({"recorded": 1, "rejects": None}, [])
    assert [path.name for path in tmp_path.iterdir()] == ["doses.jsonl"]
