"""Life cycle of orders: a table, tried from every state; what was in force stays."""

from __future__ import annotations

import datetime as dt
from itertools import product

import pytest

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, NotFound, Refused
from khien.core.session import Session, begin
from khien.zones import actions, store
from khien.zones.actions import Signed
from khien.zones.rules.area import Area
from khien.zones.rules.lifecycle import (
    ORDER_STATES,
    ORDER_TRANSITIONS,
    TASK_STATES,
    TASK_TRANSITIONS,
    next_state,
    task_may_become,
)  # fmt: skip
from tests.register import NORTH, SOUTH, add_country, set_today
from tests.zones.people import units

DESK = machine("epidemic-control", "*")
SIGNED = Signed("Quyết định 1/QĐ-UBND", "Chủ tịch UBND")
TODAY = dt.date(2021, 9, 15)


@pytest.fixture(autouse=True)
def country(session: Session) -> None:
    add_country(session)
    set_today(session, TODAY)


def test_the_table_of_transitions_is_complete() -> None:
    events = ("put_in_force", "withdraw", "supersede", "lift")
    allowed = {
        ("proposed", "put_in_force", "in_force"), ("proposed", "withdraw", "withdrawn"),
        ("in_force", "supersede", "superseded"), ("in_force", "lift", "lifted"),
    }  # fmt: skip
    for state, event in product(ORDER_STATES, events):
        if (state, event) in ORDER_TRANSITIONS:
            assert (state, event, next_state(state, event)) in allowed
        else:
            with pytest.raises(Refused):
                next_state(state, event)
    assert len(ORDER_TRANSITIONS) == len(allowed)


def test_tasks_end_where_nothing_more_can_be_found() -> None:
    assert set(TASK_TRANSITIONS) == set(TASK_STATES)
    assert [to for to in TASK_STATES if task_may_become("moved_on", to)] == []
    assert task_may_become("not_found", "seen")
    assert not any(task_may_become(state, "open") for state in TASK_STATES)


def opened(session: Session, **more: object) -> tuple[int, int]:
    given = {"name": "Vùng Bắc", "area": units(session, NORTH), "grade": 4, "signed": SIGNED} | more
    return actions.open_zone(by=DESK, **given)  # type: ignore[arg-type]


def in_state(session: Session, state: str) -> tuple[int, int]:
    zone_id, order_id = opened(
        session, proposed=state in ("proposed", "withdrawn"), from_day=TODAY - dt.timedelta(days=3)
    )
    if state == "withdrawn":
        actions.withdraw(by=DESK, order_id=order_id, signed=SIGNED)
    elif state == "lifted":
        actions.close_zone(by=DESK, zone_id=zone_id, signed=SIGNED)
    elif state == "superseded":
        actions.supersede(by=DESK, zone_id=zone_id, signed=SIGNED, grade=2)
    return zone_id, order_id


@pytest.mark.parametrize("state", ORDER_STATES)
def test_every_state_allows_exactly_its_own_steps(session: Session, state: str) -> None:
    zone_id, order_id = in_state(session, state)
    assert state in {o["state"] for o in store.history(session, zone_id) if o["order_id"] == order_id}
    if state == "superseded":  # its zone has a newer order, which may be lifted; the old one itself may not change
        for step in (actions.withdraw, actions.put_in_force):
            with pytest.raises(Refused):
                step(by=DESK, order_id=order_id, signed=SIGNED)
        return
    steps = {
        "put_in_force": lambda: actions.put_in_force(by=DESK, order_id=order_id, signed=SIGNED),
        "withdraw": lambda: actions.withdraw(by=DESK, order_id=order_id, signed=SIGNED),
        "lift": lambda: actions.close_zone(by=DESK, zone_id=zone_id, signed=SIGNED),
        "supersede": lambda: actions.supersede(by=DESK, zone_id=zone_id, signed=SIGNED, grade=1),
    }
    for event, step in steps.items():
        if (state, event) not in ORDER_TRANSITIONS:
            with pytest.raises(Refused):
                step()


def test_a_grade_changes_by_a_new_order_and_the_old_one_keeps_its_days(session: Session) -> None:
    zone_id, first = opened(session, from_day=TODAY - dt.timedelta(days=10))
    second = actions.supersede(by=DESK, zone_id=zone_id, signed=Signed("QĐ 2", "Chủ tịch"), grade=2)
    new, old = store.history(session, zone_id)
    assert (old["order_id"], old["state"], old["grade"], old["superseded_by"]) == (first, "superseded", 4, second)
    assert (new["state"], new["grade"], new["supersedes"], new["area"]) == ("in_force", 2, first, old["area"])
    assert old["until_day"] == new["from_day"] == TODAY
    assert store.order_on(session, zone_id, TODAY - dt.timedelta(days=1))["grade"] == 4
    assert store.order_on(session, zone_id, TODAY)["grade"] == 2
    grades = store.unit_grades(session, [NORTH], TODAY - dt.timedelta(days=1))
    assert grades[NORTH]["whole"] == 4


def test_an_order_superseded_on_its_first_day_never_counted(session: Session) -> None:
    zone_id, first = opened(session)
    actions.supersede(by=DESK, zone_id=zone_id, signed=SIGNED, area=units(session, NORTH, SOUTH))
    assert store.order_on(session, zone_id, TODAY)["order_id"] != first
    assert store.unit_grades(session, [SOUTH], TODAY)[SOUTH]["orders"] == 1


def test_a_proposal_never_grades(session: Session) -> None:
    opened(session, proposed=True)
    assert store.unit_grades(session, [NORTH], TODAY) == {}


def test_the_strictest_order_wins_and_both_are_counted(session: Session) -> None:
    opened(session, grade=2)
    opened(session, grade=3, name="Vùng khác")
    found = store.unit_grades(session, [NORTH], TODAY)[NORTH]
    assert (found["grade"], found["orders"], found["mixed"]) == (3, 2, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"area": Area()}, "area"), ({"grade": 5}, "grade"), ({"signed": Signed("", "x")}, "document"),
        ({"signed": Signed("x", " ")}, "signed_by"), ({"name": "  "}, "name"),
        ({"until_day": dt.date(2021, 9, 1)}, "until"),
    ],
)  # fmt: skip
def test_bad_orders_name_their_field(session: Session, change: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        opened(session, **change)
    assert caught.value.faults[0].field == field


def test_an_area_beyond_ones_own_looks_absent(session: Session) -> None:
    area = units(session, SOUTH)
    local = Actor(1, "x", "epidemic-control", frozenset({"*"}), f"{{[{NORTH},{NORTH}]}}")
    with begin(local), pytest.raises(NotFound):
        actions.open_zone(by=local, name="x", area=area, grade=4, signed=SIGNED)
