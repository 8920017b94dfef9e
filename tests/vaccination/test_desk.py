"""The desk against a real database: from the scan to the way out, and back where something was wrong."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session
from khien.vaccination import actions
from khien.vaccination import store as doses
from khien.vaccination.store import desk as store
from tests.register import COUNTRY, SOUTH, add_country, add_person, set_today

DAY = dt.date(2021, 9, 15)


@pytest.fixture
def station(session: Session) -> Session:
    add_country(session)
    actions.load_products(by=session.actor)
    session.execute("INSERT INTO site (code, name, unit_id) VALUES ('S1', 'Trạm Bắc', 900000001)")
    for lot in ("P1", "P2"):
        actions.receive_lot(
            by=session.actor, product="pfizer", lot_number=lot, arrived_on=dt.date(2021, 7, 1),
            expires_on=dt.date(2021, 12, 31),
        )  # fmt: skip
    add_person(session, 1)
    set_today(session, DAY)
    return session


def open_session(session: Session, day: dt.date = DAY, product: str = "pfizer", lot: str | None = "P1") -> int:
    campaign = actions.open_campaign(
        by=session.actor, client_id=uuid4(), name="Chiến dịch", programme="covid_19_vn_2021",
        vaccine_group="COVID-19", unit_id=COUNTRY, starts_on=dt.date(2021, 7, 1), ends_on=dt.date(2022, 12, 31),
    )  # fmt: skip
    return actions.open_session(
        by=session.actor, client_id=uuid4(), campaign_id=campaign, site="S1", day=day, product=product, places=100,
        lot_number=lot,
    )  # fmt: skip


def screened(session: Session, session_id: int, person_id: int = 1, **answers: bool | float) -> str:
    done = actions.screen_person(by=session.actor, session_id=session_id, person_id=person_id, answers=answers)
    return done.outcome


def give(session: Session, session_id: int, person_id: int = 1, **more: object) -> actions.DoseOutcome:
    told = {"client_id": uuid4(), "consent": True} | more
    return actions.give_dose(by=session.actor, session_id=session_id, person_id=person_id, **told)  # type: ignore[arg-type]


def standing(session: Session, person_id: int = 1) -> list[dict]:
    rows = doses.doses_of_person(session, person_id)
    return [r for r in rows if r["superseded_by"] is None and r["status"] == "completed"]


def test_the_plain_way(station: Session) -> None:
    session_id = open_session(station)
    assert screened(station, session_id, temperature=36.6) == "eligible"
    message = uuid4()
    assert give(station, session_id, client_id=message).result == "recorded"
    assert give(station, session_id, client_id=message).result == "replayed"
    [dose] = standing(station)
    assert (dose["lot_number"], dose["site_name"], dose["given_on"], dose["flags"]) == ("P1", "Trạm Bắc", DAY, [])
    [row] = store.observed(station, session_id)
    assert (row["person_id"], row["minutes"]) == (1, 30)
    with pytest.raises(Refused) as refusal:
        actions.end_observation(by=station.actor, session_id=session_id, person_id=1, state="well")
    assert refusal.value.rule == "too_early_to_leave"
    station.execute("UPDATE desk_visit SET observe_until = observe_until - interval '31 minutes'")
    actions.end_observation(by=station.actor, session_id=session_id, person_id=1, state="well")
    figures = store.figures(station, [session_id])[session_id]
    assert (figures["walk_in"], figures["screened"], figures["given"], figures["observed"]) == (1, 1, 1, 0)


def test_a_reaction_may_end_the_observation_at_once(station: Session) -> None:
    session_id = open_session(station)
    screened(station, session_id)
    give(station, session_id)
    actions.end_observation(by=station.actor, session_id=session_id, person_id=1, state="reaction")
    assert store.observed(station, session_id)[0]["left_state"] == "reaction"


def test_undo_takes_the_dose_back_and_leaves_it_in_the_history(station: Session) -> None:
    session_id = open_session(station)
    screened(station, session_id)
    give(station, session_id)
    actions.undo_dose(by=station.actor, session_id=session_id, person_id=1)
    assert standing(station) == []
    assert len(doses.doses_of_person(station, 1)) == 2
    with pytest.raises(NotFound):
        actions.undo_dose(by=station.actor, session_id=session_id, person_id=1)
    assert give(station, session_id, lot_number="P2").result == "recorded"
    assert [d["lot_number"] for d in standing(station)] == ["P2"]


def refusal_of(station: Session, session_id: int, **more: object) -> str:
    with pytest.raises(Refused) as refusal:
        give(station, session_id, **more)
    assert refusal.value.document
    assert refusal.value.text("vi") != refusal.value.text("en")
    return refusal.value.rule


def test_no_dose_without_screening_consent_or_lot(station: Session) -> None:
    session_id = open_session(station, lot=None)
    assert refusal_of(station, session_id) == "not_screened"
    screened(station, session_id, acute_illness=True)
    assert refusal_of(station, session_id) == "screened_out"
    screened(station, session_id, chronic_disease=True)
    assert refusal_of(station, session_id, consent=False) == "consent_missing"
    assert refusal_of(station, session_id) == "no_lot"
    actions.choose_lot(by=station.actor, session_id=session_id, lot_number="P2")
    assert give(station, session_id).result == "recorded"
    assert refusal_of(station, session_id) == "given_already"


def test_a_minor_needs_a_guardian(station: Session) -> None:
    add_person(station, 2, birth_date=dt.date(2006, 1, 1))
    set_today(station, dt.date(2021, 11, 10))
    session_id = open_session(station, dt.date(2021, 11, 10))
    screened(station, session_id, 2)
    assert refusal_of(station, session_id, person_id=2) == "guardian_missing"
    assert give(station, session_id, 2, guardian_name="Trần Văn Mẫu").result == "recorded"


def test_a_lot_that_was_blocked_this_minute_is_not_given(station: Session) -> None:
    session_id = open_session(station)
    screened(station, session_id)
    actions.block_lot(by=station.actor, product="pfizer", lot_number="P1", reason="Nghi ngờ chuỗi lạnh")
    assert refusal_of(station, session_id) == "lot_blocked"
    # injected all the same: recorded, marked, not lost
    assert give(station, session_id, already_given=True).result == "recorded"
    assert standing(station)[0]["flags"] == ["lot_blocked"]


# What the schedule refuses before the injection: history, product, birth, day, and the reason it names.
SCHEDULE = [
    ([("pfizer", "2021-09-01")], "pfizer", "1990-01-15", "interval_too_short"),
    ([("pfizer", "2021-07-01"), ("pfizer", "2021-08-01")], "pfizer", "1990-01-15", None),  # a third dose in September
    ([("vero_cell", "2021-08-01")], "pfizer", "1990-01-15", "vaccine_not_after_previous"),
    ([], "pfizer", "2005-01-15", "too_young"),
]


@pytest.mark.parametrize(("history", "product", "birth", "reason"), SCHEDULE)
def test_what_the_schedule_forbids_names_rule_and_document(
    station: Session, history: list, product: str, birth: str, reason: str | None
) -> None:
    add_person(station, 5, birth_date=dt.date.fromisoformat(birth))
    for given, day in history:
        station.execute(
            "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)"
            " VALUES (5, gen_random_uuid(), %(p)s, %(d)s, now())", p=given, d=day,
        )  # fmt: skip
    session_id = open_session(station)
    station.execute(
        "INSERT INTO desk_visit (person_id, session_id, form, answers, outcome, reasons, screened_at)"
        " VALUES (5, %(s)s, '4355', '{}', 'eligible', '{}', %(now)s)", s=session_id, now=station.now,
    )  # fmt: skip
    with pytest.raises(Refused) as refusal:
        give(station, session_id, 5, guardian_name="Mẹ")
    if reason is not None:
        assert refusal.value.rule == reason
    assert refusal.value.document
    assert give(station, session_id, 5, guardian_name="Mẹ", already_given=True).result == "recorded"


def test_answers_that_cannot_be_are_named(station: Session) -> None:
    session_id = open_session(station)
    with pytest.raises(BadInput) as wrong:
        screened(station, session_id, temperature=366.0, flying=True)
    assert {f.field for f in wrong.value.faults} == {"temperature", "flying"}
    assert store.visit(station, session_id, 1) is None


def test_the_day_and_the_end_of_a_session_hold(station: Session) -> None:
    tomorrow = open_session(station, DAY + dt.timedelta(1))
    with pytest.raises(Refused) as refusal:
        screened(station, tomorrow)
    assert refusal.value.rule == "another_day"
    session_id = open_session(station)
    screened(station, session_id)
    give(station, session_id)
    with pytest.raises(Refused) as refusal:
        actions.close_session(by=station.actor, client_id=uuid4(), session_id=session_id)
    assert refusal.value.rule == "under_observation"
    actions.end_observation(by=station.actor, session_id=session_id, person_id=1, state="reaction")
    actions.receive_stock(by=station.actor, client_id=uuid4(), product="pfizer", lot_number="P1", site="S1", doses=12)
    message = uuid4()
    for _copy in range(2):
        actions.close_session(
            by=station.actor, client_id=message, session_id=session_id, used=2, wasted=4, reason="Lọ mở quá 6 giờ"
        )
    [row] = store.reconcile(station, session_id)
    assert (row["used"], row["wasted"], row["recorded"], row["difference"]) == (2, 4, 1, 1)
    with pytest.raises(Refused) as refusal:
        actions.undo_dose(by=station.actor, session_id=session_id, person_id=1)
    assert refusal.value.rule == "session_closed"


def test_a_refusal_keeps_its_reason(station: Session) -> None:
    session_id = open_session(station)
    screened(station, session_id)
    actions.refuse_consent(by=station.actor, session_id=session_id, person_id=1, reason="Muốn chờ")
    call = store.call_of_person(station, session_id, 1)
    assert call is not None
    assert call["state"] == "refused"


def test_permission_and_area_are_two_locks(station: Session) -> None:
    session_id = open_session(station)
    with pytest.raises(NotAllowed):
        actions.screen_person(by=machine("vaccination"), session_id=session_id, person_id=1, answers={})
    add_person(station, 9, unit=SOUTH)
    rights = frozenset({"desk.work", "dose.record", "person.read"})
    nurse = Actor(7, "nurse", "vaccination", rights, "{[900000001,900000002)}")
    with pytest.raises(NotFound):
        actions.screen_person(by=nurse, session_id=session_id, person_id=9, answers={})
    assert actions.screen_person(by=nurse, session_id=session_id, person_id=1, answers={}).outcome == "eligible"
    elsewhere = Actor(8, "nurse", "vaccination", rights, "{[900000002,900000003)}")
    with pytest.raises(NotFound):
        actions.give_dose(by=elsewhere, client_id=uuid4(), session_id=session_id, person_id=9, consent=True)
