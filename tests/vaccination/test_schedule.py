"""The engine's rules as tables: facts, an expected answer. The invented programme stands in `mini.toml` beside this."""

# ruff: noqa: E501 - a table reads by rows

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import pytest

from khien.vaccination import programmes
from khien.vaccination.rules.engine import Answer, evaluate
from khien.vaccination.rules.facts import Given, Person

MINI = programmes.find(str(Path(__file__).with_name("mini.toml")))


def day(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()


def ask(born: str, on: str, doses: str = "", known: str = "") -> Answer:
    """`doses`: "2021-05-01 plain, 2021-11-01 plain"; `known`: "fever 2021-05-01, worker"."""
    given = tuple(Given(day(d), v) for d, v in (part.split() for part in doses.split(", ") if part))
    facts = [part.split() for part in known.split(", ") if part]
    observations = {f[0]: day(f[1]) if len(f) > 1 else None for f in facts}
    return evaluate(MINI, Person(day(born), day(on), "female", given, observations))


class DoseRow(NamedTuple):
    rule: str
    born: str
    doses: str
    group: str
    judged: str  # status of each dose of the group, with the first reason


DOSES = [
    DoseRow("exactly the absolute minimum age: grace, it counts", "2020-01-10", "2021-01-06 plain", "A", "valid grace_period"),
    DoseRow("a day younger: too young", "2020-01-10", "2021-01-05 plain", "A", "not_valid too_young"),
    DoseRow("at the maximum age: too old, extraneous", "2000-01-10", "2020-01-10 plain", "A", "extraneous too_old"),
    DoseRow("the day before: valid", "2000-01-10", "2020-01-09 plain", "A", "valid"),
    DoseRow("a brand below its own age", "2020-01-10", "2021-06-10 brand", "A", "not_valid vaccine_wrong_for_age"),
    DoseRow("at the absolute minimum interval", "2018-01-10", "2020-01-10 plain, 2020-07-06 plain", "A", "valid; valid grace_period"),
    DoseRow("shorter, but within the allowable interval", "2018-01-10", "2020-01-10 plain, 2020-06-10 plain", "A", "valid; valid"),
    DoseRow("shorter than both", "2018-01-10", "2020-01-10 plain, 2020-06-09 plain", "A", "valid; not_valid interval_too_short"),
    DoseRow("a brand after another vaccine: mixing is not allowed", "2016-01-10", "2019-01-10 plain, 2019-08-10 brand", "A",
            "valid; not_valid vaccine_not_after_previous"),
    DoseRow("the same brand twice", "2016-01-10", "2019-01-10 brand, 2019-08-10 brand", "A", "valid; valid"),
    DoseRow("a third dose", "2016-01-10", "2018-01-10 plain, 2018-08-10 plain, 2019-01-10 plain", "A",
            "valid; valid; extraneous series_already_complete"),
    DoseRow("the second is skipped: what comes is extra", "2015-01-10", "2019-02-10 plain, 2020-02-10 plain", "A",
            "valid; extraneous series_already_complete"),
    DoseRow("a year after the latest dose of another vaccine", "2010-01-10", "2019-01-10 brand, 2020-01-10 other", "D", "valid"),
    DoseRow("a day less", "2010-01-10", "2019-01-10 brand, 2020-01-09 other", "D", "not_valid interval_too_short"),
    DoseRow("live vaccines on one day do not hinder each other", "2020-01-10", "2021-01-10 live1, 2021-01-10 live2", "M", "valid"),
    DoseRow("a live vaccine 23 days after a valid one", "2020-01-10", "2021-01-10 live1, 2021-02-02 live2", "M",
            "not_valid live_virus_conflict"),
    DoseRow("24 days after", "2020-01-10", "2021-01-10 live1, 2021-02-03 live2", "M", "valid"),
    DoseRow("after one of its own that did not count: 27 days are too few", "2020-07-01", "2020-12-30 live1, 2021-01-26 live1", "L",
            "not_valid too_young; not_valid live_virus_conflict"),
    DoseRow("28 are enough", "2020-07-01", "2020-12-30 live1, 2021-01-27 live1", "L", "not_valid too_young; valid"),
    DoseRow("six years old under the rule of 2020", "2014-06-01", "2020-12-31 late", "R", "not_valid too_young"),
    DoseRow("six years old under the rule of 2021", "2014-06-01", "2021-01-01 late", "R", "valid"),
]  # fmt: skip


@pytest.mark.parametrize("row", DOSES, ids=lambda row: row.rule)
def test_what_a_dose_is_worth(row: DoseRow) -> None:
    answer = ask(row.born, "2022-01-01", row.doses)
    judged = [j for j in answer.doses if j.group == row.group]
    found = "; ".join(" ".join([j.status, *(r.code for r in j.reasons[:1])]) for j in judged)
    assert found == row.judged


class ForecastRow(NamedTuple):
    rule: str
    born: str
    on: str
    doses: str
    known: str
    group: str
    answer: str  # status, then earliest / recommended / past due


FORECASTS = [
    ForecastRow("no dose", "2021-01-10", "2021-03-01", "", "", "A", "not_complete 2022-01-10 2022-04-10 2022-07-10"),
    ForecastRow("second dose by interval", "2019-01-10", "2021-03-01", "2021-01-15 plain", "", "A",
                "not_complete 2021-07-15 2021-08-15 2022-02-14"),
    ForecastRow("an invalid dose counts for the interval", "2019-01-10", "2021-04-01", "2021-01-15 plain, 2021-03-15 plain", "", "A",
                "not_complete 2021-09-15 2021-10-15 2022-04-14"),
    ForecastRow("skipped at 5 years after a dose at 4", "2015-01-10", "2020-02-01", "2019-02-10 plain", "", "A", "complete"),
    ForecastRow("skipped on the first day it could be given", "2015-01-10", "2019-12-01", "2019-09-10 plain", "", "A", "complete"),
    ForecastRow("older than the maximum age", "1990-01-10", "2021-01-01", "", "", "A", "aged_out"),
    ForecastRow("immune by a disease", "2010-01-10", "2021-01-01", "", "had_a", "A", "immune"),
    ForecastRow("immune by birth", "1950-01-10", "2021-01-01", "", "", "A", "immune"),
    ForecastRow("born early, but an exception", "1950-01-10", "2021-01-01", "", "worker", "A", "aged_out"),
    ForecastRow("contraindicated", "2019-01-10", "2021-01-01", "", "allergy", "A", "contraindicated"),
    ForecastRow("only one of the vaccines is contraindicated", "2019-01-10", "2021-02-01", "", "brand_allergy", "A",
                "not_complete 2020-01-10 2020-04-10 2020-07-10"),
    ForecastRow("30 days after the fever", "2018-01-10", "2021-02-01", "", "fever 2021-01-20", "D", "not_complete 2021-02-19 2021-02-19 -"),
    ForecastRow("a live vaccine waits for the other", "2020-01-10", "2021-02-01", "2021-01-20 live1", "", "M",
                "not_complete 2021-02-17 2021-02-17 -"),
    ForecastRow("before the season", "2018-01-10", "2021-06-01", "", "", "S", "not_complete 2021-09-01 2021-09-01 -"),
    ForecastRow("in the season, again four weeks after the last", "2018-01-10", "2021-12-01", "2021-11-15 yearly", "", "S",
                "not_complete 2021-12-13 2021-12-13 -"),
    ForecastRow("after the season", "2018-01-10", "2022-04-01", "", "", "S", "not_recommended"),
    ForecastRow("the forecast follows the rule of its day", "2014-06-01", "2020-06-01", "", "", "R", "not_complete 2024-06-01 2024-06-01 -"),
    ForecastRow("and of the day after the change", "2014-06-01", "2021-06-01", "", "", "R", "not_complete 2019-06-01 2019-06-01 -"),
    ForecastRow("a risk needs the series for it", "2019-06-01", "2021-06-01", "2020-12-15 late", "risk", "R",
                "not_complete 2021-02-09 2021-02-09 -"),
    ForecastRow("below the age of the risk", "2020-12-01", "2021-06-01", "", "risk", "R", "not_complete 2025-12-01 2025-12-01 -"),
]  # fmt: skip


@pytest.mark.parametrize("row", FORECASTS, ids=lambda row: row.rule)
def test_what_is_next(row: ForecastRow) -> None:
    answer = ask(row.born, row.on, row.doses, row.known)
    group = next(g for g in answer.groups if g.group == row.group)
    days = [
        dt.date.fromordinal(d).isoformat() if d else "-" for d in (group.earliest, group.recommended, group.past_due)
    ]
    assert " ".join([group.status, *(days if group.status == "not_complete" else [])]) == row.answer


def test_vaccines_to_name() -> None:
    """By age, by mixing rule, without those contraindicated."""

    def named(*facts: str) -> tuple[str, ...]:
        return next(g.vaccines for g in ask(*facts).groups if g.group == "A")

    assert named("2020-06-10", "2021-10-01") == ("plain",)
    assert named("2018-01-10", "2021-02-01") == ("plain", "brand")
    assert named("2018-01-10", "2021-02-01", "", "brand_allergy") == ("plain",)
    assert named("2018-01-10", "2021-02-01", "2020-12-01 plain") == ("plain",)
    assert named("2018-01-10", "2021-02-01", "2020-12-01 brand") == ("plain", "brand")


def test_order_of_the_doses_does_not_matter_and_future_ones_are_not_seen() -> None:
    there = ask("2018-01-10", "2021-01-01", "2020-01-10 plain, 2020-08-10 plain, 2021-06-01 plain")
    back = ask("2018-01-10", "2021-01-01", "2021-06-01 plain, 2020-08-10 plain, 2020-01-10 plain")
    assert there.groups == back.groups
    assert [j.status for j in there.doses if j.group == "A"] == ["valid", "valid"]
