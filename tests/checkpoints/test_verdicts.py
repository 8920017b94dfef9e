"""What is declared, what the register says, what the officer hears: in Python and in SQL, which must agree."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.checkpoints import actions
from khien.checkpoints.rules import declared as reading
from khien.checkpoints.rules.declared import Declared
from khien.checkpoints.rules.rule import rule_on
from khien.checkpoints.rules.verdict import NOTE_TEXTS, Answer, RegisterFacts, Verdict, decide, note_text
from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed
from khien.core.session import Session
from khien.population.rules.name_likeness import compare
from khien.population.rules.partial_date import PartialDate
from tests.checkpoints.conftest import add_card, add_number
from tests.register import SOUTH, add_country, add_person, add_vaccines, set_today

TODAY = dt.date(2021, 9, 20)
OFFICER = machine("movement-control", "identity.check")
NUMBER = "001190000001"
TRUE = {"number": NUMBER, "name": "Nguyễn Thị Ví Dụ", "birth_date": "1990-01-15"}

# What is declared differently from the truth; verdict, likeness of the name, of the birth date, notes.
SPEC = [
    ({}, "match", "same", "same", ""),
    ({"name": "  nguyễn thị  VÍ DỤ "}, "match", "same", "same", ""),
    ({"name": "NGUYEN THI VI DU"}, "match", "unaccented", "same", ""),
    ({"name": "Nguyễn Thi Vi Dụ"}, "match", "unaccented", "same", ""),
    ({"name": "Nguyễn Thị Vi Dụ"}, "name_differs", "one_apart", "same", ""),  # another name, or one accent forgotten
    ({"name": "Nguyễn Thị Vì Dụ"}, "name_differs", "one_apart", "same", ""),
    ({"name": "Nguyễn Thị Ví Dụn"}, "name_differs", "one_apart", "same", ""),
    ({"name": "Ví Dụ Nguyễn Thị"}, "name_differs", "order", "same", ""),
    ({"name": "Trần Văn Khác"}, "name_differs", "different", "same", ""),
    ({"name": "Trần Văn Khác", "birth_date": "1991-01-15"}, "name_differs", "different", "differs", ""),
    ({"birth_date": "1990-01-16"}, "birth_date_differs", "same", "differs", ""),
    ({"birth_date": "1990-01"}, "match", "same", "compatible", ""),
    ({"birth_date": "1990"}, "match", "same", "compatible", ""),
    ({"birth_date": "1990-**-**"}, "match", "same", "compatible", ""),
    ({"birth_date": "1990-02"}, "birth_date_differs", "same", "differs", ""),
    ({"number": "001190000099"}, "unknown_number", None, None, ""),
    ({"number": "123456789"}, "match", "same", "same", ""),  # the old card's number
    ({"number": " 001 190 000 001 "}, "match", "same", "same", ""),
    ({"number": "1190000001"}, "malformed", None, None, "number"),
    ({"number": "******000001"}, "malformed", None, None, "number"),
    ({"birth_date": "1990-02-30"}, "malformed", None, None, "birth_date"),
    ({"name": " "}, "malformed", None, None, "name"),
    ({"name": "a\x00b"}, "malformed", None, None, "name"),
    ({"sex": "male"}, "match", "same", "same", "sex_differs"),
    ({"sex": "unknown"}, "match", "same", "same", ""),
    ({"commune": "T1"}, "match", "same", "same", ""),
    ({"commune": "T2"}, "match", "same", "same", "commune_differs"),
    ({"card_number": "C1"}, "match", "same", "same", ""),
    ({"card_number": "C2"}, "card_cancelled", "same", "same", ""),
    ({"card_number": "C3"}, "match", "same", "same", "card_expired"),
    ({"card_number": "C9"}, "match", "same", "same", "card_unknown"),
    ({"card_number": "C4"}, "match", "same", "same", ""),  # reissued: one of the two is valid
    ({"card_number": "C4", "card_issued_on": "2021-01-01"}, "card_cancelled", "same", "same", ""),
    ({"number": "001190000002"}, "deceased", "same", "same", ""),
    ({"number": "001190000002", "name": "Trần Văn Khác"}, "name_differs", "different", "same", ""),
    ({"number": "001190000003"}, "match", "same", "compatible", ""),  # the register knows the year only
    ({"number": "001190000003", "birth_date": "1991-01-15"}, "birth_date_differs", "same", "differs", ""),
]


@pytest.fixture
def register(session: Session) -> Session:
    add_country(session)
    set_today(session, TODAY)
    add_person(session, 1)
    add_person(session, 2, died_on=TODAY)
    add_person(session, 3, birth_date=dt.date(1990, 1, 1), unit=SOUTH)
    session.execute("UPDATE person SET birth_precision = 'y' WHERE person_id = 3")
    for n in (1, 2, 3):
        add_number(session, n, f"00119000000{n}")
    add_number(session, 1, "123456789", "cmnd")
    add_card(session, 1, "C1", dt.date(2021, 1, 1))
    add_card(session, 1, "C2", dt.date(2021, 1, 1), cancelled_on=TODAY)
    add_card(session, 1, "C3", dt.date(2011, 1, 1), expires_on=dt.date(2021, 1, 1))
    add_card(session, 1, "C4", dt.date(2021, 1, 1), cancelled_on=dt.date(2021, 6, 1))
    add_card(session, 1, "C4", dt.date(2021, 6, 1))
    return session


def test_spec(register: Session) -> None:
    checks = [reading.read(TRUE | change) for change, *_ in SPEC]
    answers = actions.check_identities(by=OFFICER, declared=checks)
    found = [(a.verdict, a.name, a.birth_date, " ".join(a.malformed or a.notes)) for a in answers]
    for answer, (change, *expected) in zip(found, SPEC, strict=True):
        assert answer == tuple(expected), change


def test_every_check_is_logged_with_its_verdict_and_without_identifiers(register: Session) -> None:
    actions.check_identities(by=OFFICER, declared=[reading.read(TRUE | change) for change, *_ in SPEC])
    rows = register.rows("SELECT person_id, detail FROM access_log WHERE action = 'identity.check' ORDER BY n")
    assert [row["detail"]["verdict"] for row in rows] == [expected[0] for _, *expected in SPEC]
    assert rows[0]["person_id"] == 1
    assert NUMBER not in str(rows)
    assert register.rows("SELECT * FROM access_verify()") == []


def test_an_officer_hears_of_doses_only_for_a_match(register: Session) -> None:
    add_vaccines(register)
    for person, days in ((1, (60, 14)), (3, (14,)), (2, (60,))):
        for n, before in enumerate(days):
            register.execute(
                "INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)"
                " VALUES (%(p)s, gen_random_uuid(), 'alpha', %(d)s, now())",
                p=person, d=TODAY - dt.timedelta(days=before + 0 * n),
            )  # fmt: skip
    wanted = [
        ({}, ("doses_green",)),
        ({"number": "001190000003"}, ("doses_yellow",)),
        ({"number": "001190000002"}, ()),  # deceased
        ({"birth_date": "1990-01-16"}, ()),
    ]
    answers = actions.check_identities(by=OFFICER, declared=[reading.read(TRUE | change) for change, _ in wanted])
    assert [a.notes for a in answers] == [notes for _, notes in wanted]
    set_today(register, TODAY - dt.timedelta(days=1))
    assert actions.check_identity(by=OFFICER, declared=reading.read(TRUE)).notes == ("doses_yellow",)


def test_somebody_whose_record_was_merged_lives_where_the_whole_record_says(register: Session) -> None:
    zone = register.value("INSERT INTO zone (name) VALUES ('Vùng Nam') RETURNING zone_id")
    register.execute(
        "INSERT INTO zone_order (zone_id, state, grade, area, valid, document, signed_by, recorded_on)"
        " SELECT %(zone)s, 'in_force', 4, int4multirange(int4range(unit_id, last_id, '[]')), '[2021-09-01,)', 'x', 'y',"
        " '2021-09-01' FROM unit WHERE unit_id = %(south)s",
        zone=zone, south=SOUTH,
    )  # fmt: skip
    register.execute("UPDATE person SET merged_into = 3 WHERE person_id = 1")
    asked = [reading.read(TRUE), reading.read(TRUE | {"number": "001190000003"})]
    assert [a.notes for a in actions.check_identities(by=OFFICER, declared=asked)] == [("from_zone_4",)] * 2
    register.execute("UPDATE person SET merged_into = NULL WHERE person_id = 1")
    assert [a.notes for a in actions.check_identities(by=OFFICER, declared=asked)] == [(), ("from_zone_4",)]


def test_without_the_permission_nothing_is_checked(register: Session) -> None:
    with pytest.raises(NotAllowed):
        actions.check_identity(by=machine("movement-control"), declared=reading.read(TRUE))


@pytest.mark.parametrize(
    "message",
    [
        [], "x", None, {}, TRUE | {"extra": "x"}, TRUE | {"number": 1}, TRUE | {"name": None}, TRUE | {"sex": 1},
        {k: v for k, v in TRUE.items() if k != "birth_date"},
    ],
)  # fmt: skip
def test_a_broken_form_is_refused_without_repeating_values(message: object) -> None:
    with pytest.raises(BadInput) as caught:
        reading.read(message)
    assert NUMBER not in caught.value.text("vi") + str(caught.value.faults)


@settings(max_examples=300)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(
    st.sampled_from(sorted(reading.FIELDS)) | st.text(), s)))  # fmt: skip
def test_reading_gives_a_check_or_names_the_fault(message: object) -> None:
    try:
        found = reading.read(message)
    except BadInput:
        return
    assert bool(found.malformed) == (found.number == "")
    found.name.encode()


def test_there_is_a_rule_for_every_day() -> None:
    for day in (dt.date(2021, 1, 1), dt.date(2021, 9, 10), dt.date(2021, 9, 11), dt.date(2030, 1, 1)):
        assert rule_on(day).document


def test_every_verdict_and_note_has_words_in_both_languages() -> None:
    for verdict in Verdict:
        assert Answer(verdict).text("vi") != Answer(verdict).text("en")
    for note in (*NOTE_TEXTS, "from_zone_4"):
        assert note_text(note, "vi") != note_text(note, "en")


# Two implementations must agree ---------------------------------------------------------------------------------------

_SYLLABLES = (
    "an",
    "ân",
    "án",
    "hoà",
    "hòa",
    "hoa",
    "đỗ",
    "do",
    "dỗ",
    "Nguyễn",
    "NGUYEN",
    "Thị",
    "thi",
    "Ví",
    "vì",
    "ư",
)
names = st.lists(st.sampled_from(_SYLLABLES), min_size=1, max_size=4).map(" ".join)


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and the same with a slip of the pen."""
    name = draw(names)
    other = draw(st.one_of(st.just(name), names))
    at = draw(st.integers(0, len(other)))
    kind = draw(st.sampled_from(("none", "drop", "add", "swap", "upper")))
    if kind == "drop":
        other = other[:at] + other[at + 1 :]
    elif kind == "add":
        other = other[:at] + draw(st.sampled_from("aeđ́n ")) + other[at:]
    elif kind == "swap":
        other = other[:at] + other[at : at + 2][::-1] + other[at + 2 :]
    elif kind == "upper":
        other = other.upper()
    return name, other


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(slips(), min_size=1, max_size=30))
def test_sql_compares_names_as_python_does(session: Session, pairs: list[tuple[str, str]]) -> None:
    rows = session.rows(
        "SELECT khien_name_likeness(l, r) AS likeness FROM unnest(%(l)s::text[], %(r)s::text[]) AS p (l, r)",
        l=[left for left, _ in pairs], r=[right for _, right in pairs],
    )  # fmt: skip
    assert [row["likeness"] for row in rows] == [compare(*pair).likeness for pair in pairs]


days = st.dates(dt.date(1989, 12, 1), dt.date(1991, 2, 1))
partial = st.builds(
    lambda day, known: PartialDate(day.year, day.month if known > 0 else None, day.day if known > 1 else None),
    days, st.integers(0, 2),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            slips(), partial, partial, st.sampled_from(reading.SEXES), st.none() | st.sampled_from(reading.SEXES),
            st.none() | days, st.sampled_from(("T1", "T2", None)), st.booleans(),
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_sql_decides_as_python_does(session: Session, cases: list[tuple]) -> None:  # type: ignore[type-arg]
    add_country(session)
    set_today(session, dt.date(1991, 1, 1))
    base = session.value("SELECT coalesce(max(person_id), 0) + 1 FROM person")
    checks, expected = [], []
    for n, ((name, other), born, said, sex, said_sex, died, commune, known) in enumerate(cases):
        person, number = base + n, f"{base + n:012}"
        died = max(died, born.first_day) if died else None
        checked = reading.read(
            {"number": number, "name": other, "birth_date": str(said), "sex": said_sex, "commune": commune}
        )
        facts = None
        if known:
            add_person(session, person, name=name, birth_date=born.first_day, sex=sex, died_on=died)
            session.execute(
                "UPDATE person SET birth_precision = %(p)s WHERE person_id = %(id)s", p=born.precision, id=person
            )
            add_number(session, person, number)
            facts = RegisterFacts(name, born, sex, died, None, commune != "T2")
        checks.append(checked)
        expected.append(decide(checked, facts, rule_on(dt.date(1991, 1, 1)), dt.date(1991, 1, 1)))
    assert actions.check_identities(by=OFFICER, declared=checks) == expected


def test_declared_keeps_identifiers_out_of_its_repr() -> None:
    assert NUMBER not in repr(reading.read(TRUE)) and isinstance(reading.read(TRUE), Declared)
