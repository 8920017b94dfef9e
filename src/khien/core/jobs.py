"""What is done without anybody typing: jobs on PostgreSQL itself (procrastinate), one worker beside the pages.

A capability's `jobs.py` registers its own with `nightly`. A job's arguments hold no identifier of a person: a job finds
out itself what there is to do, so that one that was missed loses nothing. Django must be set up before (it finds the
jobs of all capabilities).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from procrastinate.contrib.django import app

from khien.core.actor import Actor
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries

_LAST = (
    "SELECT DISTINCT ON (j.task_name) j.task_name, j.status::text, e.at FROM procrastinate_jobs j"
    " JOIN procrastinate_events e ON e.job_id = j.id AND e.type IN ('succeeded', 'failed')"
    " ORDER BY j.task_name, e.at DESC"
)


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
        @app.task(name=name, queueing_lock=name, lock=name, retry=3)
        def run(timestamp: int) -> None:
            work()

        return work

    return register


def known() -> list[Nightly]:
    """All jobs, by the time they run."""
    return sorted(_nightly.values(), key=lambda job: job.at)


def last_runs() -> dict[str, tuple[str, Any]]:
    """Of each job that the worker has run: how it ended ("succeeded", "failed") and when (aware)."""
    from khien.core import pool

    with pool.connection("khien_app") as connection:
        return {name: (status, at) for name, status, at in connection.execute(_LAST)}


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
