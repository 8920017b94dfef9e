"""A killed load loses nothing, leaves nothing half-written, goes on where it stopped; memory stays small."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from khien.core.server import databases
from khien.population.synthetic_extract import write_extract
from tests.population.extracts import AS_OF, ready, register

_MAIN = "import sys; from khien.cli import main; main(sys.argv[1:])"
PEOPLE = 100_000


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nation") / "nation.csv"
    write_extract(path, PEOPLE, ["T1", "T2"])
    return path


@pytest.fixture
def extract(fresh_database: str, nation: Path) -> Path:
    ready()
    return nation


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _MAIN, "population", "load", *words, "--as-of", str(AS_OF), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_when(process: subprocess.Popen[str], query: str) -> None:
    """kill -9 as soon as `query` finds a row. Asked as administrator, who sees what other sessions do."""
    with databases.connect_admin(databases.current_name()) as connection:
        while process.poll() is None:
            try:
                if connection.execute(query).fetchone() is not None:
                    break
            except psycopg.errors.UndefinedTable:
                pass
            time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was done before it could be killed"


@pytest.mark.parametrize(
    "moment",
    [
        "SELECT FROM loading.block WHERE read_to > 4000000",
        "SELECT FROM loading.commune",
        "SELECT FROM pg_stat_activity WHERE query LIKE 'COPY person%' AND state = 'active'"
        " AND datname = current_database() AND pid <> pg_backend_pid()",
        "SELECT FROM pg_stat_activity WHERE query LIKE '%khien_load_keys_up%' AND state = 'active'"
        " AND datname = current_database() AND pid <> pg_backend_pid()",
    ],
    ids=["reading", "checking", "merging", "building keys"],
)
def test_killed_and_resumed(extract: Path, moment: str) -> None:
    kill_when(start(str(extract)), moment)
    assert register("SELECT count(*) FROM person", "SELECT count(*) FROM residence") == [[(0,)], [(0,)]]
    output, errors = start(str(extract)).communicate()
    done = json.loads(output or errors)
    assert (done["resumed"], done["rows"], done["added"], done["rejected"]) == (True, PEOPLE, PEOPLE, 0)
    [[(people, numbers)]] = register("SELECT count(*), count(DISTINCT name_key || birth_date) FROM person")
    assert people == PEOPLE and numbers > PEOPLE // 2
    assert register("SELECT count(*) FROM pg_tables WHERE schemaname = 'loading'") == [[(1,)]]  # kept_key alone


# The residences are committed just before their people, from another connection: the worst moment to be killed.
_KILLED_BETWEEN = """
import os, signal, sys
from khien.cli import main
from khien.population.load.aside import Aside

def commit(self, commit=Aside.commit):
    commit(self)
    os.kill(os.getpid(), signal.SIGKILL)

Aside.commit = commit
main(sys.argv[1:])
"""


def test_killed_between_the_two_commits(extract: Path) -> None:
    words = ["population", "load", str(extract), "--as-of", str(AS_OF), "--json"]
    killed = subprocess.run([sys.executable, "-c", _KILLED_BETWEEN, *words], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert register("SELECT count(*) FROM person") == [[(0,)]]
    output, errors = start(str(extract)).communicate()
    assert json.loads(output or errors)["added"] == PEOPLE
    [[(residences, nobodys)]] = register(
        "SELECT count(*), count(*) FILTER (WHERE p.person_id IS NULL)"
        " FROM residence LEFT JOIN person p USING (person_id)"
    )
    assert residences > PEOPLE and nobodys == 0


def test_residences_of_nobody_go_with_the_next_load_of_any_file(extract: Path, tmp_path: Path) -> None:
    words = ["population", "load", str(extract), "--as-of", str(AS_OF), "--json"]
    subprocess.run([sys.executable, "-c", _KILLED_BETWEEN, *words], check=False, capture_output=True)
    assert register("SELECT count(*) > 0 FROM residence") == [[(True,)]]
    other = tmp_path / "other.csv"
    write_extract(other, 50, ["T1"])
    start(str(other)).communicate()
    assert register("SELECT count(DISTINCT person_id) FROM residence", "SELECT count(*) FROM person") == [
        [(50,)],
        [(50,)],
    ]


def test_another_file_gives_up_the_interrupted_one(extract: Path, tmp_path: Path) -> None:
    kill_when(start(str(extract)), "SELECT FROM loading.block WHERE read_to > 4000000")
    other = tmp_path / "other.csv"
    write_extract(other, 50, ["T1"])
    output, errors = start(str(other)).communicate()
    assert json.loads(output or errors)["added"] == 50
    assert register("SELECT stage FROM load_run ORDER BY run_id") == [[("abandoned",), ("done",)]]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_file(fresh_database: str, tmp_path: Path, ending: str) -> None:
    ready()
    path = tmp_path / f"nation.{ending}"
    write_extract(path, 200_000, ["T1", "T2"])
    program = _MAIN.replace("main(sys.argv[1:])", "main(sys.argv[1:]); ") + (
        # Not ru_maxrss: that starts with the size of the process that started this one.
        "print(next(int(l.split()[1]) // 1024 for l in open('/proc/self/status') if l.startswith('VmHWM')))"
    )
    words = ["population", "load", str(path), "--as-of", str(AS_OF), "--json"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    summary, megabytes = done.stdout.splitlines()
    assert json.loads(summary)["added"] == 200_000
    assert int(megabytes) < 300
    assert register("SELECT count(*) FROM person") == [[(200_000,)]]
