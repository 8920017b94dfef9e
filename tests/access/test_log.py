"""The access log: append-only, chained, cheap to check; tampering shows."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from click.testing import CliRunner

from khien.access import actions, store
from khien.cli import access as command
from khien.core.actor import NATION, Actor, machine
from khien.core.errors import NotAllowed, Refused
from khien.core.session import Session, begin

CLERK = Actor(7, "Clerk", "vaccination", frozenset({"access.verify", "access.read"}), NATION, 3)


def faults(session: Session) -> set[str]:
    return {row["what"] for row in store.verify(session)}


def written(session: Session) -> tuple[int, int]:
    """Three calls on one lane; lane and number of the middle one."""
    session.log("dose.record", [1, 2, 3], site=4)
    session.log("person.read", [2])
    session.log("coverage.read")
    row = session.row("SELECT lane, seq FROM access_link WHERE at = (SELECT max(at) FROM access_link)")
    assert row is not None
    return row["lane"], row["seq"] - 1


def test_one_call_writes_one_link_and_an_entry_a_person(keeper: Session) -> None:
    lane, seq = written(keeper)
    sql = "SELECT n, person_id, action, detail FROM access_log WHERE lane = %(lane)s AND seq = %(seq)s ORDER BY n"
    first = keeper.rows(sql, lane=lane, seq=seq - 1)
    assert [(r["n"], r["person_id"]) for r in first] == [(1, 1), (2, 2), (3, 3)]
    assert {r["action"] for r in first} == {"dose.record"}
    assert first[0]["detail"] == {"site": 4}
    assert [r["person_id"] for r in keeper.rows(sql, lane=lane, seq=seq + 1)] == [None]
    assert faults(keeper) == set()


def test_who_and_why_come_from_the_session_not_from_the_caller(database: str, keeper: Session) -> None:
    with begin(CLERK) as session:
        session.log("person.read", [5], account=99)
    row = keeper.row("SELECT account_id, agency_id, purpose FROM access_log ORDER BY at DESC LIMIT 1")
    assert row == {"account_id": 7, "agency_id": 3, "purpose": "vaccination"}


def test_nothing_is_logged_for_nobody(keeper: Session) -> None:
    nobody = Actor(None, "", "", frozenset())
    with pytest.raises(psycopg.errors.InsufficientPrivilege), begin(nobody) as session:
        session.log("person.read", [1])


TAMPER = {
    "account": ("UPDATE access_log SET account_id = 8 WHERE lane = {lane} AND seq = {seq}", "entries changed"),
    "agency": ("UPDATE access_log SET agency_id = 8 WHERE lane = {lane} AND seq = {seq}", "entries changed"),
    "purpose": ("UPDATE access_log SET purpose = 'x' WHERE lane = {lane} AND seq = {seq}", "entries changed"),
    "action": ("UPDATE access_log SET action = 'x' WHERE lane = {lane} AND seq = {seq}", "entries changed"),
    "person": ("UPDATE access_log SET person_id = 9 WHERE lane = {lane} AND seq = {seq}", "entries changed"),
    "detail": ("UPDATE access_log SET detail = '{{}}' WHERE lane = {lane} AND seq = {seq} - 1", "entries changed"),
    "position": ("UPDATE access_log SET n = 9 WHERE lane = {lane} AND seq = {seq}", "entries changed"),
    "moment": ("UPDATE access_log SET at = at + '1 us' WHERE lane = {lane} AND seq = {seq}", "entries removed"),
    "seq": ("UPDATE access_log SET seq = seq + 100 WHERE lane = {lane} AND seq = {seq}", "entry added"),
    "lane": ("UPDATE access_log SET lane = (lane + 1) % 64 WHERE lane = {lane} AND seq = {seq}", "entry added"),
    "one entry gone": ("DELETE FROM access_log WHERE lane = {lane} AND seq = {seq} - 1 AND n = 2", "entries changed"),
    "entries gone": ("DELETE FROM access_log WHERE lane = {lane} AND seq = {seq}", "entries removed"),
    "entry added": (
        "INSERT INTO access_log SELECT at, lane, seq, 2, account_id, agency_id, purpose, action, 77, detail"
        " FROM access_log WHERE lane = {lane} AND seq = {seq}",
        "entries changed",
    ),
    "order of persons": (
        "UPDATE access_log SET person_id = 4 - person_id WHERE lane = {lane} AND seq = {seq} - 1", "entries changed",
    ),
    "link gone": ("DELETE FROM access_link WHERE lane = {lane} AND seq = {seq}", "link removed"),
    "link's digest": ("UPDATE access_link SET digest = '' WHERE lane = {lane} AND seq = {seq}", "link changed"),
    "link's content": ("UPDATE access_link SET content = '' WHERE lane = {lane} AND seq = {seq}", "link changed"),
    "link's moment": (
        "UPDATE access_link SET at = at - interval '1 s' WHERE lane = {lane} AND seq = {seq}", "entry added",
    ),
    "link's number of entries": (
        "UPDATE access_link SET entries = 2 WHERE lane = {lane} AND seq = {seq}", "entries changed",
    ),
    "links swapped": (
        "UPDATE access_link a SET content = b.content, digest = b.digest FROM access_link b"
        " WHERE a.lane = {lane} AND b.lane = {lane} AND a.seq + b.seq = 2 * {seq} - 1"
        " AND a.seq BETWEEN {seq} - 1 AND {seq}",
        "link changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPER)
def test_tampering_shows(keeper: Session, what: str) -> None:
    lane, seq = written(keeper)
    statement, expected = TAMPER[what]
    assert keeper.execute(statement.format(lane=lane, seq=seq)) > 0  # type: ignore[arg-type]
    found = store.verify(keeper)
    assert expected in {row["what"] for row in found}
    assert all(abs(row["seq"] - seq) <= 100 for row in found)


def test_a_whole_rewritten_tail_shows_only_against_an_anchor(keeper: Session) -> None:
    lane, seq = written(keeper)
    anchor = [(h["lane"], h["seq"], h["digest"]) for h in store.heads(keeper)]
    assert store.verify(keeper, anchor) == []
    keeper.execute("DELETE FROM access_link WHERE lane = %(lane)s AND seq > %(seq)s", lane=lane, seq=seq)
    keeper.execute("DELETE FROM access_log WHERE lane = %(lane)s AND seq > %(seq)s", lane=lane, seq=seq)
    assert store.verify(keeper) == []
    assert [(r["lane"], r["what"]) for r in store.verify(keeper, anchor)] == [(lane, "tail cut")]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO access_log (at, lane, seq, n, purpose, action) VALUES (now(), 1, 1, 1, 'x', 'x')",
        "UPDATE access_log SET action = 'x'",
        "DELETE FROM access_log",
        "SELECT * FROM access_link",
        "INSERT INTO access_grant VALUES (1, 7, 'vaccination', 'infinity')",
        "SELECT * FROM access_retain('2000-01-01')",
        "SELECT log_append('access.retain', '{}', '{}')",
    ],
)
@pytest.mark.parametrize("role", ["khien_app", "khien_loader"])
def test_the_log_can_only_be_appended_to(database: str, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), begin(CLERK, role=role) as session:
        session.execute(statement)  # type: ignore[arg-type]


def test_many_writers_at_once_leave_every_lane_whole(fresh_database: str) -> None:
    def write(worker: int) -> None:
        for n in range(20):
            with begin(CLERK) as session:
                session.log("person.read", range(worker * 100, worker * 100 + n % 3))
                session.log("dose.record", [worker])

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(write, range(16)))
    with begin(CLERK) as session:
        assert store.verify(session) == []
        assert sum(h["seq"] for h in store.heads(session)) == 640


def test_a_transaction_stays_on_one_lane_and_a_rollback_leaves_no_gap(keeper: Session) -> None:
    written(keeper)
    with pytest.raises(ZeroDivisionError), keeper.connection.transaction():
        keeper.log("person.read", [1])
        raise ZeroDivisionError
    keeper.log("person.read", [2])
    assert faults(keeper) == set()
    assert keeper.value("SELECT count(DISTINCT lane) FROM access_link WHERE at >= now()") == 1


def test_a_set_of_fifty_thousand_people_is_one_link(keeper: Session) -> None:
    keeper.log("zone.people", range(50_000), zone=1)
    assert keeper.value("SELECT max(entries) FROM access_link") == 50_000
    assert faults(keeper) == set()


def test_an_entry_outside_every_month_shows_and_is_moved_when_its_month_is_made(keeper: Session) -> None:
    lane, seq = written(keeper)
    for table in ("access_log", "access_link"):
        keeper.execute(f"UPDATE {table} SET at = '1999-05-05' WHERE lane = {lane} AND seq = {seq}")  # type: ignore[arg-type]
    assert "stray month" in faults(keeper)
    assert keeper.value("SELECT access_months_ready()") > 0
    assert "stray month" not in faults(keeper)
    assert keeper.value("SELECT count(*) FROM access_log_1999_05") == 1


def test_a_dropped_month_leaves_a_proof_and_a_whole_chain(fresh_database: str) -> None:
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("SELECT khien_months('access_log', '2020-01-01', '2020-03-01')")
        # A call of January 2020, as it would have been written then.
        session.execute(
            "WITH entry AS (INSERT INTO access_log (at, lane, seq, n, purpose, action, person_id)"
            "  VALUES ('2020-01-15Z', 0, 1, 1, 'test', 'person.read', 1) RETURNING *),"
            " body AS (SELECT at, access_content(0, 1, at, 1,"
            "  access_canonical(1, NULL, NULL, purpose, action, person_id, detail)) AS content FROM entry)"
            " INSERT INTO access_link SELECT 0, 1, at, 1, content, sha256(content) FROM body"
        )
        assert store.verify(session) == []
    dropped = actions.drop_months(by=machine("test", "access.retain"), before=dt.date(2020, 2, 1))
    assert dropped == [{"partition": "access_log_2020_01", "entries": 1}]
    with begin(CLERK) as session:
        assert store.verify(session) == []
    with begin(machine("test", "*"), role="khien_owner") as session:
        detail = session.value("SELECT detail FROM access_log WHERE action = 'access.retain'")
        assert (detail["entries"], detail["partitions"]) == (1, ["access_log_2020_01"])
        # Without the proof the missing month is a fault again.
        session.execute("DELETE FROM access_log WHERE action = 'access.retain'")
        assert "entries removed" in faults(session)


def test_the_current_month_is_not_dropped(database: str) -> None:
    with pytest.raises(Refused):
        actions.drop_months(by=machine("test", "access.retain"), before=dt.date(2999, 1, 1))


def test_verify_and_anchor_by_command_line(fresh_database: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with begin(CLERK) as session:
        session.log("person.read", [1])
    run = CliRunner().invoke
    printed = run(command.access, ["anchor"])
    kept = tmp_path / "heads.json"
    kept.write_text(printed.output)
    assert run(command.access, ["verify", "--anchor", str(kept)]).exit_code == 0
    with begin(machine("test"), role="khien_owner") as session:
        session.execute("DELETE FROM access_log")
        session.execute("DELETE FROM access_link")
    found = run(command.access, ["verify", "--anchor", str(kept), "--json"])
    assert isinstance(found.exception, command.LogBroken)
    assert [f["what"] for f in json.loads(found.output)["faults"]] == ["tail cut"]


def test_only_who_may_verify_verifies(session: Session) -> None:
    stranger = Actor(9, "Stranger", "vaccination", frozenset(), NATION)
    with begin(stranger) as seen:
        for question in (store.verify, store.heads):
            with pytest.raises(NotAllowed):
                question(seen)
