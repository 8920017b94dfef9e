"""`khien bench dose`: recording doses through the JSON API beside pgbench running the same statements."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import secrets
import statistics
import subprocess
from collections.abc import Iterator
from importlib.resources import as_file, files
from itertools import cycle
from uuid import uuid4

import click

from khien.access import actions as access
from khien.access import setup
from khien.checkpoints.bench.traffic import Driven, drive
from khien.core import bench, config
from khien.core.actor import machine
from khien.core.errors import NotFound, Unavailable
from khien.core.i18n import N_
from khien.core.server import binaries
from khien.core.server.databases import connect_admin, current_name
from khien.core.session import begin
from khien.core.sql import Queries
from khien.vaccination import actions as vaccination
from khien.web.bench.served import served

_q = Queries("khien.web.bench", "dose.sql")
_HEAD = (
    "POST /api/doses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)
_WARM = 2.0


@click.command()
@click.option("--clients", default=16, show_default=True, type=click.IntRange(1, 500))
@click.option("--accounts", default=1, show_default=True, type=click.IntRange(1, 500), help="Senders, taking turns.")
@click.option("--seconds", default=8.0, show_default=True, type=click.FloatRange(1), help="Of each round.")
@click.option(
    "--late", default=10, show_default=True, type=click.IntRange(0, 100), help="Percent entered up to 250 days late."
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Ours and reference in turn.")
@click.option("--json", "as_json", is_flag=True)
def dose(clients: int, accounts: int, seconds: float, late: int, rounds: int, as_json: bool) -> None:
    """Doses a second, each committed before it is answered. Needs a register with people; the doses stay in it.

    Doses are of the day, as a desk records them, but for those entered LATE. What these mean for the doses after them,
    ours weighs and the reference does not.
    """
    setup.ready("en")
    with connect_admin(current_name()) as admin:
        admin.execute(_q.prepare)
        people = [row[0] for row in admin.execute(_q.people)]
    if not people:
        raise NotFound(N_("The register is empty. Measure in a database with people, such as the demonstration's."))
    keys, today = _desks(accounts)
    try:
        with served() as port:
            run = _Run(port, keys, people, today, clients, late)
            for measured in run.measure(rounds, seconds):
                bench.show(measured, as_json)
    finally:
        with connect_admin(current_name()) as admin:
            admin.execute(_q.tidy)


def _desks(accounts: int) -> tuple[list[str], dt.date]:
    """A site, a lot and the keys of as many accounts, made for this run; and the day of decisions."""
    actor = machine("bench", "*")
    with begin(actor) as session:
        today = session.today
        unit = session.value("SELECT min(home_unit) FROM person")
    vaccination.load_products(by=actor)
    vaccination.add_sites(by=actor, sites=[{"code": "BENCH", "name": "Bench", "unit_id": unit, "kind": "station"}])
    vaccination.receive_lot(
        by=actor, product="pfizer", lot_number="BENCH", arrived_on=today - dt.timedelta(days=400),
        expires_on=today + dt.timedelta(days=400),
    )  # fmt: skip
    keys = []
    for _ in range(accounts):
        username = f"bench-{secrets.token_hex(4)}-{secrets.token_hex(2)}"  # never like an identity number
        access.add_account(by=actor, username=username, name="Bench", password=None)
        post = access.assign_role(by=actor, username=username, role="vaccinator")
        keys.append(access.add_api_key(by=actor, assignment_id=post, name="Bench", expires_on=today))
    return keys, today


class _Run:
    def __init__(self, port: int, keys: list[str], people: list[int], today: dt.date, clients: int, late: int) -> None:
        self._port, self._keys, self._people, self._today, self._clients = port, cycle(keys), people, today, clients
        self._late = late
        self._dice = random.Random()  # noqa: S311 - not for secrets; other people in each run

    def measure(self, rounds: int, seconds: float) -> Iterator[bench.Measured]:
        self._http(_WARM, 2_000)
        self._pgbench(int(_WARM))
        ours, reference, capacity = [], [], 2_000
        for _ in range(rounds):
            reference.append(self._pgbench(int(seconds)))
            driven = self._http(seconds, int(capacity * seconds))
            ours.append(driven.statuses[201] / driven.seconds)
        rate, plain = statistics.median(ours), statistics.median(reference)
        size = len(self._people)
        yield bench.Measured("dose", round(rate), round(plain), "doses/s", round(rate / plain, 2), size)
        paced = self._http(seconds, int(rate * 0.8 * seconds), rate=rate * 0.8)
        for share, name in ((0.5, "dose_p50_at_80_percent"), (0.99, "dose_p99_at_80_percent")):
            value = bench.percentile(paced.latencies, share) * 1000
            yield bench.Measured(name, round(value, 1), None, "ms", None, size)

    def _http(self, seconds: float, most: int, rate: float | None = None) -> Driven:
        requests = [self._request() for _ in range(most)]
        driven = drive(self._port, requests, clients=self._clients, seconds=seconds, rate=rate)
        if driven.statuses.keys() != {201}:
            raise Unavailable(N_("The API refused requests: {statuses}"), statuses=str(driven.statuses))
        return driven

    def _request(self) -> bytes:
        late = self._dice.randrange(100) < self._late
        given_on = self._today - dt.timedelta(days=self._dice.randrange(1, 250) if late else 0)
        body = json.dumps(
            {
                "client_id": str(uuid4()),
                "person_id": self._dice.choice(self._people),
                "product": "pfizer",
                "lot_number": "BENCH",
                "site": "BENCH",
                "given_on": str(given_on),
                "already_given": True,
            }  # fmt: skip
        ).encode()
        return _HEAD.format(key=next(self._keys), length=len(body)).encode() + body

    def _pgbench(self, seconds: int) -> float:
        with as_file(files(__package__).joinpath("dose.pgbench")) as script:
            command = [
                str(binaries.folder() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={self._clients}",
                "--jobs=1", f"--time={seconds}", f"--define=people={len(self._people)}", f"--define=late={self._late}",
                f"--define=today={self._today:%Y%m%d}", f"--file={script}",
                config.database_dsn("khien_app"),
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})  # noqa: S603
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode or found is None:
            raise Unavailable(N_("pgbench failed: {reason}"), reason=done.stderr.strip()[-300:])
        return float(found[1])
