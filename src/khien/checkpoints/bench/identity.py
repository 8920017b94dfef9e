"""`khien bench identity`: the door beside pgbench, in one run, with the same number of clients."""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from khien.checkpoints.bench import people as register
from khien.checkpoints.bench.traffic import Driven, Signer, declarations, drive
from khien.checkpoints.door.client import DoorClient
from khien.core import bench, config, server
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server import binaries, databases
from khien.core.server.progress import Progress
from khien.core.sql import Queries

_q = Queries("khien.checkpoints.bench", "people.sql")
_BATCH = 1000


@click.command()
@click.option("--people", default=1_000_000, show_default=True, type=click.IntRange(1000))
@click.option("--clients", default=32, show_default=True, type=click.IntRange(1, 1000))
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(1), help="Of each round.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Ours and reference in turn.")
@click.option("--keep", is_flag=True, help="Keep the database for the next run of the same size.")
@click.option("--json", "as_json", is_flag=True)
def identity(people: int, clients: int, seconds: float, rounds: int, keep: bool, as_json: bool) -> None:
    """Checks over HTTP, each logged durably, beside pgbench: one lookup and one committed log row a check.

    Both come by a Unix socket; once more by TCP. Also beside lookups alone; p99 at 80 % of the top rate; the batch
    form; memory of the door's worker.
    """
    name = f"khien_bench_identity_{people}"
    try:
        register.use_database(name)
        with _bar() as bar:
            register.make(people, bar)
        with _door() as (path, port, signer, worker):
            run = _Run(path, port, signer, people, clients, seconds)
            for measured in run.measure(rounds, worker):
                bench.show(measured, as_json)
    finally:
        if not keep:
            server.drop_database(name)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Shows on standard error how many people are made; then, without an end, that keys are built and tables tidied."""
    with Bar(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=None)

        def show(_: str, /, *, done: int | None = None, total: int | None = None, **more: object) -> None:
            bar.update(task, completed=done, total=total)

        yield show


class _Run:
    def __init__(self, path: Path, port: int, signer: Signer, people: int, clients: int, seconds: float) -> None:
        self._path, self._port, self._signer, self._people = path, port, signer, people
        self._clients, self._seconds = clients, seconds
        # Other people in each run: a register that is kept does not know them from the run before.
        self._declared = declarations(register.anybody(people, seed=time.time_ns()))

    def measure(self, rounds: int, worker: int) -> Iterator[bench.Measured]:
        with databases.connect_admin(databases.current_name()) as admin:
            admin.execute(_q.reference_table)
            # As after hours of service: the segments of the write-ahead log are there, and no checkpoint is due.
            admin.execute("CHECKPOINT")
        self._http(2.0, 20_000)  # warm up both
        self._pgbench(2, "lookup", "log")
        ours, plain, lookups, batch, remote = [], [], [], [], []
        capacity = 30_000
        for _ in range(rounds):
            plain.append(self._pgbench(int(self._seconds), "lookup", "log"))
            driven = self._http(self._seconds, int(capacity * self._seconds))
            ours.append(driven.answered / driven.seconds)
            capacity = max(2_000, int(ours[-1] * 1.5))  # signing beforehand takes time too
            lookups.append(self._pgbench(int(self._seconds), "lookup"))
            batch.append(self._batches(self._seconds))
            driven = self._http(self._seconds, int(capacity * self._seconds), where=self._port)
            remote.append(driven.answered / driven.seconds)
        http, reference = statistics.median(ours), statistics.median(plain)
        yield self._beside("identity", http, reference)
        yield self._beside("identity_by_tcp", statistics.median(remote), reference)
        yield self._beside("identity_lookups_alone", http, statistics.median(lookups))
        yield self._beside("identity_batch", statistics.median(batch), reference)
        paced = self._http(self._seconds, int(http * 0.8 * self._seconds), rate=http * 0.8)
        p99 = bench.percentile(paced.latencies, 0.99) * 1000
        yield bench.Measured("identity_p99_at_80_percent", round(p99, 1), None, "ms", None, self._people)
        p50 = bench.percentile(paced.latencies, 0.5) * 1000
        yield bench.Measured("identity_p50_at_80_percent", round(p50, 1), None, "ms", None, self._people)
        yield bench.Measured("identity_worker_memory", _resident_mb(worker), None, "MB", None, self._people)

    def _beside(self, name: str, ours: float, reference: float) -> bench.Measured:
        ratio = round(ours / reference, 2)
        return bench.Measured(name, round(ours), round(reference), "checks/s", ratio, self._people)

    def _http(self, seconds: float, most: int, rate: float | None = None, where: int | Path | None = None) -> Driven:
        requests = [self._signer.request("/v1/checks", d) for d in islice(self._declared, most)]
        driven = drive(where or self._path, requests, clients=self._clients, seconds=seconds, rate=rate)
        return _all_answered(driven)

    def _batches(self, seconds: float) -> float:
        bodies = [
            self._signer.request("/v1/checks/batch", {"checks": list(islice(self._declared, _BATCH))})
            for _ in range(int(100 * seconds))
        ]
        driven = _all_answered(drive(self._path, bodies, clients=4, seconds=seconds))
        return driven.answered * _BATCH / driven.seconds

    def _pgbench(self, seconds: int, *scripts: str) -> float:
        """Transactions a second: each statement its own, so that the log row is committed."""
        text = "".join(files(__package__).joinpath(f"{s}.pgbench").read_text(encoding="utf-8") for s in scripts)
        with tempfile.NamedTemporaryFile("w", suffix=".pgbench") as script:
            script.write(text)
            script.flush()
            command = [
                str(binaries.folder() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={self._clients}",
                "--jobs=1", f"--time={seconds}", f"--define=people={self._people}", f"--file={script.name}",
                config.database_dsn("khien_loader"),
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})  # noqa: S603
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode or found is None:
            raise Unavailable(N_("pgbench failed: {reason}"), reason=done.stderr.strip()[-300:])
        return float(found[1])


def _all_answered(driven: Driven) -> Driven:
    if driven.statuses.keys() != {200}:
        raise Unavailable(N_("The door refused requests: {statuses}"), statuses=str(driven.statuses))
    return driven


@contextmanager
def _door() -> Iterator[tuple[Path, int, Signer, int]]:
    """A door of its own process: socket and port, a session's signer, process id of its worker."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "door"
        door = subprocess.Popen(  # noqa: S603 - ourselves
            [
                sys.executable,
                "-c",
                "from khien.cli import main; main()",
                "door",
                "--port",
                str(port),
                "--socket",
                str(path),
            ],
            stdout=said,
            stderr=said,
        )
        try:
            key = Ed25519PrivateKey.generate()
            device = register.enrol(key.public_key().public_bytes_raw())
            client = _reached(port, device, key, door)
            assert client.session
            yield path, port, Signer(*client.session), _worker_of(door.pid)
        finally:
            door.terminate()
            door.wait(30)


def _reached(port: int, device: int, key: Ed25519PrivateKey, door: subprocess.Popen[bytes]) -> DoorClient:
    for _ in range(300):
        client = DoorClient("127.0.0.1", port, device, key)
        try:
            client.begin_session()
            return client
        except OSError:
            time.sleep(0.1)
        if door.poll() is not None:
            break
    raise Unavailable(N_("The door does not start."))


def _worker_of(door: int) -> int:
    """Its one child, which serves."""
    children = Path(f"/proc/{door}/task/{door}/children").read_text(encoding="utf-8").split()
    return max(map(int, children), key=_resident_mb)


def _resident_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return round(int(found[1]) / 1024, 1) if found else 0.0
