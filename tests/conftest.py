"""One PostgreSQL server for the whole run, one database a worker.

The server lives in a folder of its own under the system's temporary folder and goes away with the run. The first
worker that needs a database migrates a template; every worker gets a copy of it, and so does every test that asks for
`fresh_database`, if no copy is there that another test has used and that could be emptied (reuse.py). With
KHIEN_DATABASE_URL the same happens on that server, in databases named khien_test_*.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.conninfo import make_conninfo

from tests import passwords, reuse

ROOT = Path(__file__).resolve().parent.parent
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}  # tests only

# A busy machine must not fail a test.
settings.register_profile("khien", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("khien")


def pytest_configure(config: pytest.Config) -> None:
    """Name the run's folder and the worker's database before anything reads the environment."""
    # The browser driver keeps an event loop in this thread, and Django would refuse its database beside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    passwords.cheap()
    worker = getattr(config, "workerinput", {}).get("workerid", "main")
    if worker == "main":
        _sweep()
        made = tempfile.mkdtemp(prefix=f"khien-test-{os.getpid()}-")
        os.environ["KHIEN_TEST_FOLDER"] = made
        os.environ["KHIEN_HOME"] = f"{made}/home"
        os.environ["KHIEN_TEST_RUN"] = str(os.getpid())
        Path(made).chmod(0o711)  # as root the server runs as somebody else, who has to walk through
    _use(_run_name(worker))


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = os.environ.get("KHIEN_TEST_FOLDER")
    if not hasattr(config, "workerinput") and folder:
        from khien.core import server

        if os.environ.get("KHIEN_DATABASE_URL"):
            for name in (
                (Path(folder) / "databases").read_text().split() if (Path(folder) / "databases").exists() else ()
            ):
                server.drop_database(name)
        _remove(Path(folder))


def _sweep() -> None:
    """Folders of runs that were killed: stop their servers, remove them."""
    for left in Path(tempfile.gettempdir()).glob("khien-test-*-*"):
        number = left.name.split("-")[2]
        if left.stat().st_uid == os.geteuid() and number.isdigit():
            try:
                os.kill(int(number), 0)
            except ProcessLookupError:
                _remove(left)


def _remove(folder: Path) -> None:
    from khien.core.server import processes

    home = (folder / "home").resolve()
    pids = processes.of_server(home, home / "data")
    processes.send(pids, signal.SIGKILL)  # nothing in it is worth writing to disk
    while processes.of_server(home, home / "data"):
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _run_name(suffix: str) -> str:
    return f"khien_test_{os.environ['KHIEN_TEST_RUN']}_{suffix}"


def _use(name: str) -> None:
    """Let everything that reads the settings use database `name`."""
    os.environ["KHIEN_DATABASE_NAME"] = name
    if url := os.environ.get("KHIEN_DATABASE_URL"):
        os.environ["KHIEN_DATABASE_URL"] = make_conninfo(url, dbname=name)


@contextmanager
def _run_lock() -> Iterator[None]:
    with (Path(os.environ["KHIEN_TEST_FOLDER"]) / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _clone(name: str, of: str | None = None) -> None:
    """Make database `name` a copy of `of`, by itself of the migrated template, which is made first if it is missing."""
    from khien.core import server

    folder = Path(os.environ["KHIEN_TEST_FOLDER"])
    made = folder / "databases"
    template = _run_name("template")
    with _run_lock():
        if not made.exists():
            _use(template)
            server.ensure_running(extra=_FAST)
            server.create_database(template)
            _migrate()
            made.write_text(f"{template}\n")
        server.create_database(name, template=of or template)
        with made.open("a") as stream:
            stream.write(f"{name}\n")
    _use(name)


def _migrate() -> None:
    """In a process of its own: Django keeps the database it was first set up with."""
    command = "from khien.core.migration import migrate; migrate()"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The schema does not migrate:\n{done.stderr}")


@pytest.fixture(scope="session")
def database() -> str:
    """Name of this worker's migrated database; KHIEN_HOME and KHIEN_DATABASE_NAME point to it."""
    name = _run_name(os.environ.get("PYTEST_XDIST_WORKER", "main"))
    _clone(name)
    return name


@pytest.fixture
def fresh_database(database: str) -> Iterator[str]:
    """A migrated database of the test's own, for tests that commit. Pools follow it, and come back afterwards."""
    from khien.core import pool, server

    name = f"{database}_{uuid.uuid4().hex[:8]}"
    pool.close_all()
    _take(name)
    try:
        yield name
    finally:
        pool.close_all()
        _use(database)
        if _made and reuse.emptied(name, _made[0]):
            _spare.append(name)
        else:
            server.drop_database(name)


_spare: list[str] = []  # this worker's databases that are as if newly made
_made: list[reuse.AsMade] = []  # what that means, once it is known


def _take(name: str) -> None:
    """Let database `name` be a migrated one of a test's own."""
    if not _spare:
        _clone(name)
        if not _made:
            with suppress(psycopg.Error):  # somebody else's server: without the rights, every test gets a new copy
                _made.append(reuse.as_made(name))
        return
    reuse.renamed(_spare.pop(), name)
    with _run_lock(), (Path(os.environ["KHIEN_TEST_FOLDER"]) / "databases").open("a") as stream:
        stream.write(f"{name}\n")
    _use(name)


class _RollBack(Exception):
    pass


@pytest.fixture
def session(database: str) -> Iterator[object]:
    """A session of the machine with every permission. Actions join it; nothing it does is kept."""
    from khien.core.actor import machine
    from khien.core.session import begin

    with suppress(_RollBack), begin(machine("test", "*")) as opened:
        yield opened
        raise _RollBack


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the project. Not part of the product; tests that need it are skipped."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"reference material not found: {folder}")
    return folder
