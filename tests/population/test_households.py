"""Households change as families do: somebody moves in, a son founds his own, a widow is the head. Errors are undone."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

import pytest

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session, begin
from khien.population import actions, store
from khien.population.rules.household import RELATIONS, check_heads, under_new_head
from tests.register import NORTH, SOUTH, add_country, add_person, set_today

POLICE = machine("residence", "*")
TODAY = dt.date(2021, 9, 15)
FATHER, MOTHER, SON, NEIGHBOUR = 1, 2, 3, 4


@pytest.fixture(autouse=True)
def families(session: Session) -> None:
    add_country(session)
    set_today(session, TODAY)
    for person in (FATHER, MOTHER, SON, NEIGHBOUR):
        add_person(session, person)
    session.execute(
        "INSERT INTO household (household_id, unit_id, address) VALUES (10, %(n)s, 'Số 1'), (20, %(n)s, 'Số 2')",
        n=NORTH,
    )
    session.execute(
        "INSERT INTO household_member (person_id, household_id, relation, valid) VALUES"
        " (1, 10, 'head', '[2000-01-01,)'), (2, 10, 'spouse', '[2000-01-01,)'), (3, 10, 'child', '[2001-05-01,)'),"
        " (4, 20, 'head', '[2010-01-01,)')"
    )


def households(session: Session) -> dict[int, tuple[int, str]]:
    rows = session.rows("SELECT person_id, household_id, relation FROM household_member WHERE upper_inf(valid)")
    return {r["person_id"]: (r["household_id"], r["relation"]) for r in rows}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (2, {1: "spouse", 2: "head", 3: "child", 4: "other"}),
        (3, {1: "parent", 2: "parent", 3: "head", 4: "grandparent"}),
        (4, {1: "child", 2: "other", 3: "grandchild", 4: "head"}),
        (1, {1: "head", 2: "spouse", 3: "child", 4: "parent"}),
    ],
    ids=["the wife", "the son", "the grandfather", "nothing changes"],
)
def test_relations_are_told_anew_from_the_new_head(head: int, expected: dict[int, str]) -> None:
    assert under_new_head({1: "head", 2: "spouse", 3: "child", 4: "parent"}, head) == expected


def test_whoever_becomes_the_head_there_is_one_head() -> None:
    for relation in RELATIONS[1:]:
        found = under_new_head({1: "head", 2: relation, 3: "other"}, 2)
        check_heads(found.values())
        assert found[3] == "other"


def test_somebody_moves_in_with_the_neighbour_and_the_past_stays(session: Session) -> None:
    actions.join_household(by=POLICE, person_id=SON, household_id=20, relation="other", on=TODAY - dt.timedelta(5))
    assert households(session)[SON] == (20, "other")
    past = session.rows(
        "SELECT household_id, upper(valid) AS until FROM household_member WHERE person_id = 3 ORDER BY valid"
    )
    assert [(r["household_id"], r["until"]) for r in past] == [(10, dt.date(2021, 9, 10)), (20, None)]
    assert session.value("SELECT count(*) FROM access_log WHERE person_id = 3 AND action = 'household.join'") == 1


def test_two_heads_are_refused_and_nothing_is_written(session: Session) -> None:
    before = households(session)
    with pytest.raises(Refused) as caught:
        actions.join_household(by=POLICE, person_id=SON, household_id=20, relation="head")
    assert caught.value.rule == "two_heads"
    with pytest.raises(Refused):
        actions.change_head(by=POLICE, household_id=10, relations={MOTHER: "head"})
    assert households(session) == before


def test_a_head_does_not_leave_a_household_without_one(session: Session) -> None:
    with pytest.raises(Refused) as caught:
        actions.join_household(by=POLICE, person_id=FATHER, household_id=20, relation="other")
    assert caught.value.rule == "no_head"
    session.execute("UPDATE person SET died_on = '2021-09-01' WHERE person_id IN (2, 3)")  # nobody living stays behind
    actions.join_household(by=POLICE, person_id=FATHER, household_id=20, relation="other")
    assert households(session)[FATHER] == (20, "other")


def test_the_son_founds_a_household_with_his_mother(session: Session) -> None:
    made = actions.split_household(
        by=POLICE, members={SON: "head", MOTHER: "parent"}, unit_id=SOUTH, address="Hẻm 5"
    )  # fmt: skip
    now = households(session)
    assert (now[SON], now[MOTHER], now[FATHER]) == ((made, "head"), (made, "parent"), (10, "head"))
    with pytest.raises(Refused):
        actions.split_household(by=POLICE, members={NEIGHBOUR: "other"}, unit_id=SOUTH, address="Hẻm 6")
    with pytest.raises(BadInput):
        actions.split_household(by=POLICE, members={NEIGHBOUR: "head"}, unit_id=SOUTH, address=" ")


def test_the_mother_becomes_the_head(session: Session) -> None:
    actions.change_head(by=POLICE, household_id=10, relations={FATHER: "spouse", MOTHER: "head", SON: "child"})
    assert households(session)[MOTHER] == (10, "head")
    assert households(session)[FATHER] == (10, "spouse")
    with pytest.raises(NotFound):
        actions.change_head(by=POLICE, household_id=10, relations={NEIGHBOUR: "head", MOTHER: "other"})


def test_the_same_message_again_changes_nothing(session: Session) -> None:
    message = uuid4()
    for _twice in range(2):
        actions.split_household(by=POLICE, members={SON: "head"}, unit_id=NORTH, address="Hẻm 5", client_id=message)
    assert session.value("SELECT count(*) FROM household") == 3


@pytest.mark.parametrize("on", [TODAY, TODAY - dt.timedelta(30)])
def test_an_event_is_undone_for_everybody_whom_it_changed(session: Session, on: dt.date) -> None:
    stood = session.rows("SELECT * FROM household_member ORDER BY person_id, valid")
    message = uuid4()
    actions.change_head(
        by=POLICE, household_id=10, relations={FATHER: "spouse", MOTHER: "head"}, on=on, client_id=message
    )  # fmt: skip
    assert actions.undo_household(by=POLICE, change_id=message) == [FATHER, MOTHER]
    assert session.rows("SELECT * FROM household_member ORDER BY person_id, valid") == stood
    assert actions.undo_household(by=POLICE, change_id=message) == []
    assert session.value("SELECT count(*) FROM access_log WHERE action = 'household.undo'") == 2
    with pytest.raises(NotFound):
        actions.undo_household(by=POLICE, change_id=UUID(int=7))


def test_what_something_newer_stands_on_is_not_undone(session: Session) -> None:
    first, second = uuid4(), uuid4()
    for message, unit in ((first, NORTH), (second, SOUTH)):
        actions.move(by=POLICE, person_id=SON, kind="permanent", unit_id=unit, from_day=TODAY, client_id=message)
    with pytest.raises(Refused) as caught:
        actions.undo_residence(by=POLICE, change_id=first)
    assert caught.value.rule == "changed_since"
    for message in (second, first):
        actions.undo_residence(by=POLICE, change_id=message)
    assert store.spells(session, SON) == ()


def test_a_stay_entered_in_error_leaves_no_trace_but_the_log(session: Session) -> None:
    message = uuid4()
    actions.move(by=POLICE, person_id=SON, kind="permanent", unit_id=NORTH, from_day=dt.date(2010, 1, 1))
    actions.move(
        by=POLICE, person_id=SON, kind="stay", unit_id=SOUTH, from_day=TODAY, until_day=TODAY + dt.timedelta(3),
        client_id=message,
    )  # fmt: skip
    assert session.value("SELECT present_unit FROM person WHERE person_id = 3") == SOUTH
    changes = store.changes(session, SON)
    assert [c["last"] for c in changes] == [True, False]
    actions.undo_residence(by=POLICE, change_id=message)
    assert session.value("SELECT present_unit FROM person WHERE person_id = 3") == NORTH
    assert [s.kind for s in store.spells(session, SON)] == ["permanent"]
    assert store.changes(session, SON)[0]["undone_at"] is not None


def test_who_enters_a_departure_still_sees_it_for_a_day(session: Session) -> None:
    """Without this the row would leave the officer's sight while it is written, and be refused."""
    account = 77
    local = Actor(account, "x", "residence", frozenset({"*"}), f"{{[{SOUTH},{SOUTH}]}}")
    actions.move(by=POLICE, person_id=SON, kind="permanent", unit_id=NORTH, from_day=dt.date(2010, 1, 1))
    actions.move(
        by=POLICE, person_id=SON, kind="stay", unit_id=SOUTH, from_day=TODAY - dt.timedelta(3),
        until_day=TODAY + dt.timedelta(3),
    )  # fmt: skip
    message = uuid4()
    actions.end_residence(by=local, person_id=SON, kind="stay", on=TODAY, client_id=message)
    assert session.value("SELECT present_unit FROM person WHERE person_id = 3") == NORTH
    with begin(local) as theirs:
        assert store.identity(theirs, SON)["present_unit"] == NORTH
        with pytest.raises(NotFound):
            store.identity(theirs, NEIGHBOUR)
    actions.undo_residence(by=local, change_id=message)
    assert session.value("SELECT present_unit FROM person WHERE person_id = 3") == SOUTH


def test_no_second_head_beside_one_who_is_out_of_sight(session: Session) -> None:
    """The son stays in another commune, whose police sees him alone of his family."""
    session.execute("UPDATE person SET present_unit = %(s)s WHERE person_id = 3", s=SOUTH)
    local = Actor(77, "x", "residence", frozenset({"*"}), f"{{[{SOUTH},{SOUTH}]}}")
    with pytest.raises(Refused) as caught:
        actions.change_head(by=local, household_id=10, relations={SON: "head"})
    assert caught.value.rule == "two_heads"
    with pytest.raises(NotFound):
        actions.change_head(by=local, household_id=10, relations={SON: "head", FATHER: "parent"})
    actions.split_household(by=local, members={SON: "head"}, unit_id=SOUTH, address="Hẻm 9")
    assert households(session)[FATHER] == (10, "head")


def test_without_the_permission_nothing_moves(session: Session) -> None:
    with pytest.raises(NotAllowed):
        actions.join_household(by=machine("x", "person.read"), person_id=SON, household_id=20, relation="other")
