"""What is done every night: each job by hand, one through the worker, and a worker that leaves with its pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from khien.access import setup
from khien.core import config
from khien.core.actor import machine
from khien.core.session import begin
from tests.register import NORTH, add_country, add_person

ROOT = Path(__file__).resolve().parents[2]


def khien(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "khien", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def country(fresh_database: str) -> str:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_person(session, 1, unit=NORTH)
    return fresh_database


def test_every_job_can_be_done_at_once_and_is_listed_with_its_hour(country: str) -> None:
    listed = json.loads(khien("jobs", "list", "--json").stdout)
    assert {"zones.presence", "tracing.release", "coverage.build", "checkpoints.retain"} <= {j["name"] for j in listed}
    assert [job["at"] for job in listed] == sorted(job["at"] for job in listed)
    assert {job["last"] for job in listed} == {None}
    for job in listed:
        done = khien("jobs", "run", job["name"], "--json")
        assert done.returncode == 0, done.stderr
        assert isinstance(json.loads(done.stdout), dict)
    assert khien("jobs", "run", "no.such").returncode == 5


def test_a_job_that_failed_is_listed_with_its_reason(country: str) -> None:
    with psycopg.connect(config.database_dsn("khien_app"), autocommit=True) as connection:
        connection.execute(
            "WITH job AS (INSERT INTO procrastinate_jobs (task_name, queue_name, lock, queueing_lock, args, status)"
            " VALUES ('coverage.build', 'default', 'c', 'c', '{}', 'failed') RETURNING id)"
            " INSERT INTO job_failure (job_id, told) SELECT id, %s FROM job",
            (json.dumps({"en": "Unavailable: The disk is full.", "vi": "Unavailable: Đĩa đã đầy."}),),
        )
        connection.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, queueing_lock, args, status)"
            " VALUES ('zones.presence', 'default', 'z', 'z', '{}', 'aborted')"
        )
    listed = {job["name"]: job for job in json.loads(khien("jobs", "list", "--json").stdout)}
    assert listed["coverage.build"]["last"] == "failed"
    assert listed["coverage.build"]["failure"]["vi"] == "Unavailable: Đĩa đã đầy."
    assert listed["tracing.release"]["failure"] is None
    line = next(told for told in khien("jobs", "list").stdout.splitlines() if "coverage.build" in told)
    assert "(failed: Unavailable: The disk is full.)" in line
    line = next(told for told in khien("jobs", "list").stdout.splitlines() if "zones.presence" in told)
    assert "(aborted)" in line


def test_the_worker_does_a_job_once_and_leaves_with_its_pages(country: str) -> None:
    with psycopg.connect(config.database_dsn("khien_app"), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, queueing_lock, args)"
            " VALUES ('tracing.release', 'default', 'tracing.release', 'tracing.release', '{\"timestamp\": 0}')"
        )
    # A process in the place of the pages, whose child the worker is.
    start = (
        "import os, subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-m', 'khien', 'jobs', 'work', '--beside', str(os.getpid())]);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    setup.ready("en")
    from khien.core import jobs  # its tables are Django's, which has to be set up first

    pages = subprocess.Popen([sys.executable, "-c", start], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert pages.stdout is not None
    worker = int(pages.stdout.readline())
    try:
        for _ in range(200):
            with begin(machine("test", "job.read")) as session:
                runs = {one["job"].name: one["last"] for one in jobs.overview(session)["jobs"]}
            if runs["tracing.release"]["ended_at"]:
                break
            time.sleep(0.1)
        listed = {job["name"]: job["last"] for job in json.loads(khien("jobs", "list", "--json").stdout)}
        assert listed["tracing.release"] == "succeeded"
    finally:
        pages.send_signal(signal.SIGKILL)
        pages.wait()
    for _ in range(200):
        if not alive(worker):
            break
        time.sleep(0.1)
    assert not alive(worker)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"
