"""What is done without anybody typing: jobs on PostgreSQL itself (procrastinate), one worker beside the pages.

A capability's `jobs.py` registers its own with `nightly`. A job's arguments hold no identifier of a person: a job finds
out itself what there is to do, so that one that was missed loses nothing. Django must be set up before (it finds the
jobs of all capabilities).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from procrastinate import JobContext
from procrastinate.contrib.django import app
from psycopg.types.json import Jsonb

from khien.core.actor import Actor, machine
from khien.core.errors import KhienError, NotFound
from khien.core.i18n import LANGUAGES, N_
from khien.core.session import Session, begin
from khien.core.sql import Queries

_LONG = re.compile(r"\d{6,}")  # longer than any figure a message tells, and as long as numbers of people

_sql = Queries("khien.core", "jobs.sql")


@dataclass(frozen=True)
class Nightly:
    """A job and when it runs: hours and minutes of Viet Nam (UTC+7). `work` says in a few figures what it did."""

    name: str
    title: str
    at: str
    work: Callable[[], Any]


_nightly: dict[str, Nightly] = {}


def nightly(name: str, title: str, at: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Run it every night at `at` (HH:MM, Viet Nam); never twice at once; up to three times more when failing."""
    hour, minute = (int(part) for part in at.split(":"))

    def register(work: Callable[[], Any]) -> Callable[[], Any]:
        _nightly[name] = Nightly(name, title, at, work)

        # The worker counts in UTC.
        @app.periodic(cron=f"{minute} {(hour - 7) % 24} * * *", periodic_id=name)
        @app.task(name=name, queueing_lock=name, lock=name, retry=3, pass_context=True)
        def run(context: JobContext, timestamp: int) -> None:
            try:
                work()
            except Exception as failure:
                _note(context.job.id, failure)
                raise

        return work

    return register


def _note(job: int | None, failure: Exception) -> None:
    """Keep why a run failed, for the page. Where not even that can be written, the worker's own log has it."""
    with suppress(psycopg.Error, KhienError), begin(machine("administration")) as session:
        session.execute(_sql.note_failure, job=job, told=Jsonb(reason_of(failure)))


def reason_of(failure: Exception) -> dict[str, str]:
    """Class and message of an error in both languages, without anything that may name a person: our own messages hold
    none, others are told by where they happened."""
    kind = type(failure).__name__
    if isinstance(failure, KhienError):
        return {tongue: f"{kind}: {_LONG.sub('…', failure.text(tongue))}" for tongue in LANGUAGES}
    steps = traceback.extract_tb(failure.__traceback__)[-4:]
    where = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    return dict.fromkeys(LANGUAGES, f"{kind}: {where}")


def known() -> list[Nightly]:
    """All jobs, by the time they run."""
    return sorted(_nightly.values(), key=lambda job: job.at)


def overview(session: Session, most: int = 50) -> dict[str, Any]:
    """For a page: `jobs`, each with its last run (state, started_at, ended_at; None before the first); `runs`, the
    newest first; `worker_seen`, when a worker was last heard of (None: never), and `alive` if that was just now.

    Needs "job.read".
    """
    session.actor.must("job.read")
    runs = session.rows(_sql.runs, most=most)
    last = {row["name"]: row for row in session.rows(_sql.last_runs)}
    worker = session.row(_sql.worker) or {"seen": None, "alive": False}
    return {
        "jobs": [{"job": job, "last": last.get(job.name)} for job in known()],
        "runs": [
            run | {"title": _nightly[run["name"]].title if run["name"] in _nightly else run["name"]} for run in runs
        ],
        "worker_seen": worker["seen"],
        "alive": worker["alive"],
    }


def ask_for(name: str, *, by: Actor) -> bool:
    """Let the worker do a job as soon as it can; False if one of its kind waits already. Raises NotFound."""
    by.must("job.run")
    if name not in _nightly:
        raise NotFound(N_("There is no job {name}."), name=name)
    with begin(by) as session:
        asked = session.execute(_sql.ask_for, name=name, at=int(time.time())) == 1
        session.log("job.run", job=name)
    return asked


def run_now(name: str) -> Any:
    """Do a job at once, in this process. Raises NotFound for one that is not known."""
    if name not in _nightly:
        raise NotFound(N_("There is no job {name}."), name=name)
    return _nightly[name].work()


def work(beside: int | None = None) -> None:
    """Serve the jobs until interrupted; beside a process, until that one has gone, however it went."""
    if beside is not None:
        threading.Thread(target=_leave_with, args=(beside,), daemon=True).start()
    with app.replace_connector(app.connector.get_worker_connector()) as running:  # type: ignore[attr-defined]
        running.run_worker(concurrency=1, fetch_job_polling_interval=60)


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def worker_beside() -> Iterator[None]:
    """A worker in a process of its own while the block runs (the pages are served)."""
    command = [sys.executable, "-m", "khien", "jobs", "work", "--beside", str(os.getpid())]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - no words of a user
    try:
        yield
    finally:
        process.terminate()
        process.wait()
