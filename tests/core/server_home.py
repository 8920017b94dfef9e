"""A KHIEN_HOME of a test's own, with a server that is gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from khien.core import config
from khien.core.server import cluster, layout, processes

FAST = {"fsync": "off"}  # a killed process loses nothing by it, only a power cut would


@contextmanager
def own_home(folder: Path | None = None) -> Iterator[Path]:
    """KHIEN_HOME is `folder`, by default a new one that the server's user can reach. No other setting is in force."""
    made = Path(tempfile.mkdtemp(prefix="khien-server-test-"))
    made.chmod(0o711)
    home = folder or made / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KHIEN_DATABASE_URL", "KHIEN_DATABASE_NAME", "KHIEN_PG_USER"):
            patch.delenv(name, raising=False)
        patch.setenv("KHIEN_HOME", str(home))
        try:
            yield home
        finally:
            kill_all()
            if (run := home / "run").is_symlink():
                shutil.rmtree(run.readlink(), ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)
            shutil.rmtree(made, ignore_errors=True)


def kill_all() -> list[int]:
    """kill -9 every process of the server at once; their numbers."""
    pids = processes.of_server(layout.home(), layout.data_folder())
    processes.send(pids, signal.SIGKILL)
    while processes.of_server(layout.home(), layout.data_folder()):
        time.sleep(0.01)
    return pids


def query(statement: str, role: str = "khien_owner") -> list[tuple[object, ...]]:
    with psycopg.connect(config.database_dsn(role), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def as_admin(statement: str) -> object:
    """Run `statement` as the superuser; the first column of its first row, if it has any."""
    with psycopg.connect(cluster.admin_dsn(config.database_name()), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return next(iter(cursor.fetchone() or ()), None) if cursor.description else None


def is_root() -> bool:
    return os.geteuid() == 0
