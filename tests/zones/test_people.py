"""The lists of an area: who lives there, stays there, is away, came, left, cannot be found."""

from __future__ import annotations

import datetime as dt

import pytest

from khien.core.actor import Actor, machine
from khien.core.errors import NotAllowed, NotFound
from khien.core.session import Session, begin
from khien.zones import store
from khien.zones.rules.area import Area, Place
from tests.register import NORTH, SOUTH, add_country, add_person, set_today
from tests.zones.people import pass_by, reside, resident, units

TODAY = dt.date(2021, 9, 15)
LIVES, STAYS, AWAY, LOST, LEFT, CAME, MOVED, DEAD, ELSEWHERE, BABY = range(1, 11)


@pytest.fixture(autouse=True)
def country(session: Session) -> None:
    add_country(session)
    set_today(session, TODAY)


def day(n: int) -> dt.date:
    return TODAY + dt.timedelta(days=n)


@pytest.fixture
def village(session: Session) -> Session:
    for number in (LIVES, AWAY, LOST, LEFT):
        resident(session, number)
    resident(session, DEAD, died_on=day(-1))
    for number in (STAYS, CAME, ELSEWHERE):
        resident(session, number, SOUTH)
    reside(session, STAYS, NORTH, "temporary", day(-100), day(100))
    reside(session, AWAY, SOUTH, "temporary", day(-100), day(100))
    reside(session, LOST, NORTH, "absence", day(-40), None)
    reside(session, LEFT, SOUTH, "stay", day(-3), day(5))
    reside(session, CAME, NORTH, "stay", day(-2), day(5))
    add_person(session, MOVED, unit=SOUTH)
    reside(session, MOVED, NORTH, "permanent", day(-1000), day(-5))
    reside(session, MOVED, SOUTH, "permanent", day(-5), None)
    add_person(session, BABY, birth_date=day(-4))
    reside(session, BABY, NORTH, "permanent", day(-4), None)
    return session


def lists(session: Session, area: Area, on: dt.date = TODAY, days: int = 14) -> dict[int, tuple[object, ...]]:
    found = store.members(session, area, on, days)
    return {m.person_id: (m.list, m.moved, m.moved_on, m.other_unit) for m in found}


def test_everybody_is_in_the_right_list(village: Session) -> None:
    assert lists(village, units(village, NORTH)) == {
        LIVES: ("resident_present", None, None, None),
        STAYS: ("temporary_present", None, None, None),
        AWAY: ("resident_away", None, None, None),
        LOST: ("not_found", None, None, None),
        LEFT: ("resident_away", "left", day(-3), SOUTH),
        CAME: ("temporary_present", "arrived", day(-2), SOUTH),
        MOVED: ("left", "left", day(-5), SOUTH),
        BABY: ("resident_present", None, None, None),
    }


def test_a_passage_moves_people_before_the_register_knows(village: Session) -> None:
    at = dt.datetime(2021, 9, 14, 3, tzinfo=dt.UTC)
    pass_by(village, LIVES, SOUTH, at)
    pass_by(village, ELSEWHERE, NORTH, at)
    found = lists(village, units(village, NORTH))
    assert found[LIVES] == ("resident_away", "left", day(-1), SOUTH)
    assert found[ELSEWHERE] == ("temporary_present", "arrived", day(-1), SOUTH)


def test_only_the_asked_days_count_as_recent(village: Session) -> None:
    found = lists(village, units(village, NORTH), days=2)
    assert MOVED not in found
    assert found[LEFT] == ("resident_away", None, None, None)


def test_the_same_zone_on_an_earlier_day(village: Session) -> None:
    found = lists(village, units(village, NORTH), day(-10))
    assert found[MOVED] == ("resident_present", None, None, None)
    assert found[LEFT] == ("resident_present", None, None, None)
    assert CAME not in found
    assert found[DEAD] == ("resident_present", None, None, None)


def test_a_zone_of_words_in_addresses_and_of_a_household(village: Session) -> None:
    for number, address in ((20, "Số 5, Tổ 3, Ấp Đông"), (21, "Số 6, Tổ 4, Ấp Đông")):
        add_person(village, number)
        reside(village, number, address=address)
    village.execute("INSERT INTO household (household_id, unit_id, address) VALUES (7, 900000001, 'Số 1')")
    village.execute("INSERT INTO household_member VALUES (1, 7, 'head', '[2015-01-01,)')")
    assert set(lists(village, Area(places=(Place(NORTH, "tổ 3"),)))) == {20}
    assert set(lists(village, Area(places=(Place(NORTH, "Ấp Đông"),)))) == {20, 21}
    assert lists(village, Area(households=(7,))) == {LIVES: ("resident_present", None, None, None)}


def test_people_come_with_what_the_teams_need_and_are_logged(village: Session) -> None:
    village.execute(
        "INSERT INTO person_need (person_id, kind, valid, source) VALUES (1, 'dialysis', '[2021-01-01,)', 'station')"
    )
    found = {r["person_id"]: r for r in store.people(village, units(village, NORTH), TODAY, zone_id=9)}
    assert (found[LIVES]["name"], found[LIVES]["needs"], found[LIVES]["doses"]) == ("Nguyễn Thị Ví Dụ", ["dialysis"], 0)
    logged = village.rows("SELECT person_id FROM access_log WHERE action = 'zone.people'")
    assert {r["person_id"] for r in logged} == set(found)


def test_moving_a_border_shows_only_who_is_concerned(village: Session) -> None:
    north, both = units(village, NORTH), units(village, NORTH, SOUTH)
    changed = {
        r["person_id"]: (r["before"], r["after"]) for r in store.difference(village, (north, TODAY), (both, TODAY))
    }
    assert changed == {
        STAYS: ("temporary_present", "resident_present"),
        AWAY: ("resident_away", "resident_present"),
        LEFT: ("resident_away", "resident_present"),
        CAME: ("temporary_present", "resident_present"),
        MOVED: ("left", "resident_present"),
        ELSEWHERE: (None, "resident_present"),
    }


def test_between_two_days(village: Session) -> None:
    north = units(village, NORTH)
    changed = store.difference(village, (north, day(-4)), (north, TODAY), 0)
    assert {r["person_id"]: (r["before"], r["after"]) for r in changed} == {
        CAME: (None, "temporary_present"), LEFT: ("resident_present", "resident_away"),
        DEAD: ("resident_present", None),
    }  # fmt: skip


def local(session: Session, *permissions: str) -> Actor:
    return Actor(1, "x", "epidemic-control", frozenset(permissions), f"{{[{NORTH},{NORTH}]}}")


def test_those_who_left_are_listed_to_the_area_they_left(village: Session) -> None:
    """MOVED is out of the actor's scope by now; the list of the area says so all the same, and nothing else opens."""
    area = units(village, NORTH)
    with begin(local(village, "zone.people")) as session:
        assert lists(session, area)[MOVED][0] == "left"
        assert session.row("SELECT FROM person WHERE person_id = %(p)s", p=ELSEWHERE) is None


def test_an_area_beyond_ones_own_is_closed_by_both_locks(village: Session) -> None:
    area = units(village, SOUTH)
    with begin(local(village, "zone.people")) as session:
        with pytest.raises(NotFound):
            store.members(session, area, TODAY)
        with pytest.raises(Exception, match="beyond that of the caller"), session.connection.transaction():
            session.rows(
                "SELECT * FROM zone_members(%(a)s::int4multirange, '{}', '{}', '{}', now(), 14, 72)", a=area.units
            )


def test_the_permission_is_asked_first(session: Session) -> None:
    nobody = machine("epidemic-control", "zone.read")
    with begin(nobody) as limited, pytest.raises(NotAllowed):
        store.members(limited, units(session, NORTH), TODAY)
