"""Accounts, what they may serve as, and opening a person by a card."""

from __future__ import annotations

import datetime as dt

import pytest

from khien.access import actions, store
from khien.access.actor import actor_for, posts
from khien.access.roles import opening, permissions, purposes, roles
from khien.access.rules import Role, Title, faults, holds, purposes_of
from khien.access.writing import save, writing
from khien.core.actor import NATION, NOWHERE, Actor, machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import Session, begin
from tests.register import NORTH, SOUTH, add_country, add_person

ADMIN = machine("administration", "account.manage")
WORD = "bon-mua-hoa-trai-9"
OFFICER = Actor(41, "Officer", "vaccination", frozenset({"person.open", "access.read"}), f"{{[{NORTH},{NORTH}]}}")
NUMBER = "001190999901"


def test_the_rulebook_fits_together() -> None:
    for day in (dt.date(2021, 9, 15), dt.date(2026, 1, 1)):
        assert len(roles(day)) == 9
        assert faults(roles(day).values(), purposes(day), permissions()) == []
        assert 0 < opening(day)[0] <= 24


def test_a_rulebook_that_contradicts_itself_is_named() -> None:
    role = Role("r", Title("R", "R"), 0, False, ("p", "q"), frozenset({"a.b"}))
    assert faults([role], ["p"], []) == ["role r: unknown purpose q", "role r: unknown permission a.b"]


def test_an_assignment_narrows_its_role_and_never_widens_it() -> None:
    role = Role("r", Title("R", "R"), 0, False, ("p", "q"), frozenset())
    assert purposes_of(role, []) == ("p", "q")
    assert purposes_of(role, ["q", "z"]) == ("q",)


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [(None, None, True), ("2021-09-15", "2021-09-15", True), ("2021-09-16", None, False), (None, "2021-09-14", False)],
)
def test_both_ends_of_an_assignment_are_included(first: str | None, last: str | None, held: bool) -> None:
    days = [dt.date.fromisoformat(d) if d else None for d in (first, last)]
    assert holds(days[0], days[1], dt.date(2021, 9, 15)) is held


@pytest.fixture
def country(django_database: str) -> str:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_person(session, 1, unit=NORTH)
        add_person(session, 2, unit=SOUTH, name="Trần Văn Mẫu", birth_date=dt.date(1980, 3, 1))
        session.execute("INSERT INTO identifier VALUES ('personal_number', %(n)s, 2)", n=NUMBER)
    return django_database


def test_an_account_serves_where_and_as_what_it_was_assigned(country: str) -> None:
    account = actions.add_account(by=ADMIN, username="lan", name="Lan", password=WORD)
    with pytest.raises(NotAllowed):
        actor_for(account, "Lan", posts(account)[1])
    actions.add_agency(by=ADMIN, code="tram-bac", name="Trạm Bắc", kind="station", unit_id=NORTH)
    first = actions.assign_role(by=ADMIN, username="lan", role="vaccinator", agency="tram-bac", unit_id=NORTH)
    second = actions.assign_role(by=ADMIN, username="lan", role="auditor")
    held = posts(account)[1]
    actor = actor_for(account, "Lan", held)
    assert (actor.area, actor.purpose) == (f"{{[{NORTH},{NORTH + 1})}}", "vaccination")
    assert actor.may("dose.record")
    assert not actor.may("access.verify")
    assert actor_for(account, "Lan", held, second).area == NATION
    for wrong in ((second, "vaccination"), (first, "audit"), (second + 1, None)):
        with pytest.raises(NotAllowed):
            actor_for(account, "Lan", held, *wrong)
    actions.change_days(by=ADMIN, assignment_id=first, first_day=None, last_day=dt.date(2020, 1, 1))
    assert [p.assignment_id for p in posts(account)[1]] == [second]
    actions.disable_account(by=ADMIN, username="lan")
    assert posts(account)[1] == []


def test_a_citizen_sees_the_own_record_and_nobody_elses(country: str) -> None:
    account = actions.add_account(by=ADMIN, username="mau", name="Mẫu", password=WORD)
    actions.assign_role(by=ADMIN, username="mau", role="citizen", unit_id=NORTH)
    citizen = actor_for(account, "Mẫu", posts(account)[1])
    assert citizen.area == NOWHERE
    with begin(citizen) as session:
        assert session.rows("SELECT person_id FROM person") == []
    actions.open_own_record(by=ADMIN, username="mau", person_id=2)
    with begin(OFFICER.for_purpose("vaccination")) as session:
        session.log("dose.record", [2])
    with begin(citizen) as session:
        assert session.rows("SELECT person_id FROM person") == [{"person_id": 2}]
        looks = store.looks_at_person(session, 2)
        assert [r["action"] for r in looks][0] == "dose.record"
        assert {r["account"] for r in looks} == {None}  # officers' names are for the auditor
        with pytest.raises(NotFound):
            store.looks_at_person(session, 1)


def test_wrong_entries_are_named_by_field(country: str) -> None:
    actions.add_account(by=ADMIN, username="lan", name="Lan", password=None)
    wrong = {
        "username": lambda: actions.add_account(by=ADMIN, username="lan", name="Lan", password=WORD),
        "password": lambda: actions.add_account(by=ADMIN, username="an", name="An", password="12345678"),
        "role": lambda: actions.assign_role(by=ADMIN, username="lan", role="emperor"),
        "agency": lambda: actions.assign_role(by=ADMIN, username="lan", role="auditor", agency="none"),
        "unit": lambda: actions.assign_role(by=ADMIN, username="lan", role="auditor", unit_id=5),
        "purposes": lambda: actions.assign_role(by=ADMIN, username="lan", role="auditor", purposes=["residence"]),
    }
    for field, attempt in wrong.items():
        with pytest.raises(BadInput) as caught:
            attempt()
        assert field in {f.field for f in caught.value.faults}
    with pytest.raises(BadInput) as caught:
        actions.add_account(by=ADMIN, username=NUMBER, name="X", password=WORD)
    assert NUMBER not in str(caught.value) + "".join(f.text() for f in caught.value.faults)
    with pytest.raises(NotFound):
        actions.assign_role(by=ADMIN, username="nobody", role="auditor")


def test_nobody_gives_a_role_to_themselves(country: str) -> None:
    account = actions.add_account(by=ADMIN, username="lan", name="Lan", password=WORD)
    herself = Actor(account, "Lan", "administration", frozenset({"account.manage"}), NATION)
    with pytest.raises(Refused):
        actions.assign_role(by=herself, username="lan", role="auditor")


@pytest.mark.parametrize(
    ("name", "born"),
    [("tran van mau", dt.date(1980, 3, 1)), ("TRẦN VĂN MẪU", None), (None, dt.date(1980, 3, 1))],
)
def test_a_card_opens_its_owner_for_the_account_that_saw_it(
    country: str, name: str | None, born: dt.date | None
) -> None:
    assert actions.open_by_card(by=OFFICER, number=NUMBER, name=name, birth_date=born) == 2
    with begin(OFFICER) as session:
        assert session.value("SELECT count(*) FROM person") == 2
        row = session.row("SELECT action, detail FROM access_log WHERE person_id = 2")
    assert row == {"action": "person.open", "detail": {"hours": 8}}
    for other in (Actor(42, "Other", "vaccination", frozenset(), OFFICER.area), OFFICER.for_purpose("residence")):
        with begin(other) as session:
            assert session.value("SELECT count(*) FROM person") == 1
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE access_grant SET until = now() - interval '1 s'")
    with begin(OFFICER) as session:
        assert session.value("SELECT count(*) FROM person") == 1


@pytest.mark.parametrize(
    ("number", "name", "born"),
    [
        (NUMBER, "Trần Văn Mẩu Khác", None),
        (NUMBER, "Trần Văn Mẫu", dt.date(1980, 3, 2)),
        (NUMBER, None, None),
        (NUMBER[:-1] + "2", "Trần Văn Mẫu", dt.date(1980, 3, 1)),
        (NUMBER[:-1] + "%", "Trần Văn Mẫu", dt.date(1980, 3, 1)),
    ],
)
def test_a_near_miss_opens_nobody_and_the_attempt_stays(
    country: str, number: str, name: str | None, born: dt.date | None
) -> None:
    with pytest.raises(NotFound):
        actions.open_by_card(by=OFFICER, number=number, name=name, birth_date=born)
    with begin(OFFICER) as session:
        assert session.value("SELECT count(*) FROM access_grant") == 0
        rows = session.rows("SELECT action, person_id, detail FROM access_log WHERE account_id = 41")
    assert rows == [{"action": "person.open_refused", "person_id": None, "detail": {}}]


def test_numbers_cannot_be_guessed_one_after_another(country: str) -> None:
    for guess in range(20):
        with pytest.raises(NotFound):
            actions.open_by_card(by=OFFICER, number=f"0011909998{guess:02}", name="Trần Văn Mẫu")
    with pytest.raises(NotFound):
        actions.open_by_card(by=OFFICER, number=NUMBER, name="Trần Văn Mẫu")
    colleague = Actor(42, "Other", "vaccination", OFFICER.permissions, OFFICER.area)
    assert actions.open_by_card(by=colleague, number=NUMBER, name="Trần Văn Mẫu") == 2


def test_nothing_identifying_is_in_the_log(country: str) -> None:
    actions.add_account(by=ADMIN, username="lan", name="Lan", password=WORD, email="lan@example.org")
    actions.open_by_card(by=OFFICER, number=NUMBER, name="Trần Văn Mẫu")
    with begin(machine("test", "*"), role="khien_owner") as session:
        text = str(session.value("SELECT string_agg(to_jsonb(l)::text, ' ') FROM access_log l"))
    for secret in (NUMBER, "Mẫu", "1980", "lan@example.org", WORD):
        assert secret not in text


def test_an_area_takes_in_older_units_that_went_wholly_into_it(session: Session) -> None:
    add_country(session)
    session.execute(
        "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid) VALUES"
        " (900000011, 900000011, 'TEST', 'O1', 3, 'xa', 'Cũ Một', 'cu mot', NULL, '[2000-01-01,2021-01-01)'),"
        " (900000012, 900000012, 'TEST', 'O2', 3, 'xa', 'Cũ Hai', 'cu hai', NULL, '[2000-01-01,2021-01-01)')"
    )
    session.execute(
        "INSERT INTO unit_succession (from_id, to_id, on_date, kind, source) VALUES"
        " (900000011, 900000001, '2021-01-01', 'merged', 't'), (900000012, 900000001, '2021-01-01', 'split', 't'),"
        " (900000012, 900000002, '2021-01-01', 'split', 't')"
    )
    north = session.value("SELECT access_area(%(unit)s)::text", unit=NORTH)
    assert north == "{[900000001,900000002),[900000011,900000012)}"
    assert session.value("SELECT access_area(NULL)::text") == NATION
    assert session.value("SELECT access_area(-5)") is None


def test_an_account_without_its_log_row_is_not_made(django_database: str) -> None:
    from khien.access.models import Account

    with pytest.raises(TypeError), writing(ADMIN) as session:
        record = Account(username="half", name="Half")
        record.set_password(WORD)
        save(session, record, "account.add", lambda: {"account": object()})
    assert not Account.objects.filter(username="half").exists()
    actions.add_account(by=ADMIN, username="whole", name="Whole", password=WORD)
    with begin(machine("test", "*")) as session:
        logged = session.rows("SELECT action FROM access_log WHERE action LIKE 'account.%%'")
    assert [row["action"] for row in logged] == ["account.add"]
