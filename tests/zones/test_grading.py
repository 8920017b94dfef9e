"""Grades as a table that a doctor can read. Decision 4800's own table is unverified; what Hà Nội published is not."""

from __future__ import annotations

import datetime as dt

import pytest

from khien import rulebook
from khien.core.errors import WrongUsage
from khien.zones.rules.grading import Cases, Facts, basis_days, propose, report_state, scheme
from khien.zones.rules.grading import counting as how_counted

OCTOBER, NOVEMBER, DECEMBER = dt.date(2021, 10, 24), dt.date(2021, 11, 26), dt.date(2021, 12, 3)


def facts(rate: float, adults: float, old: float, **more: object) -> Facts:
    """A commune of 1,000,000, so that a rate with one decimal is a whole number of cases."""
    given = {"population": 1_000_000, "cases": Cases(round(rate * 10)), "adults": adults, "old": old} | more
    return Facts(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "on", "rate", "adults", "old", "grade"),
    [
        ("Hà Nội, 26/11/2021: published level 2", NOVEMBER, 20, 0.939, 0.812, 2),
        ("Hà Nội, 03/12/2021: published level 2", DECEMBER, 28, 0.942, 0.812, 2),
        ("Đống Đa: published level 3", DECEMBER, 177, 0.942, 0.812, 3),
        ("Hai Bà Trưng: published level 3", DECEMBER, 179, 0.942, 0.812, 3),
        ("Long An, 24/10/2021: yellow only because of 51.59 % of the old", OCTOBER, 10, 0.9, 0.5159, 2),
        ("no cases: the old do not matter", OCTOBER, 0, 0.9, 0.1, 1),
        ("just below the second band", NOVEMBER, 19.9, 0.9, 0.9, 1),
        ("second band, many adults", NOVEMBER, 20, 0.7, 0.9, 2),
        ("third band, many adults", NOVEMBER, 149.9, 0.7, 0.9, 2),
        ("third band, few adults", NOVEMBER, 50, 0.699, 0.9, 3),
        ("fourth band, many adults", NOVEMBER, 150, 0.7, 0.9, 3),
        ("fourth band, few adults", NOVEMBER, 150, 0.699, 0.9, 4),
        ("fourth band, few adults, few old: no fifth grade", NOVEMBER, 150, 0.5, 0.1, 4),
        ("exactly 80 % of the old are enough", NOVEMBER, 60, 0.9, 0.8, 2),
        ("just below 80 % of the old", NOVEMBER, 60, 0.9, 0.799, 3),
    ],
)
def test_decision_4800(what: str, on: dt.date, rate: float, adults: float, old: float, grade: int) -> None:
    assert propose(facts(rate, adults, old), on).grade == grade, what


def test_a_fortnight_is_halved_as_ha_noi_did() -> None:
    assert basis_days("fortnight") == 14
    found = propose(facts(0, 0.94, 0.82, cases=Cases(560), days=14), DECEMBER)
    assert (found.weekly_rate, found.grade) == (28.0, 2)
    with pytest.raises(WrongUsage):
        basis_days("month")


def test_without_capacity_nothing_is_lowered() -> None:
    lower = propose(facts(10, 0.9, 0.9, capacity=False, current=3), NOVEMBER)
    assert (lower.base, lower.grade, lower.steps) == (1, 3, ("capacity",))
    assert propose(facts(10, 0.9, 0.9, capacity=None, current=3), NOVEMBER).grade == 1
    assert propose(facts(200, 0.9, 0.9, capacity=False, current=2), NOVEMBER).grade == 3


def test_a_batch_of_late_cases_regrades_nothing() -> None:
    """151,919 cases of one province, reported on one day: its people fell ill over weeks before."""
    dump = Cases(counted=300, late=151_919)
    kept = propose(Facts(1_800_000, dump, 0.9, 0.9, current=2), DECEMBER)
    assert (kept.report, kept.grade, kept.steps) == ("anomalous", 2, ("anomalous_report",))
    first = propose(Facts(1_800_000, dump, 0.9, 0.9), DECEMBER)
    assert (first.report, first.grade, round(first.weekly_rate or 0, 1)) == ("anomalous", 1, 16.7)


def test_a_dump_without_days_of_onset_is_seen_by_its_size() -> None:
    how = how_counted(DECEMBER)
    assert report_state(Cases(counted=900, spike=800, usual=5), how) == "anomalous"
    assert report_state(Cases(counted=900, spike=130, usual=120), how) == "normal"  # a wave, not a dump
    assert report_state(Cases(counted=40, spike=30, usual=0), how) == "normal"  # small numbers jump
    assert report_state(Cases(counted=400, late=19), how) == "normal"


def test_218_shows_figures_and_proposes_nothing() -> None:
    found = propose(facts(120, 0.9, 0.9, current=2), dt.date(2022, 2, 10))
    assert (found.grade, found.weekly_rate, found.steps) == (None, 120.0, ("no_thresholds",))
    assert propose(facts(120, 0.9, 0.9), dt.date(2022, 2, 10), scheme(dt.date(2022, 2, 10), "4800")).grade == 2


def test_where_nobody_lives_there_is_no_rate() -> None:
    assert propose(Facts(0, Cases(3), None, None), NOVEMBER).steps == ("nobody_lives_here",)


def test_every_scheme_names_its_document_and_says_whether_it_is_verified() -> None:
    for entry in rulebook.load("zones", "grades")["scheme"] + rulebook.load("zones", "directives")["directive"]:
        assert entry["document"]
        assert isinstance(entry["verified"], bool)
    assert scheme(dt.date(2021, 11, 1))["id"] == "4800"
    assert scheme(dt.date(2022, 1, 27))["id"] == "218"
    with pytest.raises(WrongUsage):
        scheme(NOVEMBER, "9999")
