"""What a test wrote into a database of its own is gone before the next test gets it, or the database is."""

from __future__ import annotations

import datetime as dt

import pytest

from khien.core import pool
from khien.core.actor import machine
from khien.core.session import begin
from tests import reuse
from tests.register import add_country, add_person, set_today


def test_an_emptied_database_is_as_it_was_made(fresh_database: str) -> None:
    made = reuse.as_made(fresh_database)
    assert made.rows and made.used  # what a migration writes is there from the beginning
    with begin(machine("test", "*"), role="khien_owner") as session:
        add_country(session)
        add_person(session, 1)
        set_today(session, dt.date(2021, 9, 15))
        session.log("person.read", [1])
        session.execute("SELECT nextval('agency_id_seq')")
        session.execute("DELETE FROM django_content_type WHERE app_label = 'sessions'")
        session.execute("TRUNCATE auth_permission CASCADE")
    pool.close_all()
    written = reuse.as_made(fresh_database)
    assert written.schema == made.schema and written != made
    assert reuse.emptied(fresh_database, made)
    assert reuse.as_made(fresh_database) == made


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE agency DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE person DROP CONSTRAINT person_pkey CASCADE",
        "ALTER TABLE person ADD COLUMN hair text",
        "CREATE TABLE other (a int)",
        "DROP POLICY khien_scope ON person",
        "REVOKE SELECT ON person FROM khien_app",
        "CREATE OR REPLACE FUNCTION khien_nation() RETURNS boolean LANGUAGE sql RETURN true",
    ],
)
def test_a_database_with_another_schema_is_not_used_again(fresh_database: str, change: str) -> None:
    made = reuse.as_made(fresh_database)
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute(change)  # type: ignore[arg-type]
    pool.close_all()
    assert not reuse.emptied(fresh_database, made)
