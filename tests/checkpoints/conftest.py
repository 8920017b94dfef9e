"""A door in a process of its own, on a database of its own with a few people. All of it invented."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from khien.checkpoints import actions
from khien.checkpoints.door.client import DoorClient
from khien.core import pool
from khien.core.actor import machine
from khien.core.session import Session, begin
from tests import conftest as servers
from tests.register import NORTH, add_country, add_person

ADMIN = machine("administration", "*")
AN = {"number": "001190000001", "name": "Nguyễn Thị Ví Dụ", "birth_date": "1990-01-15"}


def add_number(session: Session, person_id: int, value: str, kind: str = "personal_number") -> None:
    session.execute(
        "INSERT INTO identifier (kind, value, person_id) VALUES (%(kind)s, %(value)s, %(person_id)s)",
        kind=kind, value=value, person_id=person_id,
    )  # fmt: skip


def add_card(session: Session, person_id: int, number: str, issued: dt.date, **more: dt.date | None) -> None:
    days = {"expires_on": None, "cancelled_on": None} | more
    session.execute(
        "INSERT INTO personal_card (person_id, card_number, kind, issued_on, expires_on, cancelled_on)"
        " VALUES (%(person_id)s, %(number)s, 'cccd_chip', %(issued)s, %(expires_on)s, %(cancelled_on)s)",
        person_id=person_id, number=number, issued=issued, **days,
    )  # fmt: skip


@dataclass
class RunningDoor:
    """`start` begins another process on the same port and database after `kill`."""

    port: int
    device: int
    key: Ed25519PrivateKey
    options: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    clients: list[DoorClient] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from khien.cli import main; main()", "door", "--port", str(self.port)]
                + self.options,
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def client(self, device: int | None = None, key: Ed25519PrivateKey | None = None, **more: int) -> DoorClient:
        made = DoorClient("127.0.0.1", self.port, device or self.device, key or self.key, **more)
        self.clients.append(made)
        return made

    def worker(self) -> int:
        """The process that serves: the child with the most memory."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return max(map(int, children), key=memory_kb)

    def kill(self, signal_number: int) -> None:
        """The whole door at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal_number)
        self.process.wait(30)


def memory_kb(process: int) -> int:
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) if "VmRSS:" in text else 0


@pytest.fixture(scope="module")
def door_database(database: str) -> Iterator[str]:
    """A database of the module's own, with a country, people, a checkpoint."""
    from khien.core import server

    name = f"{database}_{uuid.uuid4().hex[:8]}"
    pool.close_all()
    servers._clone(name)
    try:
        with begin(ADMIN) as session:
            add_country(session)
            for n in range(1, 60):
                add_number(session, add_person(session, n), f"0011900000{n:02}")
        actions.add_checkpoint(by=ADMIN, code="T1", name="Chốt thử", unit_id=NORTH)
        yield name
    finally:
        pool.close_all()
        servers._use(database)
        server.drop_database(name)


@pytest.fixture(scope="module")
def open_door(door_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningDoor]]:
    """Opens a door with options; all are closed at the end of the module."""
    opened: list[RunningDoor] = []

    def open_one(*options: str) -> RunningDoor:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        key = Ed25519PrivateKey.generate()
        device = actions.add_device(
            by=ADMIN, checkpoint="T1", label=f"máy {len(opened)}", public_key=key.public_key().public_bytes_raw()
        )
        log = tmp_path_factory.mktemp("door") / "log"
        door = RunningDoor(port, device, key, list(options), log)
        opened.append(door)
        door.start()
        return door

    yield open_one
    for door in opened:
        for client in door.clients:
            client.close()
        if door.process is not None and door.process.poll() is None:
            door.process.terminate()
            door.process.wait(30)


@pytest.fixture(scope="module")
def door(open_door: Callable[..., RunningDoor]) -> RunningDoor:
    return open_door()
