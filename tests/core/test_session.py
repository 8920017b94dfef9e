"""A session: one transaction, one scope, one moment."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest

from khien.core import config, pool
from khien.core.actor import NATION, Actor, machine
from khien.core.session import Session, begin, beside

STATION = Actor(7, "station", "vaccination", frozenset(), "{[5,9)}", 3)
SCOPE = "SELECT current_setting('khien.area') || ' ' || current_setting('khien.account')"


def test_the_day_comes_from_the_clock_of_the_database(session: Session) -> None:
    session.execute("UPDATE clock SET demo_on = '2021-09-01'")
    session._now = None
    assert session.today.isoformat() == "2021-09-01"


def test_an_inner_session_has_its_own_scope_and_gives_the_outer_one_back(session: Session) -> None:
    assert session.value(SCOPE) == f"{NATION} "
    with begin(STATION) as inner:
        assert inner.connection is session.connection
        assert inner.value(SCOPE) == "{[5,9)} 7"
    assert session.value(SCOPE) == f"{NATION} "


def test_what_an_inner_session_did_goes_when_it_fails_and_its_effects_never_happen(session: Session) -> None:
    happened: list[str] = []
    with pytest.raises(ValueError, match="on purpose"), begin(STATION) as inner:
        inner.execute("CREATE TEMP TABLE half (n int)")
        inner.after_commit(lambda: happened.append("inner"))
        raise ValueError("on purpose")
    assert session.value("SELECT to_regclass('pg_temp.half') IS NULL")
    assert session.value(SCOPE) == f"{NATION} "
    assert happened == []


def test_effects_come_after_the_commit_and_not_after_a_failure(fresh_database: str) -> None:
    happened: list[str] = []
    with begin(machine("test")) as outer:
        outer.after_commit(lambda: happened.append("outer"))
        with begin(machine("test")) as inner:
            inner.after_commit(lambda: happened.append("inner"))
        assert happened == []
    assert sorted(happened) == ["inner", "outer"]
    with pytest.raises(ZeroDivisionError), begin(machine("test")) as failing:
        failing.after_commit(lambda: happened.append("never"))
        1 / 0  # noqa: B018
    assert "never" not in happened


def test_a_connection_is_clean_for_the_next_one(fresh_database: str) -> None:
    with begin(STATION):
        pass
    with pytest.raises(ZeroDivisionError), begin(STATION):
        1 / 0  # noqa: B018
    with begin(machine("test")) as later:
        assert later.value(SCOPE) == f"{NATION} "


def test_a_session_beside_another_has_its_scope_and_connection_of_its_own(fresh_database: str) -> None:
    with begin(STATION) as session:
        with pool.connection("khien_app"):
            pass  # so that there is a second one
        with beside(session) as other:
            assert other is not None
            assert other.connection is not session.connection
            assert other.value(SCOPE) == "{[5,9)} 7"
            assert other.now == session.now
        assert session.value(SCOPE) == "{[5,9)} 7"


def test_what_is_written_beside_is_committed(fresh_database: str) -> None:
    with begin(machine("test", "*")) as session:
        with beside(session, writes=True) as other:
            assert other is not None
            other.execute("UPDATE clock SET demo_on = '2021-09-01'")
        assert session.value("SELECT demo_on::text FROM clock") == "2021-09-01"
        with beside(session) as other:
            assert other is not None
            other.execute("UPDATE clock SET demo_on = '2021-10-01'")
        assert session.value("SELECT demo_on::text FROM clock") == "2021-09-01"


def test_a_failure_that_nobody_told_beside_does_not_pass_for_a_commit(fresh_database: str) -> None:
    def fail_quietly() -> None:
        with begin(machine("test", "*")) as session, beside(session, writes=True) as other:
            assert other is not None
            with suppress(psycopg.Error):
                other.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.InternalError, match="had failed"):
        fail_quietly()


def test_a_failure_that_nobody_told_does_not_pass_for_a_commit(fresh_database: str) -> None:
    def fail_quietly() -> None:
        with begin(machine("test", "*")) as session, suppress(psycopg.Error):
            session.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.InternalError, match="had failed"):
        fail_quietly()


def test_there_is_none_beside_a_session_within_another(session: Session) -> None:
    with begin(STATION) as inner, beside(inner) as other:
        assert other is None


def test_there_is_none_beside_where_all_connections_are_taken(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "pool_size", lambda: 1)
    with begin(STATION) as session, beside(session) as other:
        assert other is None


def end(session: Session, connection: psycopg.Connection) -> None:
    assert session.value("SELECT pg_terminate_backend(%(pid)s, 10000)", pid=connection.info.backend_pid)


def test_there_is_none_beside_on_a_connection_that_broke(fresh_database: str) -> None:
    with begin(STATION) as session:
        with pool.connection("khien_app") as second:
            end(session, second)
        with beside(session) as other:
            assert other is None
        assert session.value(SCOPE) == "{[5,9)} 7"


def test_a_session_goes_on_where_the_one_beside_it_breaks(fresh_database: str) -> None:
    with begin(STATION) as session:
        with pool.connection("khien_app"):
            pass  # so that there is a second one
        with beside(session) as other:
            assert other is not None
            end(session, other.connection)
            with pytest.raises(psycopg.OperationalError):
                other.value(SCOPE)
        assert session.value(SCOPE) == "{[5,9)} 7"
