"""`khien units` as a user types it: answers, JSON, exit codes, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khien.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    main(["units", *words, "--json"])
    return json.loads(capsys.readouterr().out)


def code_of(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["units", *words])
    return int(caught.value.code or 0)


def test_journey(fresh_database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert code_of("count", "--on", "2021-11-01") == 5
    assert run(capsys, "load")["unit"] == 11_368 + 3_356
    assert set(run(capsys, "load").values()) == {0}

    (old,) = run(capsys, "count", "--on", "2021-11-01")["systems"]
    assert old["levels"] == {"country": 1, "province": 63, "district": 705, "commune": 10_599}
    assert old["notes"] == []
    (earlier,) = run(capsys, "count", "--on", "2021-07-01")["systems"]
    assert any("10603" in note for note in earlier["notes"])
    (new,) = run(capsys, "count", "--on", "2025-07-01")["systems"]
    assert new["levels"] == {"country": 1, "province": 34, "commune": 3_321}

    assert run(capsys, "show", "26740", "--on", "2021-11-01")["name"] == "Phường Bến Nghé"
    assert run(capsys, "show", "quan 1", "--on", "2021-11-01")["code"] == "760"
    assert run(capsys, "search", "truong sa", "--limit", "3")[0]["name"].endswith("Trường Sa")
    followed = run(capsys, "succession", "498", "--on", "2021-11-01")["successors"]
    assert [u["name"] for u in followed] == ["Đặc khu Hoàng Sa"]
    assert code_of("show", "99999") == 5

    listed = tmp_path / "la.csv"
    listed.write_text("code,parent_code,level,kind,name\nQQ1,,0,country,Laos\n01,XX,1,province,V\n")
    assert code_of("load", "--from", str(listed)) == 2
    assert code_of("load", "--from", str(listed), "--system", "LA") == 3
    assert "3: parent_code" in capsys.readouterr().err
    assert code_of("succession", "QQ1") == 5
    listed.write_text("code,parent_code,level,kind,name\nQQ1,,0,country,Laos\n01,QQ1,1,province,V\n")
    assert run(capsys, "load", "--from", str(listed), "--system", "LA")["unit"] == 2
    assert run(capsys, "show", "QQ1")["unit_id"] == 3_000_000

    drawn = tmp_path / "b.geojson"
    square = {"type": "Polygon", "coordinates": [[[105, 20], [106, 20], [106, 21], [105, 20]]]}
    drawn.write_text(json.dumps({"features": [{"properties": {"ma": "01"}, "geometry": square}]}))
    words = ("load", "--boundaries", str(drawn), "--system", "VN-2025", "--property", "ma")
    assert run(capsys, *words) == {"unit_boundary": 1}
    assert run(capsys, *words) == {"unit_boundary": 0}
