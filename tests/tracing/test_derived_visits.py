"""Who was together by what checkpoints, vaccination desks, timetables and guest books know, against the slow way."""

from __future__ import annotations

import datetime as dt
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Rollback

from khien.core.errors import BadInput
from khien.core.session import Session
from khien.tracing import actions
from khien.tracing.movement import derive
from tests.register import NORTH, add_vaccines, set_today
from tests.tracing.town import ALL, add_home, add_people, at, number, report

LANE, VEHICLE, WITHIN = dt.timedelta(minutes=10), dt.timedelta(minutes=60), dt.timedelta(minutes=10)
ONSET = dt.date(2021, 8, 15)


@pytest.fixture
def town(session: Session) -> Session:
    add_people(session, 5)
    set_today(session, dt.date(2021, 8, 20))
    session.execute(
        "INSERT INTO checkpoint (code, name, unit_id) VALUES ('A', 'Chốt A', %(u)s), ('B', 'Chốt B', %(u)s)", u=NORTH
    )
    return session


def passage(
    session: Session, person: int, when: dt.datetime, *, place: str = "A", way: str = "in", plate: str | None = None
) -> None:
    session.execute(
        "INSERT INTO passage (person_id, passed_at, client_id, checkpoint_id, unit_id, direction, plate, checked,"
        " recorded_at) SELECT %(p)s, %(at)s, gen_random_uuid(), checkpoint_id, unit_id, %(way)s, %(plate)s, 'eye',"
        " %(at)s"
        " FROM checkpoint WHERE code = %(place)s", p=person, at=when, way=way, plate=plate, place=place,
    )  # fmt: skip


def together(session: Session, prefix: str) -> dict[tuple[int, int], float]:
    """Minutes that two people shared at places of a kind, by the visits that stand."""
    rows = session.rows(
        "SELECT a.person_id AS a, b.person_id AS b,"
        " sum(extract(epoch FROM least(a.left_at, b.left_at) - greatest(a.came_at, b.came_at)) / 60)::float8 AS minutes"
        " FROM visit a JOIN visit b USING (place_id) JOIN place p USING (place_id)"
        " WHERE a.person_id < b.person_id AND a.came_at < b.left_at AND b.came_at < a.left_at AND p.code LIKE %(c)s"
        " GROUP BY 1, 2", c=prefix + "%",
    )  # fmt: skip
    return {(r["a"], r["b"]): r["minutes"] for r in rows}


def contacts(person: int = 1) -> dict[int, set[str]]:
    report(person, ONSET)
    found = actions.trace(by=ALL, persons=[person], moment=at(17, 20), keep=False)[0].contacts
    return {c.person_id: {e["kind"] for e in c.exposures} for c in found}


passes = st.tuples(
    st.integers(1, 4), st.integers(0, 60), st.sampled_from(["A", "B"]), st.sampled_from(["in", "out"]),
    st.sampled_from([None, "51A12345", "51B99999"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(passes, max_size=10, unique_by=lambda p: p[:2]))
def test_lanes_and_vehicles_as_the_slow_way_finds_them(
    town: Session, told: list[tuple[int, int, str, str, str | None]]
) -> None:
    with town.connection.transaction() as inner:
        for person, minute, place, way, plate in told:
            passage(town, person, at(15, 8) + dt.timedelta(minutes=minute), place=place, way=way, plate=plate)
        with town.connection.transaction() as apart:  # only the groups of one person: what they shared is the same
            derive.derive(town, start=at(1), end=at(20), persons=[1])
            some = together(town, "lane:")
            raise Rollback(apart)
        for _again in range(2):
            derive.derive_all(by=ALL, start=at(1), end=at(20))
            lane, vehicle = together(town, "lane:"), together(town, "vehicle:")
        raise Rollback(inner)
    expected: dict[tuple[int, int], float] = {}
    riding: dict[tuple[int, int], float] = {}
    ends = {}
    for person, minute, _place, _way, plate in told:
        later = [m for p, m, _a, _b, x in told if p == person and x == plate and m > minute]
        ends[person, minute] = min([minute + 60, *later])
    for (p, m, place, way, plate), (q, n, other, back, also) in combinations(told, 2):
        if p == q:
            continue
        pair = (min(p, q), max(p, q))
        if (place, way) == (other, back) and abs(m - n) < 10:
            expected[pair] = expected.get(pair, 0) + 10 - abs(m - n)
        if plate is not None and plate == also and (shared := min(ends[p, m], ends[q, n]) - max(m, n)) > 0:
            riding[pair] = riding.get(pair, 0) + shared
    assert lane == expected
    assert vehicle == riding
    assert {k: v for k, v in some.items() if 1 in k} == {k: v for k, v in expected.items() if 1 in k}


def test_who_waited_in_the_same_lane_or_rode_along_is_a_contact(town: Session) -> None:
    passage(town, 1, at(15, 8), plate="51A12345")
    passage(town, 2, at(15, 8, 4))  # four minutes behind, in the same lane
    passage(town, 3, at(15, 8, 4), way="out")  # the other way
    passage(town, 4, at(15, 8, 1), plate="51A12345")
    assert contacts() == {2: {"checkpoint"}, 4: {"checkpoint", "travel"}}


def test_the_same_vaccination_session_by_when_people_were_there(town: Session) -> None:
    add_vaccines(town)
    town.execute("INSERT INTO campaign (client_id, name, programme, vaccine_group, unit_id, starts_on, ends_on)"
                 " VALUES (gen_random_uuid(), 'C', 'p', 'g', %(u)s, '2021-08-01', '2021-08-31')", u=NORTH)  # fmt: skip
    town.execute("INSERT INTO vaccination_session (client_id, campaign_id, site_id, day, product, places)"
                 " SELECT gen_random_uuid(), campaign_id, site_id, '2021-08-15', 'alpha', 50"
                 " FROM campaign, site")  # fmt: skip
    for person, screened, left in ((1, at(15, 9), at(15, 9, 40)), (2, at(15, 9, 30), None), (3, at(15, 14), None)):
        town.execute(
            "INSERT INTO desk_visit (person_id, session_id, form, answers, outcome, reasons, screened_at, dose_id,"
            " given_at, observe_until, left_at) SELECT %(p)s, session_id, 'f', '{}', 'eligible', '{}', %(s)s, 1, %(s)s,"
            " %(s)s + interval '30 minutes', %(l)s FROM vaccination_session", p=person, s=screened, l=left,
        )  # fmt: skip
    assert contacts() == {2: {"vaccination"}}  # who came in the afternoon met nobody of the morning
    # Screened again later: only the new time counts.
    town.execute(
        "UPDATE desk_visit SET screened_at = %(s)s, left_at = NULL, observe_until = %(s)s WHERE person_id = 2",
        s=at(15, 14),
    )
    found = actions.trace(by=ALL, persons=[1], moment=at(17, 20), keep=False)[0].contacts
    assert found == []


def test_a_shift_by_the_timetable_over_midnight_and_only_on_its_days(town: Session, tmp_path: object) -> None:
    path = tmp_path / "ca.csv"  # type: ignore[operator]
    path.write_text(
        "personal_number,place,weekdays,starts,ends,valid_from,valid_until\n"
        f"{number(1)},XUONG,1,22:00,06:00,2021-08-01,2021-08-31\n"  # Monday to Tuesday
        f"{number(2)},XUONG,2,05:00,13:00,,\n"  # met for the hour from five to six
        f'{number(3)},XUONG,"3,4",22:00,06:00,,\n'
        f"{number(4)},XUONG,1,22:00,06:00,2021-09-01,\n"
    )
    assert derive.load_rosters(path, by=ALL) == 4
    assert derive.load_rosters(path, by=ALL) == 4  # again: the same rows
    assert town.value("SELECT count(*) FROM roster") == 4
    derive.derive_all(by=ALL, start=at(15), end=at(19))
    assert together(town, "XUONG") == {(1, 2): 60.0}
    assert set(contacts()) == {2}


def test_a_timetable_with_wrong_lines_names_them_and_loads_nothing(town: Session, tmp_path: object) -> None:
    path = tmp_path / "ca.csv"  # type: ignore[operator]
    path.write_text(f"personal_number,place,weekdays,starts,ends\n001999999999,X,1,08:00,09:00\n{number(1)},X,9,08:00,09:00\n"
                    f"{number(1)},X,1,8 giờ,09:00\n{number(1)},,1,08:00,09:00\n")  # fmt: skip
    with pytest.raises(BadInput) as refusal:
        derive.load_rosters(path, by=ALL)
    assert [(f.line, f.field) for f in refusal.value.faults] == [
        (2, "personal_number"), (3, "weekdays"), (4, "starts"), (5, "place"),
    ]  # fmt: skip
    assert town.value("SELECT count(*) FROM roster") == 0


def test_a_checkpoint_is_told_of_isolation_and_recovery(town: Session) -> None:
    case = report(1, ONSET)
    town.execute(
        "INSERT INTO isolation_order (person_id, case_person_id, case_id, place, days, rule, ordered_at)"
        " VALUES (2, 1, %(c)s, 'home', '[2021-08-16,2021-08-30)', '14+14', %(at)s)", c=case, at=at(16),
    )  # fmt: skip
    actions.change_case(by=ALL, person_id=1, case_id=case, state="recovered")
    told = town.rows("SELECT * FROM checkpoint_notice_tracing(ARRAY[1, 2, 3]::bigint[], %(at)s)", at=at(20, 9))
    assert {r["person_id"]: r["notice"] for r in told} == {1: "recovered", 2: "isolation"}
    told = town.rows("SELECT * FROM checkpoint_notice_tracing(ARRAY[2]::bigint[], %(at)s)", at=at(30, 0))
    assert told == []


def test_a_host_meets_the_guest(town: Session) -> None:
    add_home(town, 1, 2, 3)
    town.execute("INSERT INTO residence (person_id, kind, unit_id, address, valid)"
                 " VALUES (1, 'stay', %(u)s, 'Số 1', '[2021-08-14,2021-08-16)')", u=NORTH)  # fmt: skip
    assert contacts() == {2: {"stay"}, 3: {"stay"}}


def test_a_guest_who_is_the_case_and_a_guest_of_the_case(town: Session) -> None:
    add_home(town, 1, 1)
    town.execute("INSERT INTO residence (person_id, kind, unit_id, address, valid)"
                 " VALUES (2, 'stay', %(u)s, 'Số 1', '[2021-08-14,2021-08-16)')", u=NORTH)  # fmt: skip
    assert contacts() == {2: {"stay"}}


def test_on_a_journey_with_numbered_seats_two_rows_count(town: Session) -> None:
    from tests.tracing.brute import Visit
    from tests.tracing.town import add_places, add_visits

    places = add_places(town, bus="travel")
    add_visits(town, places, [Visit(p, "bus", at(15, 8), at(15, 10)) for p in (1, 2, 3, 4)])
    for person, seat in ((1, "12A"), (2, "14F"), (3, "15A")):  # nobody wrote down where person 4 sat
        town.execute("UPDATE visit SET seat = %(s)s WHERE person_id = %(p)s", s=seat, p=person)
    assert contacts() == {2: {"travel"}, 4: {"travel"}}
