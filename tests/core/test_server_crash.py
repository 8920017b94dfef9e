"""What goes wrong on a machine: killed processes, full and unwritable disks, programs that cannot be reached."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from khien.core import config, pool, server
from khien.core.errors import Unavailable
from khien.core.server import account, binaries, layout, processes
from khien.core.server.backup import backup

from .server_home import FAST, is_root, kill_all, own_home, query


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with own_home() as folder:
        server.ensure_running(extra=FAST)
        query("CREATE TABLE kept (n integer PRIMARY KEY)")
        yield folder


def test_committed_rows_survive_the_kill_of_everything(home: Path) -> None:
    query("TRUNCATE kept")
    query("INSERT INTO kept SELECT generate_series(1, 50000)")
    socket = config.socket_folder() / layout.SOCKET_NAME
    assert len(kill_all()) > 3
    assert socket.exists()
    assert (layout.data_folder() / "postmaster.pid").exists()
    told: list[str] = []
    assert server.ensure_running(lambda message, **_: told.append(message), extra=FAST) is True
    assert query("SELECT count(*) FROM kept") == [(50000,)]


def test_children_that_outlive_the_postmaster_are_waited_for(home: Path) -> None:
    master = processes.postmaster(layout.data_folder())
    assert master is not None
    os.kill(master, signal.SIGKILL)
    assert server.ensure_running(extra=FAST) is True
    assert query("SELECT 1") == [(1,)]


def test_a_stale_process_number_that_now_is_somebody_elses_does_not_stop_a_start(home: Path) -> None:
    kill_all()
    other = account.server_account().popen(["sleep", "60"])
    try:
        file = layout.data_folder() / "postmaster.pid"
        lines = file.read_text().splitlines()
        file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert server.ensure_running(extra=FAST) is True
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_servers_own_reason_is_told(home: Path) -> None:
    server.stop()
    own = home / "postgresql.conf"
    own.write_text("shared_buffers = 'a lot'\n")
    try:
        with pytest.raises(Unavailable, match="shared_buffers|configuration"):
            server.ensure_running(extra=FAST)
    finally:
        own.unlink()
    assert server.ensure_running(extra=FAST) is True


@pytest.mark.parametrize("place", ["/proc/khien", "/dev/null/khien"])
def test_a_home_that_cannot_be_written_is_named(place: str) -> None:
    with own_home(Path(place)), pytest.raises(Unavailable, match="Cannot write to " + place) as raised:
        server.ensure_running()
    assert raised.value.code == "not_writable"
    assert "KHIEN_HOME" in raised.value.text("en")


def test_programs_that_are_not_there_or_not_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_home():
        monkeypatch.setenv("KHIEN_PG_BIN", str(tmp_path))
        with pytest.raises(Unavailable, match="No PostgreSQL programs"):
            server.ensure_running()
        old = tmp_path / "postgres"
        old.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4'\n")
        old.chmod(0o755)
        with pytest.raises(Unavailable, match="18 or newer is needed"):
            server.ensure_running()


@pytest.mark.skipif(not is_root(), reason="only root runs the server as somebody else")
def test_programs_in_a_private_folder_are_copied_and_the_folder_stays_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "pg").mkdir()
    for part in ("bin", "lib", "share"):
        (private / "pg" / part).symlink_to(binaries.folder().parent / part)
    monkeypatch.setenv("KHIEN_PG_BIN", str(private / "pg" / "bin"))
    with own_home() as home:
        server.ensure_running(extra=FAST)
        assert query("SELECT 1") == [(1,)]
        assert any(home.glob("pg-18*/**/bin/postgres"))
        assert private.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home on a disk of 160 MB."""
    with own_home() as home:
        home.mkdir(mode=0o711)
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=160m,mode=711", "khien", str(home)], capture_output=True, text=True
        )
        if made.returncode:
            pytest.skip(f"needs a disk of its own, which only root may mount: {made.stderr.strip()}")
        try:
            yield home
        finally:
            kill_all()
            subprocess.run(["umount", "--lazy", str(home)], check=False)


def test_a_full_disk_is_said_and_all_is_well_after_space_is_freed(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    _fill(ballast)
    with pytest.raises(Unavailable) as raised:
        server.ensure_running(extra=FAST)
    assert raised.value.code == "disk_full"
    ballast.unlink()

    server.ensure_running(extra={**FAST, "max_wal_size": "64MB", "min_wal_size": "32MB"})
    query("CREATE TABLE kept (n integer); INSERT INTO kept VALUES (1); GRANT ALL ON kept TO khien_app")
    _fill(ballast)
    pool.close_all()
    with pytest.raises((Unavailable, psycopg.OperationalError)), pool.connection("khien_app") as connection:
        connection.execute("INSERT INTO kept SELECT generate_series(1, 5000000)")
    pool.close_all()
    with pytest.raises(Unavailable) as raised:
        backup(small_disk / "backup")
    kill_all()
    with pytest.raises(Unavailable) as raised:
        server.ensure_running(extra=FAST)
    assert raised.value.code == "disk_full"

    ballast.unlink()
    server.ensure_running(extra=FAST)
    assert query("SELECT count(*) FROM kept") == [(1,)]


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as stream:
        try:
            while stream.write(b"\0" * 65536):
                pass
        except OSError:
            return
