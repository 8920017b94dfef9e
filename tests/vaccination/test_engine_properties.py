"""What holds of the schedule engine for any history: it answers, the same every time, whatever the order of the doses.

All 30 antigens of the CDSi supporting data and the programmes that ship; among them histories that nobody would have.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.vaccination import evaluation, programmes
from khien.vaccination.rules.engine import Answer, evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.model import Programme

STATUSES = {"complete", "not_complete", "immune", "contraindicated", "aged_out", "not_recommended"}
WORTHS = {"valid", "not_valid", "extraneous", "sub_standard"}
_FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=["cdsi", "childhood_vn", "covid_19_vn_2021"])
def programme(request: pytest.FixtureRequest) -> Programme:
    if request.param != "cdsi":
        return programmes.find(request.param)
    folder = Path(__file__).parents[3] / "shared" / "testdata" / "cdsi" / "supporting-data-4.64"
    if not folder.is_dir():
        pytest.skip("the CDSi supporting data are not at hand")
    return programmes.from_cdsi(folder)


class History(NamedTuple):
    """Somebody, not yet of a programme: vaccines and observations are places in its lists."""

    birth: int
    age: int
    sex: str
    doses: list[tuple[int, int, str, bool]]  # days after birth, vaccine, maker, spoilt
    observed: dict[int, int | None]

    def of(self, programme: Programme) -> Person:
        codes = [*sorted(programme.vaccines), "999", ""]
        known = [*sorted(programme.observations), "nothing"]
        return Person(
            birth=self.birth,
            on=self.birth + self.age,
            sex=self.sex,
            doses=tuple(
                Given(self.birth + day, codes[code % len(codes)], mvx, substandard=bad and day % 5 == 0)
                for day, code, mvx, bad in self.doses
            ),
            observations={known[code % len(known)]: day for code, day in self.observed.items()},
        )


# Days of some lie close together, so that several fall on one day and many within an interval.
_DAYS = (st.integers(-40, 1_500), st.integers(-40, 36_000))
HISTORIES = st.builds(
    History,
    birth=st.integers(dt.date(1920, 1, 1).toordinal(), dt.date(2026, 6, 1).toordinal()),
    age=st.integers(-10, 36_000),
    sex=st.sampled_from(["female", "male", "unknown"]),
    doses=st.one_of(
        *(st.lists(st.tuples(days, st.integers(0, 299), st.sampled_from(["", "MSD", "SKB"]), st.booleans()), max_size=9)
          for days in _DAYS)
    ),
    observed=st.dictionaries(st.integers(0, 299), st.none() | st.integers(726_000, 740_000), max_size=3),
)  # fmt: skip


@_FEW
@given(history=HISTORIES)
def test_any_history_has_an_answer(programme: Programme, history: History) -> None:
    person = history.of(programme)
    answer = evaluate(programme, person)
    assert answer == evaluate(programme, person)
    groups = {group.name for group in programme.groups}
    for judged in answer.doses:
        assert judged.status in WORTHS
        assert person.doses[judged.number].day <= person.on
        assert judged.status == "valid" or judged.reasons
    assert len({(j.number, j.group) for j in answer.doses}) == len(answer.doses)
    for group in answer.groups:
        assert group.group in groups
        assert group.status in STATUSES
        assert (group.earliest is not None) == (group.status == "not_complete")
        if group.earliest is not None and group.recommended is not None:
            assert person.birth <= group.earliest <= group.recommended
            assert group.past_due is None or group.past_due >= group.earliest
            assert group.dose_number is not None
            assert group.dose_number > 0
        assert all(reason.document in programme.documents or not reason.document for reason in group.reasons)
    line = evaluation.put(programme, person, answer, language="vi", key=1) if person.on >= person.birth else {}
    assert len(line.get("doses", person.doses)) == len(person.doses)


def _by_dose(person: Person, answer: Answer) -> set[tuple[object, ...]]:
    return {(person.doses[j.number], j.group, j.status, j.reasons, j.series) for j in answer.doses}


@_FEW
@given(history=HISTORIES, dice=st.randoms(use_true_random=False))
def test_the_order_of_the_doses_does_not_matter(programme: Programme, history: History, dice: random.Random) -> None:
    person = history.of(programme)
    other = replace(person, doses=tuple(dice.sample(person.doses, len(person.doses))))
    one, two = evaluate(programme, person), evaluate(programme, other)
    assert one.groups == two.groups
    assert _by_dose(person, one) == _by_dose(other, two)


@_FEW
@given(history=HISTORIES)
def test_what_comes_after_the_day_of_evaluation_is_not_seen(programme: Programme, history: History) -> None:
    person = history.of(programme)
    past = replace(person, doses=tuple(d for d in person.doses if d.day <= person.on))
    assert evaluate(programme, past).groups == evaluate(programme, person).groups


@_FEW
@given(history=HISTORIES)
def test_antigens_with_the_same_rules_answer_as_if_each_were_walked(programme: Programme, history: History) -> None:
    person = replace(history.of(programme), observations={})
    once = replace(programme, seasons=None)
    assert evaluate(once, person) == evaluate(replace(once, twins={}), person)
