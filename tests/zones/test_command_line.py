"""What is entered on the command line: needs one by one and as a list, capacity, and what goes away with its proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khien import cli
from khien.core.actor import machine
from khien.core.session import begin
from tests.register import SOUTH


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    ended: Any = 0
    try:
        cli.main([*words, "--json"])
    except SystemExit as end:
        ended = end.code or 0
    out = capsys.readouterr()
    assert ended == code, out.err
    return json.loads(out.out) if out.out.strip() and code == 0 else out.err


def test_needs_capacity_and_retention(
    desks: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begin(machine("test", "*"), role="khien_loader") as session:
        session.execute(
            "INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '001190123456', 1),"
            " ('personal_number', '001190123457', 2)"
        )
        session.execute(
            "INSERT INTO zone (name) VALUES ('Cũ'); INSERT INTO zone_task (person_id, zone_id, unit_id, came_on, state,"
            f" certainty, made_on) SELECT 1, zone_id, {SOUTH}, '2021-06-02', 'open', 'seen', '2021-06-02' FROM zone"
        )
    recorded = run(capsys, "zone", "need", "001190123456", "oxygen", "--from", "2021-09-01")
    assert [(r["kind"], r["now"]) for r in recorded] == [("oxygen", True)]
    ended = run(capsys, "zone", "need", "001190123456", "oxygen", "--ended")
    assert [(r["kind"], r["now"], r["until_day"]) for r in ended] == [("oxygen", False, "2021-09-15")]

    good = tmp_path / "needs.csv"
    good.write_text("number,kind,from,until\n001190123456,dialysis,2021-09-01,\n001190123457,pregnant,,2022-02-01\n")
    assert run(capsys, "zone", "needs", str(good)) == {"added": 2, "known": 0}
    assert run(capsys, "zone", "needs", str(good)) == {"added": 0, "known": 2}
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "number,kind,from,until\n001190123457,oxygen,,\n001190999999,dialysis,,\n001190123456,tired,2021-13-01,\n"
    )
    told = run(capsys, "zone", "needs", str(bad), code=3)
    assert "001190999999" not in told
    with begin(machine("test", "*")) as session:
        assert session.value("SELECT count(*) FROM person_need WHERE kind = 'oxygen'") == 1  # nothing of the bad file

    assert run(capsys, "zone", "capacity", "T2", "--insufficient")["sufficient"] is False
    run(capsys, "zone", "capacity", "T99", "--sufficient", code=5)

    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    cli.main(["zone", "need", "001190123456"])
    assert "Ngày bắt đầu" in (told := capsys.readouterr().out) and "from_day" not in told
    assert run(capsys, "zone", "expire") == [{"partition": "zone_task_default", "tasks": 1, "open": 1}]
    proof = run(capsys, "access", "log", "--action", "zone.expire")
    assert [(p["detail"]["tasks"], p["detail"]["open"]) for p in proof] == [(1, 1)]
