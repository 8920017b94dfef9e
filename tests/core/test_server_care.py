"""Backup, restore, verification, the command line, and a server of somebody else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from khien import cli
from khien.core import config, server
from khien.core.errors import BadInput, Refused, Unavailable, WrongUsage
from khien.core.server import cluster, databases
from khien.core.server.backup import backup, read_manifest, restore
from khien.core.server.verify import verify

from .server_home import FAST, as_admin, own_home, query


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A migrated database on a server of its own."""
    with own_home() as folder:
        server.ensure_running(extra=FAST)
        _migrate()
        yield folder


def _migrate() -> list[str]:
    """In a process of its own: Django keeps the database it was first set up with."""
    command = [sys.executable, "-c", "from khien.cli import main; main()", "db", "migrate", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["applied"])


def _grants() -> int:
    return int(str(as_admin("SELECT count(*) FROM access_grant")))


def _add_grant(number: int) -> None:
    as_admin(f"INSERT INTO access_grant VALUES ({number}, 1, 'test', '2021-09-01')")


def test_backup_and_restore_give_back_every_row(home: Path, tmp_path: Path) -> None:
    _add_grant(1)
    told: list[dict[str, object]] = []
    manifest = backup(tmp_path / "saved", lambda message, **params: told.append(params))
    assert manifest.rows["access_grant"] == _grants()
    assert any(params.get("done") == params.get("total") != None for params in told)  # noqa: E711
    assert read_manifest(tmp_path / "saved") == manifest

    _add_grant(2)
    with pytest.raises(BadInput, match="exists already"):
        backup(tmp_path / "saved")
    with pytest.raises(Refused, match="holds data"):
        restore(tmp_path / "saved")
    assert _grants() == manifest.rows["access_grant"] + 1

    with psycopg.connect(config.database_dsn("khien_app")):  # a client does not stop it
        restore(tmp_path / "saved", replace=True)
    assert _grants() == manifest.rows["access_grant"]
    assert verify_without_speed_settings() == []
    with databases.connect_admin() as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert names == {"postgres", "template0", "template1", "khien"}


def test_a_backup_goes_into_an_empty_database(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = backup(tmp_path / "saved")
    monkeypatch.setenv("KHIEN_DATABASE_NAME", "empty")
    server.ensure_running()
    assert restore(tmp_path / "saved") == manifest
    assert _grants() == manifest.rows["access_grant"]
    server.drop_database("empty")


def test_a_database_that_a_killed_restore_left_closed_opens_again(home: Path) -> None:
    with databases.connect_admin() as connection:
        connection.execute("ALTER DATABASE khien ALLOW_CONNECTIONS false")
    server.ensure_running()
    assert query("SELECT 1", "khien_app") == [(1,)]


def test_a_damaged_backup_changes_nothing(home: Path, tmp_path: Path) -> None:
    backup(tmp_path / "saved")
    before = _grants()
    victim = max((tmp_path / "saved" / "dump").iterdir(), key=lambda p: p.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    with pytest.raises(BadInput, match="damaged"):
        restore(tmp_path / "saved", replace=True)
    (tmp_path / "saved" / "manifest.json").write_text("{")
    with pytest.raises(BadInput, match="not a complete backup"):
        restore(tmp_path / "saved", replace=True)
    assert _grants() == before


def test_verify_finds_what_is_open_unfinished_or_wrong(home: Path) -> None:
    assert verify_without_speed_settings() == []
    as_admin("CREATE TABLE loose (person_id bigint)")
    as_admin("CREATE TABLE half (n integer); INSERT INTO half VALUES (-1)")
    as_admin("ALTER TABLE half ADD CONSTRAINT positive CHECK (n > 0) NOT VALID")
    as_admin("ALTER ROLE khien_app BYPASSRLS")
    as_admin("UPDATE django_migrations SET app = 'elsewhere' WHERE app = 'territory'")
    try:
        found = {(f.check, f.subject) for f in verify()}
    finally:
        as_admin("DROP TABLE loose, half")
        as_admin("ALTER ROLE khien_app NOBYPASSRLS")
        as_admin("UPDATE django_migrations SET app = 'territory' WHERE app = 'elsewhere'")
    assert ("row_security_not_forced", "loose") in found
    assert ("constraint_not_validated", "half.positive") in found
    assert ("role_too_strong", "khien_app") in found
    assert ("not_durable", "fsync") in found
    assert ("migration_missing", "territory.0001_tables") in found


def verify_without_speed_settings() -> list[str]:
    """Findings but for the setting that makes these tests fast."""
    return [f"{f.check} {f.subject}" for f in verify() if f.check != "not_durable"]


def test_the_command_line_speaks_json(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> dict[str, object]:
        cli.main(["db", *words, "--json"])
        return dict(json.loads(capsys.readouterr().out))

    assert said("start") == {"running": True, "started": False}
    assert said("status")["running"] is True
    assert said("url")["user"] == "khien_app"
    assert said("backup", str(tmp_path / "saved"))["path"] == str(tmp_path / "saved")
    with pytest.raises(SystemExit) as ended:
        cli.main(["db", "restore", str(tmp_path), "--json"])
    assert ended.value.code == 3
    assert json.loads(capsys.readouterr().err)["error"] == "bad_input"
    with pytest.raises(SystemExit) as ended:
        cli.main(["db", "verify", "--json"])
    assert ended.value.code == 1  # this server does not wait for the disk
    assert [f["check"] for f in json.loads(capsys.readouterr().out)["findings"]] == ["not_durable"]


def test_a_server_of_somebody_else(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same server plays the outside one: a login that may make roles, named by KHIEN_DATABASE_URL."""
    monkeypatch.setenv("KHIEN_DATABASE_URL", make_conninfo(cluster.admin_dsn("outside")))
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))
    assert server.ensure_running() is False
    assert not list(tmp_path.iterdir())
    for role in config.ROLES:
        assert query("SELECT current_user, current_database()", role) == [(role, "outside")]
    assert "core.0001_tables" in _migrate()
    assert verify_without_speed_settings() == []
    with pytest.raises(SystemExit) as ended:
        cli.main(["db", "stop"])
    assert ended.value.code == 2
    server.drop_database("outside")


def test_a_login_that_may_not_make_roles_is_told_what_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIEN_DATABASE_URL", config.database_dsn("khien_app"))
    with pytest.raises(Unavailable, match="GRANT khien_owner TO khien_app"):
        server.ensure_running()
    monkeypatch.setenv("KHIEN_DATABASE_URL", "postgresql://khien_app@/khien?host=/nowhere")
    with pytest.raises(Unavailable, match="does not answer"):
        server.ensure_running()
    monkeypatch.setenv("KHIEN_DATABASE_URL", "nonsense")
    with pytest.raises(WrongUsage):
        server.ensure_running()
