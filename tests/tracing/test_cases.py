"""From a report to the end: contacts written down, work, isolation by the rule of the day, a contact who falls ill,
a case that proves none; who may trace at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from khien.core import config
from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session, begin
from khien.tracing import actions, care, store
from khien.tracing.actions import CaseEntry
from khien.tracing.rules import exposure
from khien.tracing.rules.isolation import isolation
from khien.tracing.rules.window import contact_rule, infectious_window
from tests.register import NORTH, SOUTH, add_vaccines, set_today
from tests.tracing.brute import Visit
from tests.tracing.town import ALL, add_home, add_people, add_places, add_visits, at, report

ONSET = dt.date(2021, 8, 15)
TODAY = dt.date(2021, 8, 17)


@pytest.fixture
def town(session: Session) -> Session:
    """Case 1 at home with 2, at the market with 3; 3 later at work with 4; 5 in the south at the market too."""
    add_people(session, 4)
    add_people(session, 1, first=5, unit=SOUTH)
    add_home(session, 1, 1, 2)
    set_today(session, TODAY)
    places = add_places(session, m="market", w="work")
    visits = [Visit(p, "m", at(14, 8), at(14, 9)) for p in (1, 3, 5)] + [
        Visit(p, "w", at(16, 12), at(16, 16)) for p in (3, 4)
    ]
    add_visits(session, places, visits)
    return session


def area(unit: int, *permissions: str) -> object:
    return replace(machine("epidemic-control", *permissions), area=f"{{[{unit},{unit}]}}")


def states(session: Session) -> dict[int, str]:
    return {
        r["person_id"]: r["state"]
        for r in session.rows("SELECT person_id, state FROM contact WHERE case_person_id = 1")
    }


def test_a_case_has_its_contacts_at_once_and_each_commune_its_work(town: Session) -> None:
    case_id = report(1, ONSET)
    found = actions.trace(by=ALL, persons=[1], depth=2, moment=at(17, 12))[0]
    assert {c.person_id: c.degree for c in found.contacts} == {2: 1, 3: 1, 5: 1, 4: 2}
    assert found.contacts[0].person_id == 2  # at home: the highest risk
    with begin(area(SOUTH, "contact.read")) as south:  # type: ignore[arg-type]
        rows, counts = store.work_list(south)
        assert [r["person_id"] for r in rows] == [5] and counts == {"listed": 1}
        assert store.contact_counts(south, 1, case_id) == []  # the case is not theirs
    with begin(area(NORTH, "contact.read")) as north:  # type: ignore[arg-type]
        assert {r["person_id"] for r in store.contacts(north, 1, case_id)} == {2, 3, 4}
        assert sum(r["contacts"] for r in store.contact_counts(north, 1, case_id)) == 4
    log = town.row("SELECT detail FROM access_log WHERE action = 'trace.run'")
    assert log is not None and log["detail"]["cases"] == [case_id]


def test_only_a_tracer_with_an_open_case_in_the_area_traces(town: Session) -> None:
    case_id = report(1, ONSET)
    with pytest.raises(NotAllowed):
        actions.trace(by=machine("epidemic-control", "case.read"), persons=[1])
    with pytest.raises(NotFound):
        actions.trace(by=ALL, persons=[2])
    with pytest.raises(NotFound):
        actions.trace(by=area(SOUTH, "trace.run"), persons=[1])  # type: ignore[arg-type]
    # The second lock, with the first one open: the database itself asks for the case.
    rule = Jsonb(exposure.for_sql(contact_rule(TODAY)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), begin(area(SOUTH)) as south:  # type: ignore[arg-type]
        store.traced(
            south, persons=[1], cases=[case_id], starts=[at(1)], ends=[at(17)], onsets=[ONSET], moment=at(17), depth=1,
            rule=rule, keep=None,
        )  # fmt: skip
    actions.change_case(by=ALL, person_id=1, case_id=case_id, state="recovered")
    with pytest.raises(NotFound):
        actions.trace(by=ALL, persons=[1])


def test_a_replayed_report_changes_nothing_and_a_second_open_case_is_refused(town: Session) -> None:
    entry = CaseEntry(uuid4(), 1, onset_on=ONSET)
    first = actions.report_case(by=ALL, entry=entry)
    assert actions.report_case(by=ALL, entry=entry) == actions.Reported("replayed", first.case_id)
    with pytest.raises(Refused):
        report(1, ONSET)
    with pytest.raises(BadInput):
        report(2)
    with pytest.raises(BadInput):
        report(2, TODAY + dt.timedelta(days=1))


def test_work_goes_forward_and_not_backward(town: Session) -> None:
    case_id = report(1, ONSET)
    actions.trace(by=ALL, persons=[1], moment=at(17, 12))
    for state in ("called", "sampled"):
        care.work_on_contact(by=ALL, person_id=3, case_person_id=1, case_id=case_id, state=state)
    with pytest.raises(Refused):
        care.work_on_contact(by=ALL, person_id=3, case_person_id=1, case_id=case_id, state="called")
    with pytest.raises(NotAllowed):
        care.work_on_contact(
            by=machine("epidemic-control", "contact.read"),
            person_id=2,
            case_person_id=1,
            case_id=case_id,
            state="called",
        )


def test_isolation_by_the_rule_of_the_day_and_its_end(town: Session) -> None:
    case_id = report(1, ONSET)
    actions.trace(by=ALL, persons=[1], moment=at(17, 12))
    ordered = care.order_isolation(by=ALL, person_id=3, case_person_id=1, case_id=case_id)
    assert (ordered.rule, ordered.first, ordered.until) == ("14+14", TODAY, dt.date(2021, 8, 29))
    assert states(town)[3] == "isolated"
    care.order_isolation(by=ALL, person_id=3, case_person_id=1, case_id=case_id)  # again: nothing more
    assert town.value("SELECT count(*) FROM isolation_order") == 1
    set_today(town, dt.date(2021, 8, 28))
    assert care.release_due(by=ALL) == 0
    set_today(town, dt.date(2021, 8, 29))
    assert care.release_due(by=ALL) == 1
    assert states(town)[3] == "released"


@pytest.mark.parametrize(
    ("ordered", "complete", "recovered", "rule", "days"),
    [
        (dt.date(2021, 4, 1), None, None, "14", 14),
        (dt.date(2021, 6, 1), None, None, "21", 21),
        (dt.date(2021, 12, 15), dt.date(2021, 10, 1), None, "14+14", 14),
        (dt.date(2021, 12, 16), dt.date(2021, 10, 1), None, "10696-vaccinated", 7),
        (dt.date(2021, 12, 16), dt.date(2021, 12, 10), None, "14+14", 14),  # 14 days had not passed
        (dt.date(2021, 12, 16), None, dt.date(2021, 9, 1), "10696-recovered", 7),
        (dt.date(2022, 2, 21), dt.date(2021, 10, 1), None, "762-protected", 5),
        (dt.date(2022, 2, 21), None, None, "762", 7),
    ],
)
def test_lengths_of_isolation(
    ordered: dt.date, complete: dt.date | None, recovered: dt.date | None, rule: str, days: int
) -> None:
    decided = isolation(
        ordered_on=ordered, last_exposed_on=ordered - dt.timedelta(days=1), series_complete_on=complete,
        recovered_on=recovered,
    )  # fmt: skip
    assert (decided.rule, (decided.until - decided.first).days) == (rule, days)


def test_doses_shorten_isolation(town: Session) -> None:
    add_vaccines(town)
    for n, day in enumerate(("2021-09-01", "2021-10-01")):
        town.execute(
            "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)"
            " VALUES (3, gen_random_uuid(), 'alpha', %(day)s, now())", day=day,
        )  # fmt: skip
        assert n < 2
    town.execute("UPDATE visit SET came_at = came_at + interval '125 days', left_at = left_at + interval '125 days'")
    set_today(town, dt.date(2021, 12, 20))
    case_id = report(1, dt.date(2021, 12, 18))
    actions.trace(by=ALL, persons=[1], moment=at(17, 12) + dt.timedelta(days=125))
    ordered = care.order_isolation(by=ALL, person_id=3, case_person_id=1, case_id=case_id)
    assert ordered.rule == "10696-vaccinated"


def test_a_contact_who_falls_ill_is_traced_at_once(town: Session) -> None:
    case_id = report(1, ONSET)
    actions.trace(by=ALL, persons=[1], moment=at(17, 12))
    care.order_isolation(by=ALL, person_id=3, case_person_id=1, case_id=case_id)
    second = actions.report_case(by=ALL, entry=CaseEntry(uuid4(), 3, onset_on=dt.date(2021, 8, 17)))
    assert second.was_contact == ((1, case_id),)
    assert states(town)[3] == "case"
    assert town.value("SELECT end_reason FROM isolation_order WHERE person_id = 3") == "case"
    assert {r["person_id"] for r in town.rows("SELECT person_id FROM contact WHERE case_person_id = 3")} == {1, 4, 5}


def test_a_case_that_proves_none_withdraws_what_it_caused_and_no_more(town: Session) -> None:
    first, second = report(1, ONSET), report(4, dt.date(2021, 8, 16))
    actions.trace(by=ALL, persons=[1, 4], moment=at(17, 12))
    care.order_isolation(by=ALL, person_id=2, case_person_id=1, case_id=first)
    care.order_isolation(by=ALL, person_id=3, case_person_id=1, case_id=first)
    with pytest.raises(BadInput):
        actions.change_case(by=ALL, person_id=1, case_id=first, state="refuted")
    actions.change_case(by=ALL, person_id=1, case_id=first, state="refuted", reason="PCR âm tính")
    assert set(states(town).values()) == {"withdrawn"}
    open_orders = town.rows("SELECT person_id FROM isolation_order WHERE ended_on IS NULL")
    assert [r["person_id"] for r in open_orders] == [3]  # the other case still holds this one
    assert town.value("SELECT state FROM contact WHERE case_id = %(c)s AND person_id = 3", c=second) == "isolated"
    with pytest.raises(Refused):
        actions.change_case(by=ALL, person_id=1, case_id=first, state="confirmed")


def test_the_window_follows_the_rule_of_the_day() -> None:
    early = infectious_window(ONSET, None, moment=at(20))
    assert (early.rule, early.start, early.end) == ("3638", at(12), at(20))
    silent = infectious_window(None, ONSET, moment=at(20))
    assert silent.start == at(1)
    late = infectious_window(ONSET, None, moment=at(20) + dt.timedelta(days=200), isolated_at=at(18))
    assert (late.rule, late.start, late.end) == ("11042", at(13), at(18))


def test_crowds_and_busy_people_are_cut_and_the_answer_says_so(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = {**exposure.limits(), "most_met": 1, "most_visits": 1}
    monkeypatch.setattr(exposure, "limits", lambda: bounds)
    add_visits(town, add_places(town, old="market"), [Visit(1, "old", at(13, 8), at(13, 9))])
    report(1, ONSET)
    found = actions.trace(by=ALL, persons=[1], moment=at(17, 12))[0]
    assert {(c["cut"], c["total"]) for c in found.cuts} == {("crowd", 2), ("busy", 2)}
    assert {c.person_id for c in found.contacts} == {2, 3}  # of equals the first


def test_a_trace_that_is_written_down_holds_its_case(fresh_database: str) -> None:
    with begin(ALL) as session:
        add_people(session, 2)
        set_today(session, TODAY)
    report(1, ONSET)
    for keep, free in ((False, [1]), (True, [])):
        with begin(ALL):
            actions.trace(by=ALL, persons=[1], keep=keep)
            with psycopg.connect(config.database_dsn("khien_owner")) as other:
                other.execute("SET khien.area = '{(,)}'; SET khien.purpose = 'test'")
                found = other.execute("SELECT person_id FROM case_report FOR NO KEY UPDATE SKIP LOCKED").fetchall()
        assert [person for (person,) in found] == free
