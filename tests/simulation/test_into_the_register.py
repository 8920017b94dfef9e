"""A synthetic nation is a register extract: the loader takes all of a clean one and names the rows of a faulty one."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from khien.core.actor import machine
from khien.population.load.loader import Loaded, load_extract
from khien.simulation import extract
from khien.simulation.faults import Faulty
from khien.simulation.nation import COLUMNS, nation
from khien.territory import actions as territory
from khien.territory import sources

ON = dt.date(2021, 9, 15)
EVERYTHING = machine("test", "*")


@pytest.fixture(autouse=True)
def _units(fresh_database: str) -> None:
    territory.load_units(by=EVERYTHING, systems=[sources.system_2021()])


def loaded(path: Path, faults: float) -> tuple[Loaded, Faulty]:
    faulty = Faulty(faults, 1)
    extract.write(faulty.of(nation(people=6_000, seed=8, on=ON, area=["770", "27127"])), path, COLUMNS)
    return load_extract(path, by=EVERYTHING, as_of=ON), faulty


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_everybody_gets_in(tmp_path: Path, ending: str) -> None:
    done, _ = loaded(tmp_path / f"people.{ending}", 0.0)
    assert (done.counts.rows, done.counts.added, done.counts.rejected) == (6_000, 6_000, 0)


def test_only_faulty_rows_and_those_they_repeat_are_refused(tmp_path: Path) -> None:
    done, faulty = loaded(tmp_path / "people.csv", 0.2)
    spoiled = {int(row) + 1 for row, *_ in faulty.truth}  # the header is line 1
    # A double with the same old number makes the loader refuse both, for it cannot know which is the true one.
    spoiled |= {int(truth) + 1 for _, fault, _, truth in faulty.truth if fault == "duplicate"}
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8", newline="") as stream:
        refused = {int(row["line"]) for row in csv.DictReader(stream)}
    assert refused
    assert refused <= spoiled
    assert done.counts.added + done.counts.rejected == done.counts.rows
