"""The reader of the CDC's table of test cases: what it understands, what it refuses, what it finds different."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from khien.cli.programme import programme as command
from khien.core.errors import BadInput
from khien.vaccination import programmes
from khien.vaccination.cdsi_cases import group_named, read_cases
from khien.vaccination.rules.model import Programme, VaccineGroup
from tests.vaccination.test_cdsi_rules import AGE, dose, series
from tests.vaccination.test_cdsi_rules import programme as supporting_data

HEADER = (
    "CDC_Test_ID,DOB,gender,Med_History_Code,Med_History_Code_Sys,Series_Status,Date_Administered_1,CVX_1,MVX_1,"
    "Evaluation_Status_1,Evaluation_Reason_1,Forecast_#,Earliest_Date,Recommended_Date,Past_Due_Date,Vaccine_Group,"
    "Assessment_Date\n"
)
RIGHT = "a-1,01/10/2020,F,007; 055,CDCPHINVS,Not complete,,,,,,1,01/10/2021,2021-01-10,,G,06/01/2021\n"
YOUNG = "a-2,01/10/2020,M,,,Complete,12/01/2020,1,MSD,Not Valid,Age: Too Young,-,,,,G,06/01/2021\n"


@pytest.fixture
def rules(tmp_path: Path) -> Programme:
    return supporting_data(tmp_path, One=series("one", dose(1, AGE)))


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "cases.csv"
    path.write_text("\ufeff" + header + "".join(rows), encoding="utf-8")
    return path


def test_a_row_is_a_line_and_its_expectations(tmp_path: Path) -> None:
    first, second = read_cases(table(tmp_path, RIGHT, ",,,,,,,,,,,,,,,,\n", YOUNG))
    assert first.line["observations"] == [
        {"code": "007", "system": "CDCPHINVS"}, {"code": "055", "system": "CDCPHINVS"}
    ]  # fmt: skip
    assert first.forecast == {
        "status": "not_complete", "earliest": "2021-01-10", "recommended": "2021-01-10", "past_due": None
    }  # fmt: skip
    assert second.line["doses"] == [{"date": "2020-12-01", "cvx": "1", "mvx": "MSD"}]
    assert (second.doses, second.dose_number) == (("not_valid",), "")


def test_columns_and_days_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="dob"):
        read_cases(table(tmp_path, header=HEADER.replace("DOB", "Born")))
    with pytest.raises(BadInput) as caught:
        read_cases(table(tmp_path, RIGHT, YOUNG.replace("12/01/2020", "12/41/2020")))
    assert [(f.line, f.params["value"]) for f in caught.value.faults] == [(3, "12/41/2020")]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("DTAP", "DTaP/Tdap/Td"), ("Td", "DTaP/Tdap/Td"), ("tetanus", "DTaP/Tdap/Td"), ("MenB", "Meningococcal B"),
        ("MCV", "Meningococcal"), ("Meningococcal B", "Meningococcal B"), ("elsewhere", "elsewhere"),
    ],
)  # fmt: skip
def test_short_names_of_groups(name: str, group: str) -> None:
    groups = (
        VaccineGroup("DTaP/Tdap/Td", ("Diphtheria", "Pertussis", "Tetanus")),
        VaccineGroup("Meningococcal", ("Meningococcal",)),
        VaccineGroup("Meningococcal B", ("Meningococcal B",)),
    )
    assert group_named(Programme(id="p", title={}, groups=groups), name) == group


def test_the_command_lists_what_differs_and_writes_the_lines(tmp_path: Path, rules: Programme) -> None:
    lines = tmp_path / "people.jsonl"
    found = CliRunner().invoke(
        command, ["score-cdsi", str(tmp_path), str(table(tmp_path, RIGHT, YOUNG)), "--lines", str(lines), "--json"]
    )
    answer = json.loads(found.output)
    assert (answer["doses"], answer["doses_right"]) == (1, 1)
    assert (answer["forecasts"], answer["forecasts_right"]) == (2, 1)
    differing = {(d["case"], d["part"], d["expected"], d["found"]) for d in answer["differences"]}
    assert ("a-2", "status", "complete", "not_complete") in differing
    assert [json.loads(line)["id"] for line in lines.read_text(encoding="utf-8").splitlines()] == ["a-1", "a-2"]
    assert programmes.find(str(tmp_path)) == rules
