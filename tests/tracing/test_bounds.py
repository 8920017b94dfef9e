"""Crowds, busy people, broken phones: the work of a trace is bounded, and the answer says what was cut and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from khien.core.session import Session
from khien.tracing import actions
from khien.tracing.rules import exposure
from tests.register import set_today
from tests.tracing.brute import Visit
from tests.tracing.town import ALL, add_people, add_places, add_visits, at, report

ONSET = dt.date(2021, 8, 15)
MOMENT = at(20, 10)
LIMITS = dict(exposure.limits())


@pytest.fixture
def town(session: Session) -> Session:
    add_people(session, 6)
    set_today(session, dt.date(2021, 8, 20))
    return session


def crowd(session: Session, place: int, many: int, *, first: int = 1000, day: int = 16) -> None:
    """So many people at a place for two hours, each a little later than the one before."""
    session.execute(
        "INSERT INTO visit (person_id, place_id, came_at, left_at, span, source)"
        " SELECT %(first)s + i, %(place)s, %(came)s + make_interval(secs => i / 100.0), %(left)s, 0, 'guest'"
        " FROM generate_series(1, %(many)s) i",
        first=first, place=place, came=at(day, 18), left=at(day, 20), many=many,
    )  # fmt: skip


def traced(person: int, depth: int = 1) -> tuple[dict[int, dict[str, Any]], dict[str, dict[str, Any]]]:
    found = actions.trace(by=ALL, persons=[person], depth=depth, moment=MOMENT)[0]
    return {c.person_id: c for c in found.contacts}, {c["cut"]: c for c in found.cuts}


def bounded(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    monkeypatch.setattr(exposure, "limits", lambda: {**LIMITS, **limits})


def test_a_stadium_of_40_000(town: Session) -> None:
    places = add_places(town, stadium="market", home="work")
    crowd(town, places["stadium"], 40_000)
    # Somebody of the crowd was with somebody else two days later: they are found all the same.
    add_visits(town, places, [Visit(1, "stadium", at(16, 18), at(16, 20)), Visit(1001, "home", at(19, 8), at(19, 9)),
                              Visit(2, "home", at(19, 8), at(19, 9))])  # fmt: skip
    report(1, ONSET)
    contacts, cuts = traced(1, depth=2)
    assert cuts["crowd"]["total"] == 40_000 and cuts["crowd"]["place"] == places["stadium"]
    firsts = [p for p, c in contacts.items() if c.degree == 1]
    assert sorted(firsts) == list(range(1001, 1001 + LIMITS["most_met"]))  # who was there longest
    assert contacts[2].via_person_id == 1001
    assert len(contacts) == LIMITS["most_met"] + 1  # nobody is an F2 because of the crowd


def test_a_crowd_is_not_followed_again_at_the_next_degree(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, most_met=10)
    places = add_places(town, hall="work")
    crowd(town, places["hall"], 30, day=14)
    crowd(town, places["hall"], 30, day=18)
    add_visits(town, places, [Visit(1, "hall", at(14, 18), at(14, 20))])
    report(1, ONSET)
    contacts, cuts = traced(1, depth=2)
    assert len(contacts) == 10
    assert (cuts["crowd"]["total"], cuts["crowd"]["degree"]) == (30, 1)
    assert (cuts["crowded"]["total"], cuts["crowded"]["place"], cuts["crowded"]["degree"]) == (10, places["hall"], 2)


def test_a_person_with_500_visits_is_followed_through_the_latest(town: Session) -> None:
    places = add_places(town, m="market")
    visits = [Visit(1, "m", at(12) + dt.timedelta(minutes=20 * n), at(12, 0, 10) + dt.timedelta(minutes=20 * n))
              for n in range(500)]  # fmt: skip
    add_visits(town, places, [*visits, Visit(2, "m", at(12), at(12, 1)), Visit(3, "m", at(18), at(18, 1))])
    report(1, ONSET)
    contacts, cuts = traced(1)
    assert set(contacts) == {3}
    assert cuts["busy"]["total"] == 500


def test_a_phone_that_stayed_for_a_month_was_not_there_for_a_month(town: Session) -> None:
    places = add_places(town, m="market", h="hotel")
    stuck = [Visit(1, "m", at(13), at(20)), Visit(2, "m", at(13), at(20)), Visit(3, "m", at(16), at(16, 1))]
    guest = [Visit(1, "h", at(12), at(19)), Visit(4, "h", at(18), at(18, 1))]  # people do stay at a hotel
    add_visits(town, places, stuck + guest)
    report(1, ONSET)
    contacts, cuts = traced(1)
    assert set(contacts) == {2, 4}
    assert contacts[2].seconds == 24 * 3600
    assert (cuts["too_long"]["place"], cuts["too_long"]["from"][:10]) == (places["m"], "2021-08-12")  # UTC


def test_a_phone_that_scans_every_minute_is_one_contact(town: Session) -> None:
    places = add_places(town, m="market")
    town.execute(
        "INSERT INTO visit (person_id, place_id, came_at, left_at, span, source)"
        " SELECT 9, %(place)s, t, t + interval '1 minute', 0, 'guest'"
        " FROM generate_series(%(first)s, %(last)s, interval '1 minute') t",
        place=places["m"], first=at(1), last=at(20),
    )  # fmt: skip
    add_visits(town, places, [Visit(1, "m", at(14, 8), at(14, 9)), Visit(2, "m", at(14, 8), at(14, 9))])
    report(1, ONSET)
    contacts, _ = traced(1)
    assert {p: c.seconds for p, c in contacts.items()} == {2: 3600, 9: 3600}


def test_more_visits_at_a_place_than_are_read(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, most_read=5)
    places = add_places(town, m="market")
    crowd(town, places["m"], 20)
    add_visits(town, places, [Visit(1, "m", at(16, 18), at(16, 20))])
    report(1, ONSET)
    contacts, cuts = traced(1)
    assert sorted(contacts) == list(range(1016, 1021))  # the latest to arrive
    assert (cuts["read"]["total"], cuts["read"]["place"]) == (5, places["m"])


def test_more_exposures_than_one_search_lists(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, most_exposures=20, exposures_a_case=0)
    places = add_places(town, m="market")
    for day in (14, 15, 16):
        crowd(town, places["m"], 15, first=1000 * day, day=day)
    add_visits(town, places, [Visit(1, "m", at(day, 18), at(day, 20)) for day in (14, 15, 16)])
    report(1, ONSET)
    contacts, cuts = traced(1)
    assert 20 <= len(contacts) <= 21
    assert cuts["work"]["total"] == 2  # of three visits one was followed to its end


def test_a_cut_keeps_the_first_sources_and_their_latest_visits_wherever_they_were(
    town: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, most_exposures=40, exposures_a_case=0)
    places = add_places(town, low="market", high="market")
    assert places["low"] < places["high"]
    # By place and time alone the visit of the second case, who is sought after the first, would come first.
    for day, place in ((13, "low"), (14, "low"), (16, "high"), (17, "high")):
        crowd(town, places[place], 15, first=1000 * day, day=day)
    days = {1: ((14, "low"), (16, "high"), (17, "high")), 2: ((13, "low"),)}
    add_visits(town, places, [Visit(person, place, at(day, 18), at(day, 20))
                              for person, been in days.items() for day, place in been])  # fmt: skip
    for person in days:
        report(person, ONSET)
    first, second = actions.trace(by=ALL, persons=[1, 2], moment=MOMENT)
    met = [c.person_id // 1000 for c in first.contacts]
    assert (met.count(17), met.count(16), second.contacts) == (15, 15, [])
    assert 10 <= met.count(14) <= 11
    assert [(c["cut"], c["total"]) for c in first.cuts] == [("work", 2)]


def test_a_household_of_an_institution(town: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, most_household=4)
    town.execute(
        "INSERT INTO household (household_id, unit_id, address) SELECT 7, home_unit, '' FROM person WHERE person_id = 1"
    )
    town.execute("INSERT INTO household_member (person_id, household_id, relation, valid)"
                 " SELECT i, 7, 'other', '[2000-01-01,)' FROM generate_series(1, 6) i")  # fmt: skip
    report(1, ONSET)
    contacts, cuts = traced(1)
    assert 3 <= len(contacts) <= 4
    assert cuts["household"]["total"] == 4
