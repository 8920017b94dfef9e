"""What the CDC's schedule says of each vaccine group: the tables of `cdsi_tables.md`, each row a person."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import pytest

from khien.vaccination import programmes
from khien.vaccination.rules.engine import evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.model import Programme

pytestmark = pytest.mark.shared


class Row(NamedTuple):
    group: str
    rule: str
    born: str
    on: str
    known: str
    doses: str
    worth: str
    answer: str


def _rows() -> list[Row]:
    rows, group = [], ""
    for line in (Path(__file__).parent / "cdsi_tables.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            group = line[3:]
        elif line.startswith("| ") and not line.startswith("| rule "):
            rows.append(Row(group, *(cell.strip() for cell in line.split("|")[1:-1])))
    return rows


@pytest.fixture(scope="module")
def programme(shared: Path) -> Programme:
    return programmes.from_cdsi(shared / "testdata" / "cdsi" / "supporting-data-4.64")


def _day(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()


@pytest.mark.parametrize("row", _rows(), ids=lambda row: f"{row.group}: {row.rule}")
def test_what_counts_and_what_is_next(row: Row, programme: Programme) -> None:
    doses = tuple(Given(_day(day), cvx) for day, cvx in (one.split() for one in row.doses.split(", ") if one))
    known = dict.fromkeys(row.known.split())
    answer = evaluate(programme, Person(_day(row.born), _day(row.on), "female", doses, known))
    judged = [j for j in answer.doses if j.group == row.group]
    assert "; ".join(" ".join([j.status, *(r.code for r in j.reasons[:1])]) for j in judged) == row.worth
    next_ = next(g for g in answer.groups if g.group == row.group)
    days = [
        dt.date.fromordinal(d).isoformat() if d else "-" for d in (next_.earliest, next_.recommended, next_.past_due)
    ]
    told = [next_.status, *days, f"#{next_.dose_number}"] if next_.status == "not_complete" else [next_.status]
    assert " ".join(told) == row.answer
