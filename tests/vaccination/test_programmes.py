"""Programme files: what ships is sound, faults are named by file and line, Viet Nam's rules answer as their letters say."""

# ruff: noqa: E501 - a table reads by rows

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from khien import rulebook
from khien.cli import khien
from khien.cli.programme import programme as programme_command
from khien.core.errors import BadInput, Fault, NotFound
from khien.vaccination import evaluation, programmes
from khien.vaccination.rules.facts import Person
from khien.vaccination.toml_writer import to_toml

TODAY = dt.date(2022, 1, 20)


def evaluate(name: str, **line: Any) -> dict[str, Any]:
    found = programmes.find(name)
    person = evaluation.read_person(found, line, on=TODAY)
    assert isinstance(person, Person), person
    return evaluation.answer_line(found, person)


@pytest.mark.parametrize("name", programmes.shipped())
def test_shipped_programmes_are_sound(name: str) -> None:
    found = programmes.find(name)
    assert found.title["en"]
    assert found.title["vi"]
    for antigen in found.antigens.values():
        for series in antigen.series:
            assert series.document in found.documents
            for dose in series.doses:
                assert set(dose.preferable) | set(dose.allowable) <= set(found.vaccines)
                rules = (*dose.ages, *dose.intervals, *(r for rules in dose.preferable.values() for r in rules))
                assert all(rule.document for rule in rules), (antigen.name, series.name, dose.number)


def test_every_product_has_its_document() -> None:
    for row in rulebook.vaccines():
        assert row["document"]
        assert isinstance(row["verified"], bool)
        assert row["primary_doses"] >= 1


def test_priority_groups_by_day() -> None:
    found = programmes.find("covid_19_vn_2021")

    def numbers(day: str) -> list[int]:
        on = dt.date.fromisoformat(day).toordinal()
        return [g.number for g in found.priority_groups if g.holds(on)]

    assert numbers("2021-02-25") == []
    assert numbers("2021-07-07") == list(range(1, 10))
    assert numbers("2021-07-08") == list(range(1, 17))


class Row(NamedTuple):
    rule: str
    facts: dict[str, Any]
    doses: str
    on: str
    judged: list[str]
    answer: str  # status, kind, recommended
    vaccines: list[str] | None = None


ADULT = {"birth_date": "1980-03-02"}
COVID = [
    Row("AstraZeneca twice, 8 weeks", ADULT, "2021-05-01 astrazeneca, 2021-06-26 astrazeneca", "2021-07-01", ["valid", "valid"], "complete"),
    Row("6 weeks were too few before 7820", ADULT, "2021-07-01 astrazeneca, 2021-08-12 astrazeneca", "2021-08-13",
        ["valid", "not_valid interval_too_short"], "not_complete primary 2021-10-07", ["astrazeneca"]),
    Row("and enough after it", ADULT, "2021-09-01 astrazeneca, 2021-10-13 astrazeneca", "2021-10-14", ["valid", "valid"], "complete"),
    Row("Pfizer after AstraZeneca, 6030", ADULT, "2021-06-01 astrazeneca, 2021-07-28 pfizer", "2021-08-01", ["valid", "valid"], "complete"),
    Row("not before 6030", ADULT, "2021-05-01 astrazeneca, 2021-07-26 pfizer", "2021-08-01", ["valid", "not_valid vaccine_not_allowed_yet"],
        "not_complete primary 2021-08-16"),
    Row("Moderna after AstraZeneca only from 7548", ADULT, "2021-06-01 astrazeneca, 2021-09-09 moderna", "2021-09-09",
        ["valid", "not_valid vaccine_not_allowed_yet"], "not_complete primary 2021-10-07"),
    Row("Sinopharm is not mixed", ADULT, "2021-08-01 vero_cell, 2021-10-01 pfizer", "2021-10-01",
        ["valid", "not_valid vaccine_not_after_previous"], "not_complete primary 2021-10-22", ["vero_cell"]),
    Row("Janssen is one dose", ADULT, "2021-08-01 janssen", "2021-10-01", ["valid"], "complete"),
    Row("Abdala is three", ADULT, "2021-10-01 abdala, 2021-10-15 abdala", "2021-10-20", ["valid", "valid"], "not_complete primary 2021-10-29", ["abdala"]),
    Row("before its licence", ADULT, "2021-05-01 pfizer", "2021-07-01", ["not_valid vaccine_not_allowed_yet"], "not_complete primary 2021-05-01"),
    Row("no boosters in November", ADULT, "2021-04-01 pfizer, 2021-07-01 pfizer", "2021-11-30", ["not_valid vaccine_not_allowed_yet", "valid"],
        "not_complete primary 2021-07-22"),
    Row("complete in November", ADULT, "2021-07-01 pfizer, 2021-07-30 pfizer", "2021-11-30", ["valid", "valid"], "complete"),
    Row("booster after 6 months by 10225", ADULT, "2021-07-01 pfizer, 2021-07-30 pfizer", "2021-12-10", ["valid", "valid"],
        "not_complete booster 2022-01-30"),
    Row("booster after 3 months by 10722", ADULT, "2021-09-01 pfizer, 2021-09-30 pfizer", "2021-12-20", ["valid", "valid"],
        "not_complete booster 2021-12-30", ["pfizer", "moderna"]),
    Row("additional dose after Sinopharm", ADULT, "2021-11-01 vero_cell, 2021-11-25 vero_cell", "2021-12-20", ["valid", "valid"],
        "not_complete additional 2021-12-23", ["pfizer", "moderna", "vero_cell"]),
    Row("additional dose in immune deficiency", ADULT | {"conditions": ["immune_deficiency"]}, "2021-11-01 pfizer, 2021-11-25 pfizer", "2021-12-20",
        ["valid", "valid"], "not_complete additional 2021-12-23"),
    Row("6 months after infection until 5785", ADULT | {"infections": [{"disease": "covid-19", "date": "2021-08-10"}]}, "", "2021-12-20", [],
        "not_complete primary 2022-02-10"),
    Row("no longer after it", ADULT | {"infections": [{"disease": "covid-19", "date": "2021-08-10"}]}, "", "2021-12-21", [],
        "not_complete primary 2021-02-01"),
    Row("13 years before 8688", {"birth_date": "2008-03-02"}, "2021-10-13 pfizer", "2021-10-13", ["not_valid too_young"],
        "not_complete primary 2026-03-02"),
    Row("13 years from 8688", {"birth_date": "2008-03-02"}, "2021-10-14 pfizer", "2021-10-20", ["valid"], "not_complete primary 2021-11-04", ["pfizer"]),
    Row("a minor may not mix", {"birth_date": "2008-03-02"}, "2021-10-14 pfizer, 2021-11-20 moderna", "2021-12-01",
        ["valid", "not_valid vaccine_not_after_previous"], "not_complete primary 2021-12-18", ["pfizer"]),
    Row("a child of 7, three months after infection", {"birth_date": "2015-03-02", "infections": [{"disease": "covid-19", "date": "2022-03-10"}]}, "",
        "2022-05-01", [], "not_complete primary 2022-06-10", ["pfizer", "moderna"]),
    Row("second booster after 4 months", ADULT, "2021-09-01 pfizer, 2021-09-30 pfizer, 2022-01-05 moderna", "2022-07-01", ["valid", "valid", "valid"],
        "not_complete booster 2022-06-24"),
    Row("one more before there were boosters: extra, yet the booster waits for it", ADULT,
        "2021-06-20 pfizer, 2021-07-11 pfizer, 2021-09-25 pfizer", "2021-12-20",
        ["valid", "valid", "extraneous series_already_complete"], "not_complete booster 2021-12-25"),
    Row("one more before there were second boosters", ADULT,
        "2021-09-01 pfizer, 2021-09-30 pfizer, 2022-01-05 moderna, 2022-03-01 moderna", "2022-03-02",
        ["valid", "valid", "valid", "extraneous series_already_complete"], "complete"),
    Row("early pregnancy postpones", ADULT | {"conditions": ["pregnancy_under_13_weeks"]}, "", "2021-12-30", [], "contraindicated"),
    Row("Sputnik V is not for pregnant women", ADULT | {"conditions": ["pregnancy"]}, "", "2021-06-13", [], "not_complete primary 2021-02-01",
        ["astrazeneca", "vero_cell", "pfizer"]),
    Row("anaphylaxis bars the same vaccine", ADULT | {"conditions": ["anaphylaxis:pfizer"]}, "2021-07-01 pfizer", "2021-08-01", ["valid"], "contraindicated"),
]  # fmt: skip


@pytest.mark.parametrize("row", COVID, ids=lambda row: row.rule)
def test_covid_19_in_viet_nam(row: Row) -> None:
    doses = [dict(zip(("date", "product"), part.split(), strict=True)) for part in row.doses.split(", ") if part]
    answer = evaluate("covid_19_vn_2021", **row.facts, doses=doses, on=row.on)
    judged = []
    for dose in answer["doses"]:
        (found,) = dose["evaluations"]
        judged.append(" ".join([found["status"], *(r["code"] for r in found["reasons"][:1])]))
    (forecast,) = answer["forecast"]
    assert judged == row.judged
    assert " ".join(filter(None, (forecast["status"], forecast["dose_kind"], forecast["recommended"]))) == row.answer
    if row.vaccines is not None:
        assert [v["vaccine"] for v in forecast["vaccines"]] == row.vaccines


def test_children_in_viet_nam() -> None:
    answer = evaluate(
        "childhood_vn", birth_date="2021-05-10", on="2021-08-10",
        doses=[{"date": "2021-05-10", "product": "bcg"}, {"date": "2021-05-10", "cvx": "8"},
               {"date": "2021-07-10", "product": "dpt_vgb_hib"}, {"date": "2021-07-10", "product": "bopv"}],
    )  # fmt: skip
    assert [e["status"] for d in answer["doses"] for e in d["evaluations"]] == ["valid"] * 6
    forecast = {g["group"]: (g["status"], g["dose_number"], g["recommended"]) for g in answer["forecast"]}
    assert forecast["BCG"] == ("complete", None, None)
    assert forecast["DPT"] == ("not_complete", 2, "2021-08-10")
    assert forecast["Hepatitis B"] == ("not_complete", 3, "2021-08-10")
    assert forecast["Measles-rubella"][2] == "2022-02-10"
    assert answer["next"] == "Hepatitis B"


def _faults(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(BadInput) as caught:
        programmes.read_texts({"file.toml": text}, "file.toml")
    return sorted((f.line, f.text()) for f in caught.value.faults)


def test_faults_are_named_by_line() -> None:
    text = """programme = "x"

[[antigen]]
name = "A"

[[antigen.series]]
name = "S"
document = "unheard-of"
typ = "risk"

[[antigen.series.dose]]
number = "one"
ages = [
  { min = "six weeks" },
]

[[antigen.series.dose]]
number = 2
intervals = [{ min = "4 weeks" }]
valid_from = 2021-05-01
valid_until = 2021-04-01
"""
    assert _faults(text) == [
        (8, "The document “unheard-of” is not listed in this programme."),
        (9, "There is no field of this name here."),
        (12, "Expected a whole number."),
        (13, "“six weeks” is not a length of time such as “6 weeks - 4 days”."),
        (19, "An interval runs from exactly one thing."),
        (21, "The rule ends before it begins."),
    ]
    assert _faults("programme = 'x'\nantigen = [[") != []
    assert _faults("programme = 'x'\n") == [(None, "The programme describes no antigen.")]


def test_unknown_programme() -> None:
    with pytest.raises(NotFound):
        programmes.find("no-such-programme")


def _run(*words: str, text: str = "") -> Any:
    return CliRunner().invoke(khien, list(words), input=text)


def test_evaluate_on_the_command_line() -> None:
    lines = [
        {"id": 1, "birth_date": "1980-03-02", "on": "2021-10-01", "doses": [{"date": "2021-08-01", "cvx": "212"}]},
        {
            "id": 2,
            "birth_date": "1980-03-02",
            "on": "2021-10-01",
            "doses": [{"date": "2021-08-01", "product": "water"}],
        },
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    done = _run("vaccination", "evaluate", "--programme", "covid_19_vn_2021", "-", "--json", text=text)
    assert done.exit_code == 0, done.output
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["id"] == 1
    assert first["forecast"][0]["status"] == "complete"
    assert second["doses"][0]["reasons"][0]["code"] == "unknown_vaccine"
    assert "Janssen" in _run("vaccination", "evaluate", "--programme", "covid_19_vn_2021", "-", text=text).stdout


def test_bad_lines_are_all_named_and_nothing_is_answered() -> None:
    text = '{"birth_date": "1980-03-02", "on": "2021-01-01"}\n{"birth_date": "02/03/1980"}\nno\n{"birth_date": "2020-01-01", "on": "2021-01-01", "doses": [{"date": "2019-01-01", "cvx": "08"}]}\n[]\n{"birth_date": "2020-01-01"}\n'
    done = _run("vaccination", "evaluate", "--programme", "childhood_vn", "-", "--json", text=text)
    assert isinstance(done.exception, BadInput)
    assert [(f.line, f.field) for f in done.exception.faults] == [
        (2, "birth_date"),
        (3, ""),
        (4, "doses[0].date"),
        (5, ""),
        (6, "on"),
    ]
    assert done.stdout == ""


def test_programme_commands(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(Path(__file__).with_name("mini.toml").read_text(encoding="utf-8"), encoding="utf-8")
    checked = CliRunner().invoke(programme_command, ["check", str(path), "--json"])
    assert json.loads(checked.stdout)["antigens"] == 6
    shown = CliRunner().invoke(programme_command, ["show", "covid_19_vn_2021", "--on", "2021-03-01", "--json"])
    assert len(json.loads(shown.stdout)["priority_groups"]) == 9
    assert "childhood_vn" in CliRunner().invoke(programme_command, ["show"]).stdout


def test_written_toml_reads_back() -> None:
    values = {"programme": "x", "antigen": [{"name": 'Quote " and \\ and ệ', "series": [{"name": "s", "dose": [
        {"number": 1, "ages": [{"min": "1 year", "valid_from": dt.date(2021, 1, 2)}], "recurring": True}]}]}]}  # fmt: skip
    found = programmes.read_texts({"x.toml": to_toml(values)}, "x")
    (antigen,) = found.antigens.values()
    assert antigen.name == 'Quote " and \\ and ệ'
    assert antigen.series[0].doses[0].ages[0].valid_from == dt.date(2021, 1, 2).toordinal()
    assert antigen.series[0].doses[0].recurring


def test_what_was_expected_is_said_in_the_readers_language() -> None:
    found = evaluation.read_person(
        programmes.find("covid_19_vn_2021"), {"birth_date": "1990-01-01", "on": "2021-12-01", "doses": 5}
    )
    assert isinstance(found, Fault)
    assert found.text("vi") == "Cần một danh sách." and found.text("en") == "Expected a list."
