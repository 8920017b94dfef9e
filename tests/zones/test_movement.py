"""Flows, work for the police where people are now, needs, and what does not fit."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, NotFound, Refused
from khien.core.session import Session, begin
from khien.population import actions as population
from khien.zones import actions, findings, movement, needs, sheets, store
from khien.zones.actions import Signed
from tests.register import NORTH, SOUTH, add_country, set_today
from tests.zones.people import pass_by, reside, resident, units

TODAY = dt.date(2021, 9, 15)
DESK = machine("epidemic-control", "*")
SOUTHERN = Actor(
    7, "Công an xã Nam", "epidemic-control", frozenset({"zone.people", "zone.read"}), f"{{[{SOUTH},{SOUTH}]}}"
)
NORTHERN = Actor(8, "Công an xã Bắc", "epidemic-control", frozenset({"zone.people"}), f"{{[{NORTH},{NORTH}]}}")


def day(n: int) -> dt.date:
    return TODAY + dt.timedelta(days=n)


def noon(n: int) -> dt.datetime:
    return dt.datetime(2021, 9, 15, 5, tzinfo=dt.UTC) + dt.timedelta(days=n)


@pytest.fixture
def zone(session: Session) -> int:
    """A zone of the north, from which one person left to stay in the south and one was seen there."""
    add_country(session)
    set_today(session, TODAY)
    for number in (1, 2, 3):
        resident(session, number)
    reside(session, 2, SOUTH, "stay", day(-3), day(5), address="Nhà trọ 9")
    pass_by(session, 3, SOUTH, noon(-1))
    return actions.open_zone(
        by=DESK, name="Bắc", area=units(session, NORTH), grade=4, signed=Signed("QĐ 1", "CT"), from_day=day(-4)
    )[0]


def test_flows_by_day_from_residence_and_passages(session: Session, zone: int) -> None:
    pass_by(session, 1, NORTH, noon(-2))
    session.execute(
        "UPDATE passage SET from_unit = %(s)s, recorded_at = passed_at + interval '2 days' WHERE person_id = 1", s=SOUTH
    )
    pass_by(session, 1, NORTH, noon(-2) + dt.timedelta(hours=1))
    session.execute("UPDATE passage SET from_unit = %(s)s WHERE person_id = 1", s=SOUTH)
    found = movement.flows(session, day(-6), TODAY, "commune")
    assert [(r["day"], r["from_unit"], r["to_unit"], r["people"], r["late"]) for r in found] == [
        (day(-3), NORTH, SOUTH, 1, 0), (day(-2), SOUTH, NORTH, 1, 1),
    ]  # fmt: skip
    assert movement.flows(session, day(5), day(5), "commune")[0]["to_unit"] == NORTH  # the stay ends
    assert movement.flows(session, day(-6), TODAY, "province") == found  # this country has none: communes stay


def test_those_who_left_become_work_of_the_commune_they_are_in(session: Session, zone: int) -> None:
    assert actions.push(by=DESK, zone_id=zone) == 2
    assert actions.push(by=DESK, zone_id=zone) == 0
    with begin(SOUTHERN) as police:
        rows = {r["person_id"]: r for r in movement.tasks(police, day(-7))}
        assert {p: (r["state"], r["certainty"], r["came_on"], r["address"]) for p, r in rows.items()} == {
            2: ("open", "registered", day(-3), "Nhà trọ 9"), 3: ("open", "seen", day(-1), None),
        }  # fmt: skip
        assert police.value("SELECT count(*) FROM person WHERE person_id = 3") == 0  # only through the task
    with begin(NORTHERN) as police:
        assert movement.tasks(police, day(-7)) == []
    seen = {"person_id": 3, "zone_id": zone, "unit_id": SOUTH, "came_on": day(-1)}
    actions.report_task(by=SOUTHERN, **seen, state="seen", note="tại nhà trọ")  # type: ignore[arg-type]
    actions.report_task(by=SOUTHERN, **seen, state="seen")  # type: ignore[arg-type]
    with pytest.raises(Refused):
        actions.report_task(by=SOUTHERN, **seen, state="not_found")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        actions.report_task(by=NORTHERN, **seen, state="moved_on")  # type: ignore[arg-type]
    assert session.value("SELECT state FROM zone_task WHERE person_id = 3") == "seen"


def test_needs_are_counted_by_person_and_household(session: Session, zone: int) -> None:
    resident(session, 10, birth_date=dt.date(1940, 1, 1))
    resident(session, 11, birth_date=dt.date(2019, 1, 1))
    resident(session, 12)
    session.execute("INSERT INTO household VALUES (5, %(u)s, 'Số 1')", u=NORTH)
    session.execute(
        "INSERT INTO household_member VALUES (11, 5, 'child', '[2019-01-01,)'), (12, 5, 'head', '[2015-01-01,)')"
    )
    assert actions.record_need(by=DESK, person_id=12, kind="dialysis")
    assert not actions.record_need(by=DESK, person_id=12, kind="dialysis")
    with pytest.raises(BadInput):
        actions.record_need(by=DESK, person_id=12, kind="tired")
    rows = store.people(session, units(session, NORTH), TODAY)
    found = needs.counts(rows, TODAY)
    assert (found["people"], found["households"], found["old"], found["young"]) == (4, 3, 1, 1)
    assert (found["alone"], found["dialysis"], found["unvaccinated_old"]) == (3, 1, 1)
    lines = sheets.table(rows, {NORTH: "Xã Bắc", SOUTH: "Xã Nam"}, TODAY, "vi")
    assert len(lines) == len(rows) + 1
    assert sheets.as_csv(lines).startswith(b"\xef\xbb\xbf")
    assert sheets.as_xlsx(lines)[:2] == b"PK"


def test_a_name_that_is_a_formula_stays_a_name() -> None:
    assert b"'=1+1" in sheets.as_csv([["=1+1"]])


def kinds(found: list[findings.Finding]) -> list[str]:
    return sorted(f.kind for f in found)


def test_overlapping_orders_and_late_orders_are_shown(session: Session, zone: int) -> None:
    other, _order = actions.open_zone(
        by=DESK,
        name="Cả hai",
        area=units(session, NORTH, SOUTH),
        grade=2,
        signed=Signed("QĐ 2", "CT"),
        until_day=day(2),
    )
    assert kinds(findings.of_zone(session, other, TODAY)) == ["orders_overlap"]
    assert kinds(findings.of_zone(session, zone, TODAY)) == ["order_in_past", "orders_overlap"]
    overlap = next(f for f in findings.of_zone(session, other, TODAY) if f.kind == "orders_overlap")
    assert (overlap.evidence["strict_document"], overlap.evidence["other_document"]) == ("QĐ 1", "QĐ 2")
    assert overlap.text("en") == "Cả hai (grade 2) and Bắc (grade 4) cover the same place: grade 4 holds."
    assert "order_ran_out" in kinds(findings.of_zone(session, other, day(3)))


def test_an_order_on_an_abolished_commune_names_what_followed(session: Session, zone: int) -> None:
    session.execute(
        "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid) VALUES"
        " (900000010, 900000010, 'TEST', 'T0', 3, 'xa', 'Xã Cũ', 'xa cu', NULL, '[2000-01-01,2021-09-01)')"
    )
    session.execute("INSERT INTO unit_succession VALUES (900000010, %(n)s, '2021-09-01', 'merged', 'NQ')", n=NORTH)
    gone, _order = actions.open_zone(
        by=DESK, name="Cũ", area=units(session, 900_000_010), grade=3, signed=Signed("QĐ 3", "CT")
    )
    found = findings.of_zone(session, gone, TODAY)
    assert kinds(found) == ["abolished_unit"]
    assert (found[0].evidence["successors"], found[0].params["successors"]) == ([NORTH], "Xã Bắc")


def test_two_places_and_impossible_travel_come_with_their_evidence(session: Session, zone: int) -> None:
    session.execute("UPDATE unit SET lat = 21.0, lon = 105.8 WHERE unit_id = %(u)s", u=NORTH)
    session.execute("UPDATE unit SET lat = 10.8, lon = 106.7 WHERE unit_id = %(u)s", u=SOUTH)
    reside(session, 1, NORTH, "stay", day(-2), day(2), address="Khách sạn")
    pass_by(session, 1, NORTH, noon(-1))
    pass_by(session, 1, SOUTH, noon(-1) + dt.timedelta(hours=1))
    found = [f for f in findings.everything(session, TODAY) if f.person_id == 1]
    assert kinds(found) == ["impossible_travel", "two_places"]
    travel = next(f for f in found if f.kind == "impossible_travel")
    assert travel.evidence["kilometres"] > 1000
    assert session.value("SELECT count(*) FROM access_log WHERE person_id = 1 AND action = 'zone.people'") == 1


def test_tasks_go_by_whole_months_and_the_log_proves_it(session: Session, zone: int) -> None:
    assert actions.push(by=DESK, zone_id=zone) == 2
    session.execute(
        "INSERT INTO zone_task (person_id, zone_id, unit_id, came_on, state, certainty, made_on) VALUES"
        " (1, %(z)s, %(s)s, '2021-03-02', 'seen', 'seen', '2021-03-02')",
        z=zone, s=SOUTH,
    )  # fmt: skip
    held = session.rows("SELECT tableoid::regclass::text AS part FROM zone_task ORDER BY came_on")
    assert [r["part"] for r in held] == ["zone_task_default", "zone_task_2021_09", "zone_task_2021_09"]
    gone = actions.expire_tasks(by=DESK)
    assert gone == [{"partition": "zone_task_default", "tasks": 1, "open": 0}]
    set_today(session, dt.date(2021, 11, 1))
    assert actions.expire_tasks(by=DESK) == [{"partition": "zone_task_2021_09", "tasks": 2, "open": 2}]
    assert session.value("SELECT count(*) FROM zone_task") == 0
    proof = session.rows("SELECT detail FROM access_log WHERE action = 'zone.expire' ORDER BY at")
    assert [(p["detail"]["partition"], p["detail"]["tasks"], p["detail"]["open"]) for p in proof] == [
        ("zone_task_default", 1, 0), ("zone_task_2021_09", 2, 2),
    ]  # fmt: skip
    assert actions.expire_tasks(by=DESK) == []
    with pytest.raises(Exception, match="days to come"), session.connection.transaction():
        actions.expire_tasks(by=DESK, before=dt.date(2021, 12, 1))


def test_events_that_came_late_or_twice_are_shown(session: Session, zone: int) -> None:
    population.move(by=DESK, person_id=1, kind="stay", unit_id=SOUTH, from_day=day(-4), until_day=day(3), source="host")
    population.move(by=DESK, person_id=2, kind="stay", unit_id=SOUTH, from_day=TODAY, until_day=day(3), source="host")
    pass_by(session, 3, SOUTH, noon(-3), recorded_at=noon(-3) + dt.timedelta(hours=30))
    resident(session, 4)
    for minutes in (0, 4, 30):
        pass_by(session, 4, SOUTH, noon(-1) + dt.timedelta(minutes=minutes))
    found = [f for f in findings.everything(session, TODAY) if f.kind in ("late_event", "double_event")]
    assert [(f.kind, f.person_id) for f in found] == [("late_event", 1), ("late_event", None), ("double_event", 4)]
    notice, passages, twice = found
    assert notice.text("en").startswith("The stay in Xã Nam from 11/09/2021 on was notified at")
    assert passages.text("en") == "1 passages of 12/09/2021 at Chốt came in up to 30 h late."
    assert twice.proof("en") == "At 12:00 14/09/2021 and at 12:04 14/09/2021."


def test_a_notice_that_was_taken_back_is_not_late(session: Session, zone: int) -> None:
    message = uuid4()
    population.move(
        by=DESK, person_id=1, kind="stay", unit_id=SOUTH, from_day=day(-4), until_day=day(3), client_id=message
    )
    population.undo_residence(by=DESK, change_id=message)
    assert [f for f in findings.everything(session, TODAY) if f.kind == "late_event"] == []
