"""Files of a synthetic nation: same bytes, whole or not at all; faults with their truth."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from khien.cli import main
from khien.core.errors import WrongUsage
from khien.core.text import fold
from khien.simulation import extract
from khien.simulation.faults import FAULTS, Faulty
from khien.simulation.nation import COLUMNS, Block, nation

ON = dt.date(2021, 9, 15)


def blocks(seed: int = 3, people: int = 3_000) -> Iterator[Block]:
    return nation(people=people, seed=seed, on=ON, area=["770"])


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_same_seed_same_bytes(tmp_path: Path, ending: str) -> None:
    digests = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        path = tmp_path / f"{name}.{ending}"
        assert extract.write(blocks(seed), path, COLUMNS) == 3_000
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_csv_and_parquet_hold_the_same_text_in_the_same_order(tmp_path: Path) -> None:
    for ending in ("parquet", "csv"):
        extract.write(blocks(), tmp_path / f"n.{ending}", COLUMNS)
    with (tmp_path / "n.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    assert tuple(lines[0]) == COLUMNS
    with duckdb.connect() as database:
        stored = database.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / "n.parquet")]).fetchall()
    assert [tuple(value or "" for value in row) for row in stored] == [tuple(line) for line in lines[1:]]


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[Block]:
        yield from blocks()
        raise KeyError("later")

    with pytest.raises(KeyError):
        extract.write(broken(), tmp_path / "n.csv", COLUMNS)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_and_its_name_may_hold_a_quote(tmp_path: Path) -> None:
    path = tmp_path / "it's" / "new" / "n.csv"
    assert extract.write(blocks(people=10), path, COLUMNS) == 10
    assert path.exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WrongUsage, match="n.csv"):
        extract.write(blocks(people=10), tmp_path / "file" / "n.csv", COLUMNS)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage):
        extract.write(blocks(), tmp_path / "n.xlsx", COLUMNS)


def test_faults_are_all_in_the_truth_and_nothing_else_changes() -> None:
    clean = next(blocks(people=4_000))
    faulty = Faulty(0.2, 1)
    spoiled = next(faulty.of(blocks(people=4_000)))
    rows = len(clean["name"])
    told = {(int(row) - 1, column): (fault, truth) for row, fault, column, truth in faulty.truth}
    for name in COLUMNS:
        for i in range(rows):
            if clean[name][i] != spoiled[name][i]:
                assert told.pop((i, name))[1] == clean[name][i]
    for (i, column), (fault, truth) in told.items():
        assert (column, fault) == ("row", "duplicate")
        assert spoiled["birth_date"][i] == spoiled["birth_date"][int(truth) - 1]
        assert spoiled["personal_number"][i] is None
    assert {fault for _, fault, _, _ in faulty.truth} == {f[0] for f in FAULTS}
    assert 0.15 < len(faulty.truth) / rows < 0.22


def test_faults_look_as_they_do_in_life() -> None:
    faulty = Faulty(0.3, 2)
    spoiled = next(faulty.of(blocks()))
    for row, fault, column, truth in faulty.truth:
        value = spoiled[column][int(row) - 1] if column != "row" else None
        if fault == "no_accents":
            assert fold(value) == fold(truth)
        elif fault == "decomposed":
            assert unicodedata.normalize("NFC", value) == truth
        elif fault == "digits":
            assert sorted(value) == sorted(truth)
        elif fault == "day_month":
            dt.date.fromisoformat(value)


def test_command_line_writes_extract_and_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "n.parquet"
    words = ["simulate", "nation", "--people", "500", "--area", "770", "--faults", "0.1", "-o", str(file), "--json"]
    main(words)
    assert '"people": 5' in capsys.readouterr().out
    assert file.exists()
    assert (tmp_path / "n.faults.parquet").exists()


def test_command_line_names_an_unknown_area(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["simulate", "nation", "--people", "5", "--area", "999", "-o", str(tmp_path / "n.csv")])
    assert stop.value.code == 5
    assert "999" in capsys.readouterr().err
