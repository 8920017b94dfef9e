"""The embedded server from its first start to its stop."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from khien.core import config, server
from khien.core.server import account, layout, processes, settings, supervisor
from khien.core.server.status import status

from .server_home import FAST, is_root, own_home, query


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with own_home() as folder:
        server.ensure_running(extra=FAST)
        yield folder


def test_every_role_logs_in_and_none_is_stronger_than_it_must_be(home: Path) -> None:
    for role in config.ROLES:
        assert query("SELECT current_user", role) == [(role,)]
    assert query(
        "SELECT rolname::text, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname LIKE 'khien%' ORDER BY 1"
    ) == [
        ("khien_admin", True, True, True),
        ("khien_app", False, False, True),
        ("khien_checker", False, True, False),
        ("khien_door", False, False, True),
        ("khien_loader", False, True, True),
        ("khien_owner", False, False, True),
        ("khien_tracer", False, True, False),
    ]


def test_only_the_user_who_started_it_gets_in_and_only_by_the_socket(home: Path) -> None:
    data = layout.data_folder()
    rules = [line.split() for line in (data / "pg_hba.conf").read_text().splitlines() if not line.startswith("#")]
    assert rules
    assert all(kind == "local" and method == "peer" for kind, _, _, method, _ in rules)
    mapped = {line.split()[1].strip('"') for line in (data / "pg_ident.conf").read_text().splitlines()}
    assert mapped == {pwd.getpwuid(os.geteuid()).pw_name}
    assert query("SHOW listen_addresses") == [("",)]
    assert stat.S_IMODE(config.socket_folder().stat().st_mode) == 0o700
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


@pytest.mark.skipif(not is_root(), reason="only root can try as somebody else")
def test_the_user_it_runs_as_does_not_get_in(home: Path) -> None:
    other = account.server_account()
    assert other.uid != 0
    assert layout.data_folder().stat().st_uid == other.uid
    program = Path(_program("psql"))
    code, said = other.run([program, f"--host={config.socket_folder()}", "--username=khien_app", "--dbname=khien"])
    assert code != 0
    assert "authentication failed" in said


def test_the_database_is_utf8_checksummed_and_sorts_alike_everywhere(home: Path) -> None:
    assert query("SHOW data_checksums") == [("on",)]
    assert query(
        "SELECT pg_encoding_to_char(encoding), datlocprovider::text, datlocale FROM pg_database WHERE datname = 'khien'"
    ) == [("UTF8", "b", "C.UTF-8")]
    query("CREATE EXTENSION btree_gist")  # the owner may, without being a superuser


def test_a_second_start_changes_nothing(home: Path) -> None:
    before = processes.postmaster(layout.data_folder())
    assert server.ensure_running() is False
    assert server.start() is False
    assert processes.postmaster(layout.data_folder()) == before


def test_status_says_what_runs(home: Path) -> None:
    found = status()
    assert found.running
    assert found.checksums
    assert (found.version or "").startswith("18")
    assert found.pid == processes.postmaster(layout.data_folder())


def test_errors_of_statements_never_reach_the_log(home: Path) -> None:
    query("CREATE TABLE numbers (value text PRIMARY KEY); GRANT ALL ON numbers TO khien_app")
    for statement in ("INSERT INTO numbers VALUES ('secret')", "INSERT INTO numbers VALUES ('secret')"):
        try:
            query(statement, "khien_app")
        except psycopg.errors.UniqueViolation:
            continue
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        query("SELECT 'secret'::integer", "khien_app")
    assert all("secret" not in log.read_text() for log in (layout.data_folder() / "log").iterdir())


def test_a_missing_database_is_made_with_its_rights(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIEN_DATABASE_NAME", "other")
    server.ensure_running()
    assert query("SELECT current_database()", "khien_app") == [("other",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query("CREATE TABLE mine ()", "khien_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query("CREATE TEMPORARY TABLE mine ()", "khien_door")


def test_starts_at_once_do_not_fight_and_a_long_path_is_no_trouble() -> None:
    command = "import sys; from khien.core import server; print(server.ensure_running(extra={'fsync': 'off'}))"
    with own_home() as short, own_home(short.parent / ("long-" + "x" * 120) / "home"):
        short.parent.joinpath("long-" + "x" * 120).mkdir(mode=0o711)
        begun = [
            subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        ended = [process.communicate() for process in begun]
        assert sorted(said.strip() for said, _ in ended) == ["False", "False", "True"], ended
        assert query("SELECT 1") == [(1,)]
        folder = config.socket_folder()
        assert len(str(folder)) < 80
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert supervisor.stop() is True
        assert supervisor.stop() is False
        assert not supervisor.is_running()


def test_settings_fit_small_and_large_machines(tmp_path: Path) -> None:
    small = settings.server_settings(tmp_path, tmp_path, 512 * settings.MB, 1)
    large = settings.server_settings(tmp_path, tmp_path, 256 * 1024 * settings.MB, 64)
    assert small["shared_buffers"] == "102MB"
    assert large["shared_buffers"] == "16384MB"
    assert int(small["max_parallel_workers_per_gather"]) == 1
    assert settings.conf_text({"a": "it's"}) == "a = 'it''s'\n"


def _program(name: str) -> str:
    from khien.core.server import binaries

    return str(binaries.reachable(account.server_account()) / name)
