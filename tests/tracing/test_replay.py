"""A real outbreak replayed in order of report: what a trace lists before the diagnosis, whom it finds looking back; any
line list with contacts can be replayed, and wrong files are named by line."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from statistics import mean

import pytest

from khien.core.errors import BadInput
from khien.core.session import Session
from khien.tracing.outbreak import Link, read_contacts, read_linelist
from khien.tracing.replay import Replayed, replay
from tests.register import add_country
from tests.tracing.town import ALL


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def country(session: Session) -> Session:
    add_country(session)
    return session


@pytest.mark.shared
@pytest.mark.parametrize(("left_out", "false"), [(0.0, 0.0), (0.3, 1.0)])
def test_mers_in_korea_2015(country: Session, shared: Path, left_out: float, false: float) -> None:
    folder = shared / "testdata" / "contact-tracing"
    patients = read_linelist(folder / "mers_korea_2015.linelist.csv")
    links = read_contacts(folder / "mers_korea_2015.contacts.csv")
    # Serial interval of MERS in days, mean and standard deviation: Cowling et al. 2015, its spread doubled.
    done = replay(patients, links, by=ALL, left_out=left_out, false=false, serial=(12.6, 5.6))
    assert done.recall >= 0.8 * (1 - left_out)
    assert done.infector >= 0.7 * (1 - left_out)
    assert done.lead is not None and done.lead > 0
    assert done.superspreaders == ["SK_14", "SK_1", "SK_16"]
    with (folder / "mers_korea_2015.contacts.csv").open() as stream:
        told = mean(float(row["diff_dt_onset"]) for row in csv.DictReader(stream))
    # Three cases infected most: R below 1 and k far below 1 (published: 0.03 to 0.1; the file has 95 of 161 links).
    assert done.offspring is not None and done.serial is not None
    assert 0.4 < done.offspring.r.value < 1
    assert done.offspring.k.low > 0.005 and done.offspring.k.high < 0.1
    assert done.serial[0].value == pytest.approx(told) and done.serial[0].low < told < done.serial[0].high


OURS = """id,date_onset,date_report,date_sample
A,2021-08-01,2021-08-04,2021-08-04
B,2021-08-08,2021-08-11,2021-08-11
C,2021-08-09,2021-08-11,2021-08-11
"""
OTHERS = """Case_ID;Date_of_Onset;date_confirmation
A;2021-08-01;2021-08-04
B;2021-08-08;2021-08-11
C;NA;2021-08-11
D;;NA
"""


@pytest.mark.parametrize(
    ("linelist", "contacts"),
    [
        (OURS, "from,to,exposure\nA,B,Hospital room\nA,C,Visit\n"),
        (OTHERS, "infector\tinfectee\tlocation\nA\tB\tward\nA\tC\t\nA\tX\t\nB\tB\t\nNA\tC\t\n"),
        ("case,onset,reported_on,infector\nA,2021-08-01,2021-08-04,NA\n"
         "B,2021-08-08,2021-08-11,A\nC,2021-08-09,2021-08-11,A\n", None),
    ],
)  # fmt: skip
def test_line_lists_under_their_usual_names(
    country: Session, tmp_path: Path, linelist: str, contacts: str | None
) -> None:
    first = write(tmp_path / "linelist.csv", linelist)
    second = write(tmp_path / "contacts.csv", contacts) if contacts else first
    done = replay(read_linelist(first), read_contacts(second), by=ALL)
    assert (done.patients, done.infected, done.infector, done.superspreaders[0]) == (3, 2, 1.0, "A")
    assert (done.undated, done.unknown) == ((1, 2) if linelist is OTHERS else (0, 0))
    assert country.value("SELECT count(*) FROM person") == 0  # nothing is kept


def test_contacts_in_a_circle(country: Session, tmp_path: Path) -> None:
    patients = read_linelist(write(tmp_path / "linelist.csv", OURS))
    done: Replayed = replay(patients, [Link("A", "B", ""), Link("B", "C", ""), Link("C", "A", "")], by=ALL)
    assert done.infected == 3 and not math.isnan(done.recall)


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("id,date_onset\nA,2021-08-01\nA,2021-08-02\n", 3, "id"),
        ("id,date_onset\nA,01/08/2021\n", 2, "date_onset"),
        ("id,date_onset\n,2021-08-01\n", 2, "id"),
        ("id,date_onset\nA,2021-08-01,x\n", 2, "row"),
        ("name,date_onset\nA,2021-08-01\n", 1, "id"),
    ],
)
def test_a_wrong_line_list_is_named_by_line(tmp_path: Path, text: str, line: int, field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_linelist(write(tmp_path / "linelist.csv", text))
    assert [(f.line, f.field) for f in refusal.value.faults] == [(line, field)]


def test_files_that_do_not_belong_together(country: Session, tmp_path: Path) -> None:
    patients = read_linelist(write(tmp_path / "linelist.csv", OURS))
    with pytest.raises(BadInput):
        replay(patients, [Link("X", "Y", "")], by=ALL)
    with pytest.raises(BadInput):
        read_contacts(write(tmp_path / "contacts.csv", "a,b\n1,2\n"))
