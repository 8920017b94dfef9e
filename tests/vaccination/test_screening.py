"""The screening forms as a doctor would check them: what is said, on which day, leads where."""

from __future__ import annotations

import datetime as dt

import pytest

from khien import rulebook
from khien.vaccination.rules.screening import age_on, form_in_force, screen

RULES = rulebook.load("vaccination", "screening")
D = dt.date

FORMS = [
    (D(2021, 6, 17), 30, None), (D(2021, 6, 18), 30, "2995"), (D(2021, 7, 14), 30, "2995"),
    (D(2021, 7, 15), 30, "3445"), (D(2021, 8, 10), 30, "3802"), (D(2021, 9, 10), 18, "4355"),
    (D(2021, 9, 10), 17, None), (D(2021, 10, 26), 12, None), (D(2021, 10, 27), 12, "5002"),
    (D(2021, 12, 20), 30, "4355"), (D(2021, 12, 21), 30, "5785"), (D(2022, 6, 1), 6, "5002"),
]  # fmt: skip


@pytest.mark.parametrize(("day", "age", "form"), FORMS)
def test_the_form_in_force(day: dt.date, age: int, form: str | None) -> None:
    found = form_in_force(RULES, day, age)
    assert (found.id if found else None) == form


BEFORE, AFTER = D(2021, 9, 15), D(2021, 12, 21)
OUTCOMES = [
    (BEFORE, {}, "eligible"),
    (BEFORE, {"temperature": 36.8, "pulse": 72, "systolic": 120, "diastolic": 80, "breathing": 18}, "eligible"),
    (BEFORE, {"temperature": 35.5}, "eligible"), (BEFORE, {"temperature": 35.4}, "caution"),
    (BEFORE, {"temperature": 37.5}, "eligible"), (BEFORE, {"temperature": 37.6}, "caution"),
    (BEFORE, {"pulse": 60}, "eligible"), (BEFORE, {"pulse": 59}, "caution"),
    (BEFORE, {"pulse": 100}, "eligible"), (BEFORE, {"pulse": 101}, "caution"),
    (BEFORE, {"diastolic": 60}, "eligible"), (BEFORE, {"diastolic": 59}, "caution"),
    (BEFORE, {"diastolic": 90}, "eligible"), (BEFORE, {"diastolic": 91}, "caution"),
    (BEFORE, {"systolic": 90}, "eligible"), (BEFORE, {"systolic": 89}, "caution"),
    (BEFORE, {"systolic": 140}, "eligible"), (BEFORE, {"systolic": 141}, "caution"),
    (BEFORE, {"breathing": 25}, "eligible"), (BEFORE, {"breathing": 26}, "caution"),
    (BEFORE, {"blood_pressure_rise": True}, "caution"), (BEFORE, {"other_allergy": True}, "caution"),
    (BEFORE, {"chronic_disease": True}, "caution"), (BEFORE, {"loss_of_consciousness": True}, "caution"),
    (BEFORE, {"coagulation_disorder": True}, "caution"), (BEFORE, {"pregnancy_from_13_weeks": True}, "caution"),
    (BEFORE, {"acute_illness": True}, "postpone"), (BEFORE, {"pregnancy_under_13_weeks": True}, "postpone"),
    (BEFORE, {"covid_19_within_6_months": True}, "postpone"), (AFTER, {"covid_19_within_6_months": True}, "eligible"),
    (BEFORE, {"anaphylaxis_same": True}, "contraindicated"),
    (BEFORE, {"maker_contraindication": True}, "contraindicated"),
    (BEFORE, {"chronic_disease": True, "acute_illness": True}, "postpone"),
    (BEFORE, {"acute_illness": True, "anaphylaxis_same": True, "pulse": 120}, "contraindicated"),
    (BEFORE, {"chronic_disease": False, "temperature": None}, "eligible"),
]  # fmt: skip


@pytest.mark.parametrize(("day", "answers", "outcome"), OUTCOMES)
def test_the_worst_answer_counts(day: dt.date, answers: dict, outcome: str) -> None:
    form = form_in_force(RULES, day, 30)
    assert form is not None
    result = screen(form.criteria, answers)
    assert result.outcome == outcome
    assert bool(result.reasons) is (outcome != "eligible")
    assert result.may_be_given is (outcome in ("eligible", "caution"))


def test_men_are_not_asked_about_pregnancy() -> None:
    form = form_in_force(RULES, BEFORE, 30)
    assert form is not None
    assert not any("pregnancy" in c.id for c in form.for_sex("male"))
    assert sum("pregnancy" in c.id for c in form.for_sex("female")) == 2
    assert sum("pregnancy" in c.id for c in form.for_sex("unknown")) == 2


def test_age_in_completed_years() -> None:
    assert age_on(D(2003, 9, 16), D(2021, 9, 15)) == 17
    assert age_on(D(2003, 9, 15), D(2021, 9, 15)) == 18
    assert age_on(D(2004, 2, 29), D(2022, 2, 28)) == 17


def test_every_form_names_criteria_that_exist_and_its_document() -> None:
    known = {c["id"] for c in RULES["criterion"]}
    assert all(set(f["criteria"]) <= known and f["document"] for f in RULES["form"])
    assert all({"vi", "en"} <= c["title"].keys() for c in RULES["criterion"])
