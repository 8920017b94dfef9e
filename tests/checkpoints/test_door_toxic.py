"""Clients that mean no good or stand in the rain, and a door that dies: clear answers, nothing lost, memory flat."""

from __future__ import annotations

import json
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

import psycopg
import pytest

from khien.checkpoints.bench.traffic import Signer, declarations, drive
from khien.checkpoints.door.client import DoorClient
from khien.core import config
from khien.core.server.databases import connect_admin
from tests.checkpoints.conftest import AN, RunningDoor, memory_kb
from tests.checkpoints.test_door import log_faults, logged

PEOPLE = [(f"0011900000{n:02}", AN["name"], AN["birth_date"], "female") for n in range(1, 60)]


def signer(client: DoorClient) -> Signer:
    client.begin_session()
    assert client.session
    return Signer(*client.session)


def requests(sign: Signer, count: int) -> list[bytes]:
    return [sign.request("/v1/checks", d) for d in islice(declarations(PEOPLE), count)]


@contextmanager
def sockets(port: int, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    try:
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            if first:
                sock.sendall(first)
            made.append(sock)
        yield made
    finally:
        for sock in made:
            sock.close()


def test_ten_thousand_connections_that_send_nothing_hurt_nobody(door: RunningDoor) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 10_200 if hard == resource.RLIM_INFINITY else min(hard, 10_200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    sign, worker = signer(door.client()), door.worker()
    drive(door.port, requests(sign, 500), clients=8, seconds=10)
    before = memory_kb(worker)
    with sockets(door.port, most - 200):
        driven = drive(door.port, requests(sign, 500), clients=8, seconds=20)
        assert driven.statuses == {200: 500}
        during = memory_kb(worker)
    assert during - before < 100_000 and during < 150_000, (before, during)


def test_requests_cut_in_the_middle_leave_nothing_behind(door: RunningDoor) -> None:
    sign, before = signer(door.client()), logged()
    whole = requests(sign, 1)[0]
    for cut in range(1, len(whole), 7):
        with sockets(door.port, 1, whole[:cut]):
            pass
    time.sleep(0.2)
    assert logged() == before  # nothing of a cut message was taken for a whole one
    assert door.client().check(**AN)[0] == 200


def test_a_client_that_hangs_up_before_its_answer_is_logged_all_the_same(door: RunningDoor) -> None:
    sign, before = signer(door.client()), logged()
    for whole in requests(sign, 20):
        with sockets(door.port, 1, whole):
            pass
    deadline = time.monotonic() + 10
    while logged() < before + 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert before < logged() <= before + 20
    assert door.client().check(**AN)[0] == 200


def test_a_body_that_never_comes_is_given_up(open_door: Callable[..., RunningDoor]) -> None:
    door = open_door("--body-timeout", "0.3")
    head = b"POST /v1/checks HTTP/1.1\r\nHost: door\r\nContent-Length: 100\r\n\r\n{"
    with sockets(door.port, 50, head) as slow:
        for sock in slow:
            assert sock.recv(4096).startswith(b"HTTP/1.1 408")
    assert door.client().check(**AN)[0] == 200


def test_garbage_instead_of_http(door: RunningDoor) -> None:
    for garbage in (
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"A" * 100_000,
        b"POST / HTTP/9\r\n\r\n",
    ):
        with sockets(door.port, 1, garbage) as (sock,):
            try:
                sock.shutdown(socket.SHUT_WR)
                answer = sock.recv(4096)
            except OSError:  # it hung up on us
                continue
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert door.client().check(**AN)[0] == 200


def test_too_much_at_once_is_refused_quickly_and_it_recovers(open_door: Callable[..., RunningDoor]) -> None:
    door = open_door("--waiting", "20", "--lines", "1")
    client = door.client()
    sign, before = signer(client), logged()
    driven = drive(door.port, requests(sign, 3000), clients=200, seconds=30)
    assert driven.statuses.keys() == {200, 503}
    assert logged() == before + driven.answered
    body = json.dumps(AN).encode()
    answers = [client.send("/v1/checks", body, client.authorization("/v1/checks", body)) for _ in range(50)]
    assert {status for status, *_ in answers} == {200}


def test_busy_says_when_to_come_back(open_door: Callable[..., RunningDoor]) -> None:
    door = open_door("--waiting", "1", "--lines", "1")
    client, body = door.client(), json.dumps({"checks": [AN] * 500}).encode()
    client.begin_session()
    others = [door.client() for _ in range(6)]
    for other in others:
        other.session = client.session
    found: list[tuple[int, str | None]] = []

    def ask(one: DoorClient) -> None:
        for _ in range(10):
            status, headers, _ = one.send("/v1/checks/batch", body, one.authorization("/v1/checks/batch", body))
            found.append((status, headers.get("retry-after")))

    threads = [threading.Thread(target=ask, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {(200, None), (503, "1")}


def test_a_door_killed_in_full_run_has_logged_all_that_it_answered(open_door: Callable[..., RunningDoor]) -> None:
    door = open_door()
    sign, before = signer(door.client()), logged()
    answered = [0] * 8
    batches = [requests(sign, 2000) for _ in answered]

    def ask(n: int) -> None:
        with sockets(door.port, 1) as (sock,):
            try:
                for request in batches[n]:
                    sock.sendall(request)
                    if not sock.recv(4096).startswith(b"HTTP/1.1 200"):
                        return
                    answered[n] += 1
            except OSError:
                return

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(answered))]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    door.kill(signal.SIGKILL)
    for thread in threads:
        thread.join()
    total = sum(answered)
    assert 0 < total < 16_000
    assert total <= logged() - before <= total + len(answered)
    assert log_faults() == []
    # The next one refuses what the dead one has seen.
    door.start()
    with sockets(door.port, 1, batches[0][0]) as (sock,):
        assert sock.recv(4096).startswith(b"HTTP/1.1 409")
    assert door.client().check(**AN)[0] == 200


def test_what_is_answered_is_on_disk(door: RunningDoor) -> None:
    """The log up to the check was flushed when its answer arrived."""
    client = door.client()
    client.begin_session()
    with connect_admin(config.current_database()) as admin:
        for _ in range(20):
            before = admin.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
            assert client.check(**AN)[0] == 200
            flushed = admin.execute("SELECT pg_current_wal_flush_lsn() - %s", before).fetchone()
            assert flushed is not None and flushed[0] > 300  # bytes: the entry, its link and the commit


def test_broken_connections_to_the_database_are_made_anew(door: RunningDoor) -> None:
    client = door.client()
    client.begin_session()
    assert client.check(**AN)[0] == 200
    with psycopg.connect(config.database_dsn("khien_door"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'khien_door'"
                      " AND datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
    statuses = [client.check(**AN)[0] for _ in range(20)]
    assert set(statuses) <= {200, 503} and statuses[-1] == 200


def test_the_door_may_call_one_function_and_read_no_table(door_database: str) -> None:
    with psycopg.connect(config.database_dsn("khien_door"), autocommit=True) as door:
        found = door.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND has_function_privilege(oid, 'EXECUTE')"
            " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')"
        ).fetchall()
        assert found == [("door_check",)]
        found = door.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
            " AND has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE')"
        ).fetchall()
        assert found == []
        for role in ("khien_checker", "khien_owner"):  # whose functions it calls
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                door.execute(f"SET ROLE {role}")
