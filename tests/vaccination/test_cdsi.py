"""The CDC's own test cases, evaluated through the imported programme: doses and forecast scored apart."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from khien.vaccination import cdsi, evaluation, programmes
from khien.vaccination.cdsi_cases import read_cases, score
from khien.vaccination.rules.engine import Answer, evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.model import Programme
from khien.vaccination.toml_writer import to_toml

pytestmark = pytest.mark.shared

# Rows whose forecast differs because the rules are of 2025 and the cases of 2021. No dose is left out.
OTHER_FORECAST = {
    "2013-0467": "HPV is forecast up to 45 years since 2019 (shared decision); the case stops at 26",
    "2013-0480": "HPV is forecast up to 45 years since 2019 (shared decision); the case stops at 26",
    "2013-0481": "HPV is forecast up to 45 years since 2019 (shared decision); the case stops at 26",
}
# A reason that differs though the status is the same.
OTHER_REASON = {
    "2018-0022": "the default series stands for the person; there the vaccine is wrong for the age, not inadvertent",
}
# The cases name doses of varicella vaccine too: their status is that of the varicella series.
GROUPS = ["HepB", "MMR", "HPV", "Varicella"]
_STATUS = {"Valid": "valid", "Not Valid": "not_valid", "Extraneous": "extraneous"}
_REASON = {
    "Age: Too Young": "too_young",
    "Interval: too short": "interval_too_short",
    "Inadvertent Vaccine": "inadvertent_vaccine",
    "Live Virus Conflict": "live_virus_conflict",
    "Series Already Complete": "series_already_complete",
}


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "testdata" / "cdsi"


@pytest.fixture(scope="module")
def programme(folder: Path) -> Programme:
    return programmes.from_cdsi(folder / "supporting-data-4.64", GROUPS)


@pytest.fixture(scope="module")
def cases(folder: Path, programme: Programme) -> list[tuple[dict[str, str], Answer]]:
    with (folder / "cdsi-healthy-v4.8-HepB-MMR-HPV.csv").open(encoding="utf-8-sig", newline="") as stream:
        return [(row, evaluate(programme, _person(row))) for row in csv.DictReader(stream)]


def _day(text: str) -> int:
    month, day, year = (int(part) for part in text.split("/"))
    return dt.date(year, month, day).toordinal()


def _doses(row: dict[str, str]) -> list[int]:
    return [i for i in range(1, 8) if row[f"Date_Administered_{i}"]]


def _person(row: dict[str, str]) -> Person:
    return Person(
        birth=_day(row["DOB"]),
        on=_day(row["Assessment_Date"]),
        sex={"F": "female", "M": "male"}[row["gender"]],
        doses=tuple(Given(_day(row[f"Date_Administered_{i}"]), row[f"CVX_{i}"], row[f"MVX_{i}"]) for i in _doses(row)),
    )


def test_every_dose_of_every_case(cases: list[tuple[dict[str, str], Answer]]) -> None:
    wrong = []
    for row, answer in cases:
        # The status in the case's own group decides; a dose of another group has only that one's.
        found = {j.number: j for j in sorted(answer.doses, key=lambda j: j.group == row["Vaccine_Group"])}
        for place, i in enumerate(_doses(row)):
            expected = _STATUS.get(row[f"Evaluation_Status_{i}"])
            reason = _REASON.get(row[f"Evaluation_Reason_{i}"])
            judged = found.get(place)
            if expected and (judged is None or judged.status != expected):
                wrong.append((row["CDC_Test_ID"], i, expected, judged))
            elif reason and judged and reason not in {r.code for r in judged.reasons}:
                wrong.append((row["CDC_Test_ID"], i, reason, judged))
    assert len(cases) == 212
    assert {case for case, *_ in wrong} == set(OTHER_REASON)
    assert all(expected == "inadvertent_vaccine" for _, _, expected, _ in wrong)


def test_every_forecast_but_the_explained(cases: list[tuple[dict[str, str], Answer]]) -> None:
    wrong = {}
    for row, answer in cases:
        group = next(g for g in answer.groups if g.group == row["Vaccine_Group"])
        days = (row["Earliest_Date"], row["Recommended_Date"], row["Past_Due_Date"])
        expected = (row["Series_Status"].lower().replace(" ", "_"), *(_day(d) if d else None for d in days))
        found = (group.status, group.earliest, group.recommended, group.past_due)
        if found != expected:
            wrong[row["CDC_Test_ID"]] = (expected, found)
    assert set(wrong) == set(OTHER_FORECAST)


def test_the_explained_forecasts_differ_by_the_maximum_age_alone(folder: Path) -> None:
    """With the limit of 2021 in the data of 2025 they agree: it is not the engine."""
    documents = cdsi.read_folder(folder / "supporting-data-4.64", GROUPS)
    for series in documents["HPV"]["antigen"][0]["series"]:
        for dose in series["dose"]:
            dose["ages"] = [age | {"max": "27 years"} for age in dose.get("ages", [{}])]
    limited = programmes.read_texts({f"{stem}.toml": to_toml(values) for stem, values in documents.items()}, "limited")
    cases = read_cases(folder / "cdsi-healthy-v4.8-HepB-MMR-HPV.csv")
    result = score(limited, [case for case in cases if case.id in OTHER_FORECAST])
    assert (result.forecasts, result.differences) == (3, [])


def test_the_table_scores_itself(folder: Path, programme: Programme) -> None:
    result = score(programme, read_cases(folder / "cdsi-healthy-v4.8-HepB-MMR-HPV.csv"))
    assert (result.doses, result.doses_right) == (462, 462)
    assert (result.forecasts, result.forecasts_right) == (212, 209)
    assert (result.dose_numbers, result.dose_numbers_right) == (132, 132)
    assert {d.case for d in result.differences} == set(OTHER_FORECAST)


def test_every_antigen_is_read_and_evaluates(folder: Path) -> None:
    everything = programmes.from_cdsi(folder / "supporting-data-4.64")
    assert len(everything.antigens) == 30
    codes = sorted(everything.vaccines)
    for age in (1, 200, 1500, 6000, 9000, 20000, 28000):
        birth = dt.date(2025, 10, 1).toordinal() - age
        for start in range(0, len(codes), 6):
            doses = tuple(Given(birth + age * k // 7, code) for k, code in enumerate(codes[start : start + 6]))
            answer = evaluate(everything, Person(birth, birth + age, "female", doses, {"145": None, "007": birth}))
            assert {d.number for d in answer.doses} <= set(range(len(doses)))
            for group in answer.groups:
                if group.status == "not_complete":
                    assert group.earliest is not None
                    assert group.recommended is not None
                    assert group.recommended >= group.earliest >= birth


def test_what_is_written_is_what_was_imported(folder: Path) -> None:
    source = folder / "supporting-data-4.64"
    names = ["HepB", "MMR", "HPV", "Pneumococcal", "DTaP/Tdap/Td", "COVID-19"]
    texts = {f"{stem}.toml": to_toml(values) for stem, values in cdsi.read_folder(source, names).items()}
    assert programmes.read_texts(texts, "written") == programmes.from_cdsi(source, names)


def test_conditions_by_codes_of_clinical_systems(programme: Programme) -> None:
    """A pregnancy, told as the programme's code, its title or a code of another system."""
    ours = next(code for code, title in programme.observations.items() if title == "Pregnant")
    theirs = next(key for key, codes in programme.observation_codes.items() if ours in codes and ":" in key)
    system, _, code = theirs.partition(":")
    for condition in (ours, "pregnant", {"code": code, "system": system}):
        line = {"birth_date": "1990-05-01", "on": "2021-05-10", "sex": "F", "conditions": [condition]}
        person = evaluation.read_person(programme, line)
        assert isinstance(person, Person)
        assert ours in person.observations
        measles = next(g for g in evaluate(programme, person).groups if g.group == "MMR")
        assert measles.status == "contraindicated"


def test_what_a_clinician_should_read_stands_beside_the_forecast(programme: Programme) -> None:
    """Of the series and of the risk for which it is; a code of ours is not taken for a CVX code that looks the same."""
    line = {
        "birth_date": "1955-01-10",
        "on": "2021-06-01",
        "sex": "F",
        "observations": [{"code": "015", "system": "CDC"}],
    }
    person = evaluation.read_person(programme, line)
    assert isinstance(person, Person)
    assert set(person.observations) == {"015"}
    told = next(g for g in evaluation.answer_line(programme, person)["forecast"] if g["group"] == "HepB")
    assert told["series"] == ["HepB risk 3-dose series"]
    assert any("60 years or older" in note for note in told["guidance"])
    assert any("cirrhosis" in note for note in told["guidance"])


def test_a_dose_of_an_expired_lot_is_sub_standard(programme: Programme) -> None:
    for expires, status in (("2021-03-17", "valid"), ("2021-03-16", "sub_standard")):
        dose = {"date": "2021-03-17", "cvx": "08", "lot_expires": expires}
        line = {"birth_date": "2021-03-17", "on": "2021-05-10", "doses": [dose]}
        person = evaluation.read_person(programme, line)
        assert isinstance(person, Person)
        (judged,) = evaluate(programme, person).doses
        assert judged.status == status


def test_twins_answer_as_if_they_were_walked_apart(programme: Programme, folder: Path) -> None:
    assert programme.twins
    apart = replace(programme, twins={})
    with (folder / "cdsi-healthy-v4.8-HepB-MMR-HPV.csv").open(encoding="utf-8-sig", newline="") as stream:
        people = [_person(row) for row in csv.DictReader(stream)]
    assert [evaluate(programme, p) for p in people] == [evaluate(apart, p) for p in people]
