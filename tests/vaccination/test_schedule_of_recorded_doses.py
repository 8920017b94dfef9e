"""A dose is checked by the schedule of its day when it is recorded: refused before the injection; recorded, marked and
never lost after it."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from khien.core.errors import Refused
from khien.core.session import Session
from khien.vaccination import actions, due, store
from khien.vaccination.rules.dose_checks import DoseEntry
from tests.register import NORTH, add_country, add_person, set_today
from tests.vaccination.test_doses import standing

DAY = dt.date(2021, 9, 15)


@pytest.fixture
def clinic(session: Session) -> Session:
    add_country(session)
    actions.load_products(by=session.actor)
    session.execute("INSERT INTO site (code, name, unit_id) VALUES ('S1', 'Trạm Bắc', 900000001)")
    add_person(session, 1)
    add_person(session, 2, birth_date=dt.date(2013, 4, 1))
    set_today(session, DAY)
    return session


def dose(product: str, day: str, person_id: int = 1, **more: object) -> DoseEntry:
    return DoseEntry(uuid4(), person_id, product, dt.date.fromisoformat(day), site="S1", evidence="site", **more)  # type: ignore[arg-type]


def elsewhere(product: str, day: str, person_id: int = 1, evidence: str = "paper") -> DoseEntry:
    return DoseEntry(uuid4(), person_id, product, dt.date.fromisoformat(day), evidence=evidence)


def lots(session: Session, *products: str) -> None:
    for product in products:
        actions.receive_lot(
            by=session.actor, product=product, lot_number="L1", arrived_on=dt.date(2021, 1, 1),
            expires_on=dt.date(2022, 6, 1),
        )  # fmt: skip


# What is wrong, whom it is given to, what he or she had before, the dose, the rule that says so, its document.
BREACHES = [
    ("third first dose", 1, [("astrazeneca", "2021-05-01"), ("astrazeneca", "2021-07-20")], "astrazeneca",
     "series_already_complete", "Decision 3355/QĐ-BYT (08/07/2021)"),
    ("wrong product for the age", 2, [], "pfizer", "too_young", "Resolution 21/NQ-CP (26/02/2021)"),
    ("second dose too soon", 1, [("pfizer", "2021-09-01")], "pfizer", "interval_too_short",
     "The maker's instructions for use"),
    ("products that do not mix", 1, [("vero_cell", "2021-08-01")], "pfizer", "vaccine_not_after_previous",
     "Conditional approval of the vaccine by the Ministry of Health"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "person", "before", "product", "rule", "document"), BREACHES, ids=[b[0] for b in BREACHES]
)
def test_the_desk_refuses_what_was_given_is_kept_and_marked(
    clinic: Session, what: str, person: int, before: list, product: str, rule: str, document: str
) -> None:
    lots(clinic, product)
    for vaccine, day in before:
        actions.record_dose(by=clinic.actor, entry=elsewhere(vaccine, day, person))
    told = dose(product, "2021-09-15", person, lot_number="L1")
    with pytest.raises(Refused) as refusal:
        actions.record_dose(by=clinic.actor, entry=told)
    assert (refusal.value.rule, refusal.value.document) == (rule, document)
    assert refusal.value.text("vi") != refusal.value.text("en")
    given = dose(product, "2021-09-15", person, lot_number="L1", already_given=True)
    assert actions.record_dose(by=clinic.actor, entry=given).result == "recorded"
    newest = standing(clinic, person)[0]
    assert rule in newest["flags"]
    assert not newest["counts"]
    assert store.flag_titles(newest["flags"], "vi") != newest["flags"]


@pytest.mark.parametrize("evidence", ["abroad", "paper", "declared"])
def test_a_dose_from_elsewhere_was_given_whatever_the_schedule_says(clinic: Session, evidence: str) -> None:
    outcome = actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-01", 2, evidence))
    assert outcome.result == "recorded"
    assert "too_young" in standing(clinic, 2)[0]["flags"]


def test_a_declared_dose_says_nothing_about_the_next_one(clinic: Session) -> None:
    lots(clinic, "pfizer")
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-01", evidence="declared"))
    assert actions.record_dose(by=clinic.actor, entry=dose("pfizer", "2021-09-15", lot_number="L1")).findings == ()


def test_within_a_batch_the_earlier_dose_is_known(clinic: Session) -> None:
    lots(clinic, "pfizer")
    batch = [dose("pfizer", "2021-09-01", lot_number="L1"), dose("pfizer", "2021-09-06", lot_number="L1")]
    first, second = actions.record_doses(by=clinic.actor, entries=batch)
    assert (first.result, second.result) == ("recorded", "refused")
    assert "interval_too_short" in {f.rule for f in second.findings}


def flags(session: Session) -> dict[str, tuple[list[str], bool]]:
    return {str(d["given_on"]): (d["flags"], d["counts"]) for d in standing(session)}


def test_a_corrected_first_dose_gives_the_second_one_its_worth_back(clinic: Session) -> None:
    # given a first dose typed with a wrong month, and a second one that is too soon after it
    wrong = actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-01"))
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-10"))
    assert not flags(clinic)["2021-09-10"][1]
    # when the first one is corrected
    assert wrong.dose_id is not None
    actions.correct_dose(
        by=clinic.actor, person_id=1, dose_id=wrong.dose_id, client_id=uuid4(), reason="Gõ nhầm tháng",
        changes={"given_on": dt.date(2021, 8, 1)},
    )  # fmt: skip
    # then both count
    assert flags(clinic) == {"2021-08-01": ([], True), "2021-09-10": ([], True)}


def test_a_dose_that_is_recorded_late_is_seen_by_the_later_ones(clinic: Session) -> None:
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-10"))
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-01"))
    assert flags(clinic)["2021-09-01"] == ([], True)
    assert "interval_too_short" in flags(clinic)["2021-09-10"][0]


def test_what_the_dose_itself_keeps_from_counting_is_not_weighed_by_the_schedule_later(clinic: Session) -> None:
    lots(clinic, "pfizer")
    expired = dt.date(2021, 9, 8)
    clinic.execute("UPDATE lot SET expires_on = %(day)s", day=expired - dt.timedelta(days=1))
    actions.record_dose(by=clinic.actor, entry=dose("pfizer", str(expired), lot_number="L1", already_given=True))
    before = flags(clinic)[str(expired)]
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-01"))
    assert flags(clinic)[str(expired)] == before == (["lot_expired"], False)


def test_two_doses_of_one_batch_in_the_wrong_order_are_judged_in_the_right_one(clinic: Session) -> None:
    batch = [elsewhere("pfizer", "2021-09-10"), elsewhere("pfizer", "2021-09-01")]
    assert [o.result for o in actions.record_doses(by=clinic.actor, entries=batch)] == ["recorded", "recorded"]
    assert flags(clinic)["2021-09-01"] == ([], True)
    assert "interval_too_short" in flags(clinic)["2021-09-10"][0]


def test_a_dose_too_soon_puts_the_next_one_off_and_an_impossible_one_does_not(clinic: Session) -> None:
    """The interval runs from the dose that has to be repeated; a dose before birth is somebody else's."""
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-08-20"))
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-01"))
    add_person(clinic, 3)
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "1980-01-01", 3))
    for day, people in ((DAY, [3]), (dt.date(2021, 9, 23), [1, 3])):
        due.find_due(clinic, "covid_19_vn_2021", f"{{[{NORTH},{NORTH}]}}", day)
        assert [row["person_id"] for row in due.due_people(clinic)] == people


def test_a_dose_recorded_of_a_double_is_the_persons_own(clinic: Session) -> None:
    lots(clinic, "pfizer")
    add_person(clinic, 4)
    actions.record_dose(by=clinic.actor, entry=elsewhere("pfizer", "2021-09-10", 4))
    clinic.execute("UPDATE person SET merged_into = 1 WHERE person_id = 4")
    assert [(d["person_id"], str(d["given_on"])) for d in store.doses_of_person(clinic, 1)] == [(4, "2021-09-10")]
    with pytest.raises(Refused) as refusal:
        actions.record_dose(by=clinic.actor, entry=dose("pfizer", "2021-09-15", lot_number="L1"))
    assert refusal.value.rule == "interval_too_short"
