"""The second lock with the first one off: row-level security against somebody to whom Python forbids nothing.

Every table about people, every role.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from khien.access.roles import roles
from khien.core.actor import NATION, NOWHERE, Actor, machine
from khien.core.session import Session, begin
from tests.register import NORTH, SOUTH, add_country, add_person

INSIDE, OUTSIDE = 900_000_101, 900_000_102
ROLES = roles(dt.date(2021, 9, 15))
AREA = f"{{[{NORTH},{NORTH}]}}"


def personal_tables(session: Session) -> list[dict[str, Any]]:
    """Every table with a person_id that is no partition: name, and the column it is partitioned by."""
    return session.rows(
        "SELECT c.relname AS name, k.attname AS key FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'person_id' AND NOT a.attisdropped"
        " LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid"
        " LEFT JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = p.partattrs[0]"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " ORDER BY c.relname"
    )


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[list[dict[str, Any]]]:
    """A row about somebody inside and one about somebody outside the area, in every table about people.

    Constraints are taken off first, in a database that is thrown away, so that new tables need no new lines here.
    """
    from khien.core import pool, server
    from tests.conftest import _clone, _use

    name = f"{database}_locks"
    pool.close_all()
    _clone(name)
    try:
        with begin(machine("test", "*"), role="khien_owner") as session:
            add_country(session)
            add_person(session, INSIDE, unit=NORTH)
            add_person(session, OUTSIDE, unit=SOUTH)
            tables = [t for t in personal_tables(session) if t["name"] != "person"]
            for table in tables:
                _unbind(session, table)
        with begin(machine("test", "*"), role="khien_owner") as session:
            for table in tables:
                _fill(session, table)
        yield [{"name": "person", "key": None}, *tables]
    finally:
        pool.close_all()
        _use(database)
        server.drop_database(name)


def _unbind(session: Session, table: dict[str, Any]) -> None:
    constraints = session.rows(
        "SELECT conname FROM pg_constraint c WHERE conrelid = %(name)s::regclass AND conislocal AND NOT EXISTS ("
        " SELECT FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey) AND a.attidentity <> ''"
        "  AND contype = 'n') ORDER BY contype = 'n'",
        name=table["name"],
    )
    for row in constraints:
        statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {} CASCADE").format(
            sql.Identifier(table["name"]), sql.Identifier(row["conname"])
        )
        session.connection.execute(statement)
    if table["key"]:
        default = session.value(
            "SELECT partdefid FROM pg_partitioned_table WHERE partrelid = %(name)s::regclass", name=table["name"]
        )
        if not default:
            statement = sql.SQL("CREATE TABLE {} PARTITION OF {} DEFAULT").format(
                sql.Identifier(f"{table['name']}_any"), sql.Identifier(table["name"])
            )
            session.connection.execute(statement)


def _fill(session: Session, table: dict[str, Any]) -> None:
    for person_id in (INSIDE, OUTSIDE):
        session.connection.execute(_insert(table), (person_id,))


def _insert(table: dict[str, Any]) -> sql.Composed:
    key = sql.SQL(", {}").format(sql.Identifier(table["key"])) if table["key"] else sql.SQL("")
    now = sql.SQL(", now()") if table["key"] else sql.SQL("")
    return sql.SQL("INSERT INTO {} (person_id{}) VALUES (%s{})").format(sql.Identifier(table["name"]), key, now)


def seen(session: Session, table: str) -> set[int]:
    statement = sql.SQL("SELECT person_id FROM {}").format(sql.Identifier(table))
    return {r[0] for r in session.connection.execute(statement)} & {INSIDE, OUTSIDE}


def anyone(role: str, area: str) -> Actor:
    """Somebody in this role to whom Python forbids nothing."""
    return Actor(41, "Anyone", ROLES[role].purposes[0], frozenset({"*"}), area)


def test_every_table_about_people_is_there(filled: list[dict[str, Any]]) -> None:
    names = {t["name"] for t in filled}
    assert {"person", "identifier", "personal_card", "household_member", "residence", "dose", "access_log"} <= names


@pytest.mark.parametrize("role", ROLES)
def test_rows_outside_the_area_are_invisible_in_every_table(filled: list[dict[str, Any]], role: str) -> None:
    with begin(anyone(role, AREA)) as session:
        found = {t["name"]: seen(session, t["name"]) for t in filled if t["name"] != "access_grant"}
    assert {n for n, s in found.items() if s != {INSIDE}} == set()


@pytest.mark.parametrize("role", ROLES)
def test_rows_outside_the_area_cannot_be_written_in_any_table(filled: list[dict[str, Any]], role: str) -> None:
    written = []
    for table in filled:
        name = sql.Identifier(table["name"])
        for statement in (
            _insert(table),
            sql.SQL("UPDATE {} SET person_id = person_id WHERE person_id = %s").format(name),
            sql.SQL("DELETE FROM {} WHERE person_id = %s").format(name),
        ):
            try:
                with begin(anyone(role, AREA)) as session:
                    if session.connection.execute(statement, (OUTSIDE,)).rowcount:
                        written.append(statement.as_string(None))
            except psycopg.errors.InsufficientPrivilege:
                continue
            except psycopg.errors.IntegrityError as broken:  # person keeps its constraints
                assert table["name"] == "person", broken  # noqa: PT017
    assert written == []


def test_nobody_is_moved_out_of_somebody_elses_area_into_ones_own(filled: list[dict[str, Any]]) -> None:
    with begin(anyone("commune-police", AREA)) as session:
        taken = session.execute(
            "UPDATE person SET home_unit = %(north)s WHERE person_id = %(outside)s", north=NORTH, outside=OUTSIDE
        )
    assert taken == 0


@pytest.mark.parametrize(
    "actor",
    [
        Actor(41, "No area", "vaccination", frozenset({"*"}), NOWHERE),
        Actor(41, "No purpose", "", frozenset({"*"}), NATION),
        Actor(None, "", "", frozenset()),
    ],
    ids=lambda a: a.name or "nobody",
)
def test_without_area_or_purpose_nothing_is_visible(filled: list[dict[str, Any]], actor: Actor) -> None:
    with begin(actor) as session:
        assert {t["name"] for t in filled if seen(session, t["name"])} == set()


def test_without_any_settings_nothing_is_visible(filled: list[dict[str, Any]]) -> None:
    from khien.core import pool

    with pool.connection("khien_app") as connection:
        for table in filled:
            count = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table["name"])))
            assert count.fetchone() == (0,), table["name"]


def test_the_nation_sees_everybody(filled: list[dict[str, Any]]) -> None:
    with begin(anyone("epidemiologist", NATION)) as session:
        found = {t["name"]: seen(session, t["name"]) for t in filled if t["name"] != "access_grant"}
    assert {n for n, s in found.items() if s != {INSIDE, OUTSIDE}} == set()


def test_partitions_are_closed_by_themselves(filled: list[dict[str, Any]]) -> None:
    with begin(anyone("auditor", NATION)) as session:
        parts = session.rows(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname !~ '_any$'"
        )
        for part in parts:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), session.connection.transaction():
                session.connection.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(part["relname"])))
