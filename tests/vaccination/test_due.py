"""Who is due, set-based, is who the engine says is due: for any histories, of any programme that ships."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import InsufficientPrivilege

from khien.core.actor import Actor
from khien.core.session import Session, begin
from khien.vaccination import actions, due, programmes
from khien.vaccination.due import _vaccines, count_due, due_page, due_people, find_due
from khien.vaccination.rules.engine import evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.state import NOT_COMPLETE
from tests.register import NORTH, SOUTH, add_country, add_person

AREA = "{[900000000,900000003)}"
COVID, CHILDHOOD = "covid_19_vn_2021", "childhood_vn"


@pytest.fixture
def country(session: Session) -> Session:
    add_country(session)
    actions.load_products(by=session.actor)
    return session


def told_by_engine(programme: str, on: dt.date, people: dict) -> set:
    rules = programmes.find(programme)
    codes = _vaccines(rules)
    due = set()
    for person_id, (born, sex, doses, infected) in people.items():
        given = tuple(
            Given(day.toordinal(), codes[product]) for day, product in doses if day <= on and product in codes
        )
        known = {"covid-19": infected.toordinal()} if infected and infected <= on else {}
        person = Person(born.toordinal(), on.toordinal(), sex, given, known)
        for g in evaluate(rules, person).groups:
            if g.status == NOT_COMPLETE and g.recommended is not None and g.recommended <= on.toordinal():
                late = g.past_due is not None and g.past_due < on.toordinal()
                due.add((person_id, g.group, g.dose_number, g.kind, tuple(g.vaccines), late))
    return due


def register(session: Session, people: dict, *, last: dt.date = dt.date.max) -> None:
    """The people with their infections and their doses up to a day."""
    doses, infections = [], []
    for person_id, (born, sex, taken, infected) in people.items():
        add_person(session, person_id, birth_date=born, sex=sex)
        doses += [(person_id, uuid4(), product, day) for day, product in taken if day <= last]
        if infected:
            infections.append((person_id, infected))
    with session.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at) VALUES (%s, %s, %s, %s, now())",
            doses,
        )
        cursor.executemany(
            "INSERT INTO health_fact (person_id, client_id, code, valid, source, recorded_at)"
            " VALUES (%s, gen_random_uuid(), 'covid-19', daterange(%s, NULL), 'case', now())",
            infections,
        )


def told_by_database(session: Session, programme: str, on: dt.date) -> set:
    find_due(session, programme, AREA, on)
    return {
        (r["person_id"], r["vaccine_group"], r["dose_number"], r["dose_kind"], tuple(r["vaccines"]), r["past_due"])
        for r in due_people(session)
    }


def histories(products: list[str], first: dt.date, last: dt.date, most: int, born: tuple) -> st.SearchStrategy:
    # Gaps near the rules' own lengths, as well as any.
    gap = st.sampled_from(
        [14, 20, 21, 27, 28, 29, 55, 56, 57, 84, 85, 89, 90, 91, 92, 122, 150, 183, 184]
    ) | st.integers(1, 250)
    births = st.dates(*born) | st.builds(
        lambda years, off: last.replace(year=last.year - years, day=15) + dt.timedelta(off),
        st.sampled_from([0, 1, 2, 5, 6, 12, 18]),
        st.integers(-2, 2),
    ).map(lambda d: min(d, last))
    one = st.tuples(
        births,
        st.sampled_from(["male", "female"]),
        st.dates(first, last),
        st.lists(gap, max_size=most),
        st.lists(st.sampled_from(products), min_size=most, max_size=most),
        st.none() | st.none() | st.dates(first, last),
    )

    def whole(told: tuple) -> tuple:
        birth, sex, start, gaps, chosen, infected = told
        day, doses = max(start, birth), []
        for length, product in zip(gaps, chosen, strict=False):
            doses.append((day, product))
            day += dt.timedelta(length)
        return birth, sex, doses, infected

    return one.map(whole)


class _Undo(Exception):
    pass


SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
ADULTS = (dt.date(1930, 1, 1), dt.date(2021, 1, 1))
PRODUCTS = ["astrazeneca", "pfizer", "moderna", "vero_cell", "janssen", "abdala", "sputnik_v"]


@settings(max_examples=25, **SLOW)
@given(
    st.lists(histories(PRODUCTS, dt.date(2021, 3, 1), dt.date(2022, 3, 1), 4, ADULTS),
             min_size=20, max_size=40),
    st.dates(dt.date(2021, 6, 1), dt.date(2022, 8, 1)),
)  # fmt: skip
def test_the_database_and_the_engine_agree_on_covid(country: Session, told: list, on: dt.date) -> None:
    people = {n: one for n, one in enumerate(told, 1) if one[0] <= on}
    with suppress(_Undo), country.connection.transaction():
        register(country, people)
        assert told_by_database(country, COVID, on) == told_by_engine(COVID, on, people)
        raise _Undo


CHILD = ["bcg", "hepb_birth", "dpt_vgb_hib", "bopv", "ipv", "dpt"]


@settings(max_examples=15, **SLOW)
@given(
    st.lists(histories(CHILD, dt.date(2020, 1, 1), dt.date(2022, 3, 1), 5, (dt.date(2017, 1, 1), dt.date(2022, 3, 1))),
             min_size=20, max_size=40),
    st.dates(dt.date(2021, 6, 1), dt.date(2022, 8, 1)),
)  # fmt: skip
def test_the_database_and_the_engine_agree_on_childhood(country: Session, told: list, on: dt.date) -> None:
    people = {n: one for n, one in enumerate(told, 1) if one[0] <= on}
    with suppress(_Undo), country.connection.transaction():
        register(country, people)
        assert told_by_database(country, CHILDHOOD, on) == told_by_engine(CHILDHOOD, on, people)
        raise _Undo


def test_an_infection_postpones_until_the_rule_changed(country: Session) -> None:
    add_person(country, 1)
    country.execute(
        "INSERT INTO health_fact (person_id, client_id, code, valid, source, recorded_at)"
        " VALUES (1, gen_random_uuid(), 'covid-19', '[2021-08-01,)', 'case', now())"
    )
    find_due(country, COVID, AREA, dt.date(2021, 9, 15))
    assert due_people(country) == []
    find_due(country, COVID, AREA, dt.date(2021, 12, 21))  # Decision 5785 dropped the six months
    assert [row["people"] for row in count_due(country)] == [1]


SECOND = dt.date(2021, 9, 1)


@settings(max_examples=10, **SLOW)
@given(
    st.lists(histories(PRODUCTS, dt.date(2021, 3, 1), dt.date(2021, 12, 1), 3, ADULTS), min_size=10, max_size=20),
    st.dates(dt.date(2021, 10, 1), dt.date(2022, 8, 1)),
)
def test_who_asked_before_sees_what_was_written_since(country: Session, told: list, on: dt.date) -> None:
    """Doses added, corrected and declared, a birth date corrected, two records merged, after somebody asked."""
    people = dict(enumerate(told, 1))
    with suppress(_Undo), country.connection.transaction():
        register(country, people, last=SECOND)
        told_by_database(country, COVID, on)
        for person_id, (_born, _sex, taken, _infected) in people.items():
            for day, product in taken:
                if day > SECOND:
                    country.execute(
                        "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)"
                        " VALUES (%(p)s, gen_random_uuid(), %(product)s, %(day)s, now())",
                        p=person_id, product=product, day=day,
                    )  # fmt: skip
        assert told_by_database(country, COVID, on) == told_by_engine(COVID, on, people)

        born, sex, taken, infected = people[1]
        country.execute("UPDATE person SET birth_date = '2001-02-03', sex = 'female' WHERE person_id = 1")
        country.execute(
            "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at, evidence)"
            " VALUES (1, gen_random_uuid(), 'pfizer', '2021-08-30', now(), 'declared')"
        )
        people[1] = (dt.date(2001, 2, 3), "female", taken, infected)
        country.execute(
            "UPDATE dose SET superseded_by = 0, changed_at = clock_timestamp() WHERE person_id = 2 AND given_on ="
            " (SELECT max(given_on) FROM dose WHERE person_id = 2)"
        )
        born, sex, taken, infected = people[2]
        people[2] = (born, sex, taken[:-1], infected)
        assert told_by_database(country, COVID, on) == told_by_engine(COVID, on, people)

        country.execute("UPDATE person SET merged_into = 3 WHERE person_id = 4")
        born, sex, taken, infected = people[3]
        double = people.pop(4)
        both = max((i for i in (infected, double[3]) if i and i <= on), default=None)
        people[3] = (born, sex, sorted([*taken, *double[2]], key=lambda d: d[0]), both)
        assert told_by_database(country, COVID, on) == told_by_engine(COVID, on, people)
        raise _Undo


def test_after_the_night_nobody_who_asks_waits(country: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    born = dt.date(1980, 1, 1)
    register(country, {n: (born, "male", [(dt.date(2021, 8, n), "pfizer")], None) for n in range(1, 5)})
    assert due.keep_up(country.actor, COVID) >= 4

    def build(session: Session, rules: object, known: dict, since: dt.datetime | None) -> int:
        assert since is not None, "somebody's past had to be built"
        return 0

    monkeypatch.setattr(due, "_build", build)
    find_due(country, COVID, AREA, dt.date(2021, 12, 20))
    assert {row["person_id"] for row in due_people(country)} == {1, 2, 3, 4}


def test_pages_hold_everybody_once(country: Session) -> None:
    for n in range(1, 8):
        add_person(country, n, birth_date=dt.date(1980, 1, n), unit=(NORTH, SOUTH)[n % 2])
    seen, after = [], (0, 0)
    while rows := due_page(country, COVID, AREA, dt.date(2022, 1, 1), after=after, people=3):
        seen += [row["person_id"] for row in rows]
        after = (rows[-1]["unit_id"], rows[-1]["person_id"])
    assert sorted(seen) == list(range(1, 8))
    assert len(seen) == 7


def test_an_area_outside_the_own_is_empty(country: Session) -> None:
    add_person(country, 1)
    elsewhere = Actor(None, "other", "vaccination", frozenset({"*"}), "{[900000002,900000003)}")
    with begin(elsewhere) as session:
        find_due(session, COVID, AREA, dt.date(2022, 1, 1))
        assert due_people(session) == []


def test_what_is_kept_is_reached_through_functions_alone(country: Session) -> None:
    with pytest.raises(InsufficientPrivilege), country.connection.transaction():
        country.execute("SELECT count(*) FROM due.history")
