"""Tracing on the command line: what programs get as JSON, and which exit code a mistake has."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from khien import cli
from khien.core.session import Session
from tests.register import set_today
from tests.tracing.brute import Visit
from tests.tracing.town import add_home, add_people, add_places, add_visits, at, number, report


@pytest.fixture
def town(session: Session) -> Session:
    add_people(session, 5)
    add_home(session, 1, 1, 2)
    set_today(session, dt.date(2021, 8, 20))
    add_visits(session, add_places(session, cho="market"), [Visit(p, "cho", at(14, 8), at(14, 9)) for p in (1, 3)])
    report(1, dt.date(2021, 8, 15))
    return session


def run(capsys: pytest.CaptureFixture[str], *words: str, exit_code: int = 0) -> Any:
    code: Any = 0
    try:
        cli.main([*words, "--json"])
    except SystemExit as end:
        code = end.code or 0
    told = capsys.readouterr()
    assert code == exit_code, told.err
    return json.loads(told.out if not exit_code else told.err)


def test_one_case_to_depth_two_as_known_at_a_time(town: Session, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "trace", number(1), "--days", "14", "--depth", "2", "--on", "2021-08-17T12:00")
    assert set(found) == {"person_id", "case_id", "window", "contacts", "cuts"}
    assert found["window"]["from"].startswith("2021-08-03T12:00")
    assert [(c["person_id"], c["degree"]) for c in found["contacts"]] == [(2, 1), (3, 1)]
    exposure = found["contacts"][1]["exposures"][0]
    assert (exposure["kind"], exposure["place"], exposure["seconds"]) == ("market", "cho", 3600)


def test_many_cases_from_a_file(town: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(4, dt.date(2021, 8, 16))
    path = tmp_path / "ca.csv"
    path.write_text(f"personal_number\n{number(1)}\n{number(4)}\n{number(1)}\n")
    found = run(capsys, "trace", "--cases", str(path))
    assert [one["person_id"] for one in found] == [1, 4]


def test_mistakes_have_their_exit_codes(town: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "trace", "001999999999", exit_code=5)["error"] == "not_found"
    assert run(capsys, "trace", number(2), exit_code=5)["error"] == "not_found"  # no open case
    assert run(capsys, "trace", number(1), "--on", "gestern", exit_code=2)["error"] == "wrong_usage"
    assert run(capsys, "trace", exit_code=2)["error"] == "wrong_usage"
    path = tmp_path / "ca.csv"
    path.write_text(f"personal_number\n{number(1)}\n001999999999\n")
    told = run(capsys, "trace", "--cases", str(path), exit_code=3)
    assert [f["line"] for f in told["faults"]] == [3]
    assert "001999999999" not in json.dumps(told)
    path.write_text("so_dinh_danh\n1\n")
    assert run(capsys, "trace", "--cases", str(path), exit_code=3)["faults"][0]["field"] == "personal_number"
    assert run(capsys, "isolation", "release", number(2), exit_code=5)["error"] == "not_found"
    assert run(capsys, "isolation", "order", number(4), exit_code=5)["error"] == "not_found"
    assert run(capsys, "place", "code", "999", exit_code=5)["error"] == "not_found"


def test_isolation_from_order_to_release(town: Session, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "trace", number(1))
    made = run(capsys, "isolation", "order", number(2))
    assert (made["rule"], made["place"]) == ("14+14", "centre")
    assert [row["person_id"] for row in run(capsys, "isolation", "list")] == [2]
    assert run(capsys, "isolation", "list", "--due") == []
    town.execute(
        "INSERT INTO checkpoint (code, name, unit_id) SELECT 'A', 'Chốt A', home_unit FROM person WHERE person_id = 2"
    )
    town.execute(
        "INSERT INTO passage (person_id, passed_at, client_id, checkpoint_id, unit_id, direction, checked, recorded_at)"
        " SELECT 2, %(at)s, gen_random_uuid(), checkpoint_id, unit_id, 'out', 'eye', %(at)s FROM checkpoint",
        at=at(21, 8),
    )  # fmt: skip
    set_today(town, dt.date(2021, 8, 22))
    assert [row["person_id"] for row in run(capsys, "isolation", "breach")] == [2]
    set_today(town, dt.date(2021, 9, 20))
    assert [row["person_id"] for row in run(capsys, "isolation", "list", "--due")] == [2]
    assert run(capsys, "isolation", "release", "--due") == {"released": 1}
    assert run(capsys, "isolation", "list") == []


def test_places_chains_and_tables(town: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(capsys, "place", "add", "Chợ Bắc", "--commune", "T1", "--kind", "market")
    assert made["path"].startswith("/v/")
    assert [p["name"] for p in run(capsys, "place", "list", "cho bac")["places"]] == ["Chợ Bắc"]
    code = run(capsys, "place", "code", str(made["place"]), "--host", "https://khien.example.vn/")["code"]
    assert code.startswith("https://khien.example.vn/v/")
    assert run(capsys, "place", "alias", str(made["place"]), code, exit_code=3)["error"] == "bad_input"
    assert run(capsys, "case", "chains")["cases"] == 1
    assert set(run(capsys, "case", "clusters")) == {"places", "spreaders", "bridges"}
    out = tmp_path / "ds.csv"
    assert run(capsys, "case", "export", "linelist", "-o", str(out))["rows"] == 1
    assert out.read_text("utf-8-sig").startswith("id,date_onset")
    assert (
        run(capsys, "case", "export", "linelist", "-o", str(tmp_path / "ds.doc"), exit_code=2)["error"] == "wrong_usage"
    )
