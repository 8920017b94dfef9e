"""Rules of the CDSi logic specification that the shared cases do not reach, each from a small XML file of its own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from khien.core.errors import BadInput
from khien.vaccination import programmes
from khien.vaccination.rules.due import Marks
from khien.vaccination.rules.engine import Answer, evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.model import Programme

SCHEDULE = """<scheduleSupportingData>
  <vaccineGroups><vaccineGroup><name>G</name><administerFullVaccineGroup>No</administerFullVaccineGroup></vaccineGroup>
  </vaccineGroups>
  <vaccineGroupToAntigenMap><vaccineGroupMap><name>G</name><antigen>One</antigen><antigen>Two</antigen></vaccineGroupMap>
  </vaccineGroupToAntigenMap>
  <cvxToAntigenMap>
    <cvxMap><cvx>01</cvx><shortDescription>both</shortDescription>
      <association><antigen>One</antigen></association><association><antigen>Two</antigen></association></cvxMap>
    <cvxMap><cvx>02</cvx><shortDescription>second</shortDescription>
      <association><antigen>Two</antigen></association></cvxMap>
  </cvxToAntigenMap>
</scheduleSupportingData>"""

AGE = "<age><absMinAge>1 year - 4 days</absMinAge><minAge>1 year</minAge><earliestRecAge>1 year</earliestRecAge></age>"
INTERVAL = (
    "<interval><fromPrevious>Y</fromPrevious><absMinInt>4 weeks - 4 days</absMinInt><minInt>{wait}</minInt>"
    "<intervalPriority>{priority}</intervalPriority></interval>"
)
SEASON = "<seasonalRecommendation><startDate>20250901</startDate><endDate>20260331</endDate></seasonalRecommendation>"
ENOUGH = """<conditionalSkip><context>Both</context><setLogic>n/a</setLogic><set>
  <setDescription>once a season</setDescription><condition><conditionType>Vaccine Count by Date</conditionType>
  <startDate>20250901</startDate><endDate>20260401</endDate>
  <doseCount>0</doseCount><doseType>Valid</doseType><doseCountLogic>greater than</doseCountLogic>
  <vaccineTypes>01</vaccineTypes></condition></set></conditionalSkip>"""


def dose(number: int, *parts: str, cvx: str = "01", recurring: str = "No") -> str:
    return (
        f"<seriesDose><doseNumber>Dose {number}</doseNumber>{''.join(parts)}<preferableVaccine><cvx>{cvx}</cvx>"
        "<forecastVaccineType>Y</forecastVaccineType></preferableVaccine>"
        f"<recurringDose>{recurring}</recurringDose></seriesDose>"
    )


def series(name: str, *doses: str, disease: str = "One", default: str = "Yes", preference: int = 1) -> str:
    return (
        f"<series><seriesName>{name}</seriesName><targetDisease>{disease}</targetDisease><vaccineGroup>G</vaccineGroup>"
        f"<seriesType>Standard</seriesType><selectSeries><defaultSeries>{default}</defaultSeries>"
        f"<productPath>No</productPath><seriesGroup>1</seriesGroup><seriesPriority>A</seriesPriority>"
        f"<seriesPreference>{preference}</seriesPreference></selectSeries>{''.join(doses)}</series>"
    )


def programme(folder: Path, **antigens: str) -> Programme:
    (folder / "ScheduleSupportingData.xml").write_text(SCHEDULE, encoding="utf-8")
    for name, body in antigens.items():
        path = folder / f"AntigenSupportingData-{name}-508.xml"
        path.write_text(f"<antigenSupportingData>{body}</antigenSupportingData>", encoding="utf-8")
    return programmes.from_cdsi(folder)


def ask(rules: Programme, born: str, on: str, *doses: str) -> Answer:
    def day(text: str) -> int:
        return dt.date.fromisoformat(text).toordinal()

    given = tuple(Given(day(d), cvx) for d, cvx in (one.split() for one in doses))
    return evaluate(rules, Person(day(born), day(on), "female", given))


def days(answer: Answer) -> str:
    group = answer.groups[0]
    told = [dt.date.fromordinal(d).isoformat() for d in (group.earliest, group.recommended) if d]
    return " ".join([group.status, *told])


def test_a_group_without_default_and_without_valid_doses_weighs_all_its_series(tmp_path: Path) -> None:
    """SELECTSCORE-2: by preference, where nothing else tells them apart."""
    second = series("second", dose(1, AGE), default="No", preference=2)
    first = series("first", dose(1, AGE), default="No", preference=1)
    answer = ask(programme(tmp_path, One=second + first), "2020-01-10", "2021-06-01")
    assert answer.groups[0].series == ("first",)
    assert days(answer) == "not_complete 2021-01-10 2021-01-10"


@pytest.mark.parametrize(
    ("on", "doses", "expected"),
    [
        ("2025-10-01", (), "not_complete 2025-09-01 2025-09-01"),
        ("2025-10-01", ("2025-09-20 01",), "complete"),
        ("2021-01-10", (), "not_complete 2020-09-01 2020-09-01"),
        ("2021-01-10", ("2020-11-01 01",), "complete"),
        ("2021-01-10", ("2019-11-01 01",), "not_complete 2020-09-01 2020-09-01"),
        ("2021-06-01", (), "not_complete 2021-09-01 2021-09-01"),
        ("2028-02-01", ("2026-11-01 01",), "not_complete 2027-09-01 2027-09-01"),
    ],
)
def test_a_season_comes_every_year(tmp_path: Path, on: str, doses: tuple[str, ...], expected: str) -> None:
    """The data name the season of 2025-26; what counts doses of the season moves with it."""
    once = dose(1, AGE, SEASON, ENOUGH, recurring="Yes")
    rules = programme(tmp_path, One=series("yearly", once))
    assert days(ask(rules, "2015-01-10", on, *doses)) == expected


def test_who_is_due_knows_the_days_of_every_season(tmp_path: Path) -> None:
    rules = programme(tmp_path, One=series("yearly", dose(1, AGE, SEASON, ENOUGH, recurring="Yes")))
    starts = {dt.date(year, 9, 1).toordinal() for year in range(2015, 2030)}
    assert starts <= set(Marks(rules).days)


def test_an_overriding_interval_goes_ahead_but_not_before_the_last_dose_of_the_group(tmp_path: Path) -> None:
    """MULTIANTVG-1: pertussis need not wait for tetanus, yet no dose is forecast before one that was given."""
    ahead = series("one", dose(1, AGE), dose(2, INTERVAL.format(wait="8 weeks", priority="override")))
    waits = series("two", dose(1, AGE), dose(2, INTERVAL.format(wait="5 years", priority="")),
                   dose(3, INTERVAL.format(wait="5 years", priority="")), disease="Two")  # fmt: skip
    rules = programme(tmp_path, One=ahead, Two=waits)
    assert days(ask(rules, "2015-01-10", "2021-06-01", "2019-01-10 01")) == "not_complete 2019-03-07 2019-03-07"
    later = ask(rules, "2015-01-10", "2021-06-01", "2019-01-10 01", "2019-08-01 02")
    assert days(later) == "not_complete 2019-08-01 2019-08-01"


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("<age><minAge>soon</minAge></age>", "soon"),
        (SEASON.replace("20250901", "20251301"), "month"),
        ("<interval><fromTargetDose>first</fromTargetDose><minInt>4 weeks</minInt></interval>", "first"),
    ],
)
def test_xml_with_broken_values_is_refused_by_file(tmp_path: Path, part: str, named: str) -> None:
    with pytest.raises(BadInput) as caught:
        programme(tmp_path, One=series("broken", dose(1, part)))
    fault = caught.value.faults[0]
    assert "One" in str(fault.field)
    assert named in fault.text()
