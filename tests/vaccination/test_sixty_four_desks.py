"""64 desks at once, each with an account of its own, while the server is killed again and again.

A desk sends each of its doses until it is answered, and some of them twice; its neighbour sends some of the same
messages too. Whatever the server was doing when it was killed: in the end each dose is there exactly once.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import psycopg
import pytest

from khien.core import config

DESKS, DOSES_A_DESK, KILLS, SEED = 64, 4, 3, 3
DEADLINE = 120  # seconds: far more than it takes; a desk that is never answered fails rather than hangs

_PREPARE = """
import datetime as dt, json, sys
from khien.access import setup
setup.ready("en")
from khien.access import actions
from khien.core.actor import machine
from khien.core.session import begin
from tests.register import NORTH, add_country, add_person, add_vaccines, set_today

desks, people = int(sys.argv[1]), int(sys.argv[2])
admin = machine("administration", "*")
with begin(admin, role="khien_loader") as session:
    add_country(session)
    for person_id in range(1, people + 1):
        add_person(session, person_id, unit=NORTH)
with begin(admin, role="khien_owner") as session:
    add_vaccines(session)
    set_today(session, dt.date(2021, 9, 15))
keys = []
for desk in range(desks):
    actions.add_account(by=admin, username=f"desk-{desk}", name=f"Desk {desk}", password=None)
    post = actions.assign_role(by=admin, username=f"desk-{desk}", role="vaccinator", unit_id=NORTH)
    keys.append(actions.add_api_key(by=admin, assignment_id=post, name="Desk", expires_on=dt.date(2021, 12, 31)))
print(json.dumps(keys))
"""
_SERVE = "import sys; from khien.web.serving import serve; serve('127.0.0.1', int(sys.argv[1]), 2)"


class _Server:
    """The product as `khien serve` runs it, in a process group of its own, so that a kill leaves nobody behind."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._log = folder / "server.log"
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "KHIEN_MFA": "off"}
        with self._log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.port)], stdout=said, stderr=said, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@dataclass
class _Desks:
    """What was sent, and what was answered."""

    port: int
    began: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)
    answered: dict[tuple[int, str], set[int]] = field(default_factory=dict)  # message -> dose numbers it was told
    recorded: int = 0  # answers "recorded"
    broken: int = 0  # sent, and the answer never came

    def work(self, desk: int, key: str, messages: list[dict]) -> None:
        dice = random.Random(f"{SEED} {desk}")
        for message in messages:
            self._until_answered(key, message)
            if dice.random() < 0.3:
                self._until_answered(key, message)

    def _until_answered(self, key: str, message: dict) -> None:
        while True:
            try:
                status, answer = self._send(key, message)
            except (OSError, http.client.HTTPException):
                with self.lock:
                    self.broken += 1
                status = 0
            if status in (200, 201):
                break
            assert status in (0, 500, 502, 503), (status, answer)
            assert time.monotonic() - self.began < DEADLINE, "a desk was never answered"
            time.sleep(0.25)
        with self.lock:
            told = self.answered.setdefault((message["person_id"], message["client_id"]), set())
            told.add(answer["dose_id"])
            self.recorded += status == 201

    def _send(self, key: str, message: dict) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", "/api/doses", json.dumps(message), head)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


@pytest.fixture
def keys(fresh_database: str) -> list[str]:
    command = [sys.executable, "-c", _PREPARE, str(DESKS), str(DESKS * DOSES_A_DESK)]
    done = subprocess.run(command, env={**os.environ, "KHIEN_MFA": "off"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def server(keys: list[str], tmp_path: Path) -> Iterator[_Server]:
    started = _Server(tmp_path)
    yield started
    started.kill()


def _messages(dice: random.Random) -> list[list[dict]]:
    """For each desk its own doses, each for another person, and one of its neighbour's at a place of its own."""
    own = [
        [
            {
                "client_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)), "product": "alpha",
                "lot_number": "A1", "person_id": desk * DOSES_A_DESK + n + 1, "site": "S1", "given_on": "2021-09-10",
            }
            for n in range(DOSES_A_DESK)
        ]
        for desk in range(DESKS)
    ]  # fmt: skip
    both = [list(mine) for mine in own]
    for desk, mine in enumerate(both):
        place = dice.randrange(DOSES_A_DESK)
        mine.insert(place, own[(desk + 1) % DESKS][place])
    return both


def _kill_now_and_then(server: _Server, desks: _Desks, dice: random.Random, total: int) -> int:
    """Kill after some answers, at moments no desk can foresee. How often it was done while the desks were at work."""
    done = 0
    for mark in sorted(dice.sample(range(total // 10, total * 8 // 10), KILLS)):
        while len(desks.answered) < mark and time.monotonic() - desks.began < DEADLINE:
            time.sleep(0.002)
        server.kill()
        done += len(desks.answered) < total
        server.start()
    return done


def test_no_dose_is_lost_or_doubled_under_kills_and_replays(keys: list[str], server: _Server) -> None:
    dice = random.Random(SEED)
    work = _messages(dice)
    sent = {(m["person_id"], m["client_id"]) for mine in work for m in mine}
    desks = _Desks(server.port)
    with ThreadPoolExecutor(DESKS + 1) as pool:
        kills = pool.submit(_kill_now_and_then, server, desks, dice, len(sent))
        jobs = [pool.submit(desks.work, desk, keys[desk], mine) for desk, mine in enumerate(work)]
        for job in jobs:
            job.result()
        assert kills.result() == KILLS
    # every message was answered, always with the same dose, and at least one was in the server's hands at each kill
    assert desks.answered.keys() == sent
    assert {len(told) for told in desks.answered.values()} == {1}
    assert desks.broken >= KILLS
    assert desks.recorded <= len(sent)
    with psycopg.connect(config.database_dsn("khien_loader")) as connection:
        rows = connection.execute("SELECT person_id, client_id::text, dose_id FROM dose").fetchall()
    with psycopg.connect(config.database_dsn("khien_owner")) as connection:
        logged = connection.execute(
            "SELECT person_id, count(*) FROM access_log WHERE action = 'dose.record' GROUP BY 1"
        ).fetchall()
    # each dose exactly once, and once in the log
    assert sorted((person, client) for person, client, _dose in rows) == sorted(sent)
    assert {(person, client): {dose} for person, client, dose in rows} == desks.answered
    assert dict(logged) == {person: 1 for person, _client in sent}
    whole = subprocess.run(
        [sys.executable, "-m", "khien", "access", "verify", "--json"], capture_output=True, text=True, env=os.environ
    )
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert json.loads(whole.stdout)["whole"] is True
