"""A process that serves has all its code before the first request, where the garbage collector does not walk it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from khien.core.actor import machine
from khien.core.session import begin
from khien.web import serving


def test_the_code_of_a_served_process_is_out_of_the_collectors_way() -> None:
    script = (
        "import gc, sys, khien.web.wsgi; assert 'khien.vaccination.api' in sys.modules;"
        " print(gc.get_freeze_count(), len(gc.get_objects()))"
    )
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    frozen, walked = (int(part) for part in done.stdout.split())
    assert frozen > 50_000 > walked * 10


def test_no_connection_to_the_database_is_open_when_workers_are_forked(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers that share one would read each other's answers."""
    from django.db import connection

    left: list[tuple[bool, bool]] = []

    class Forking:
        def __init__(self, *_words: object, **_options: object) -> None:
            pass

        def serve(self) -> None:
            left.append((opened.closed, connection.connection is None))

    monkeypatch.setattr(serving, "Granian", Forking)
    with begin(machine("test", "*")) as session:
        opened = session.connection
    # Another test of this process may have had Django look at a database of its own.
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", database)
    connection.ensure_connection()
    assert not opened.closed
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving.serve("127.0.0.1", port, workers=2)
    assert left == [(True, True)]
