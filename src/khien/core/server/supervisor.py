"""Starting and stopping the embedded server. One at a time, however many ask."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg import pq
from psycopg.conninfo import make_conninfo

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server import account as accounts
from khien.core.server import binaries, cluster, layout, processes
from khien.core.server.account import Account
from khien.core.server.progress import Progress, quiet

_PATIENCE = 10.0  # seconds that processes of a killed server get to end by themselves
_POLL = 0.02


def start(progress: Progress = quiet, extra: Mapping[str, str] | None = None) -> bool:
    """Start the embedded server, made first if there is none; wait until it answers, however long recovery takes.

    True if this call started it, False if it was running already. `extra` settings win over the derived ones.
    Raises Unavailable with the server's own reason.
    """
    if is_running():
        return False
    account = accounts.server_account()
    layout.prepare_home(account)
    with _alone(progress):
        data = layout.data_folder()
        if processes.postmaster(data) is not None:
            _wait_until_ready(None, progress)
            return False
        with layout.writing():
            programs = binaries.reachable(account)
        if not layout.is_initialised():
            progress(N_("Making the database"))
            with layout.writing():
                cluster.initialise(account, programs)
        _clear_remains(progress)
        with layout.writing():
            cluster.write_configuration(account, extra or {})
        _launch(account, programs, data, progress)
    return True


def stop(progress: Progress = quiet) -> bool:
    """Stop the embedded server after it has written everything to disk. False if it was not running."""
    if not layout.is_initialised():
        return False
    with _alone(progress):
        pids = processes.of_server(layout.home(), layout.data_folder())
        if not pids:
            return False
        master = processes.postmaster(layout.data_folder())
        # Fast shutdown: open transactions roll back, everything committed is kept.
        processes.send([master] if master else pids, signal.SIGINT if master else signal.SIGQUIT)
        _wait_until_gone(progress)
        return True


def is_running() -> bool:
    """Whether the embedded server takes connections."""
    conninfo = make_conninfo(cluster.admin_dsn(), connect_timeout=5)
    return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Only one process at a time starts or stops; the lock goes away with its process, even when killed."""
    with layout.writing():
        handle = os.open(layout.lock_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(N_("Waiting for another start or stop of the database to finish"))
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _clear_remains(progress: Progress) -> None:
    """After a crash: let processes that outlived their postmaster end, and forget a process number now of others."""
    home, data = layout.home(), layout.data_folder()
    deadline = time.monotonic() + _PATIENCE
    while left := processes.of_server(home, data):
        progress(N_("Waiting for processes of a crashed server to end"))
        if time.monotonic() > deadline:
            processes.send(left, signal.SIGQUIT)
        time.sleep(_POLL)
    # No process of this server is alive and nobody else may start one now. The files would only stop a start where
    # their process number has since been given to another program of the same user.
    socket = config.socket_folder() / layout.SOCKET_NAME
    with layout.writing():
        for stale in (data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
            stale.unlink(missing_ok=True)


def _launch(account: Account, programs: Path, data: Path, progress: Progress) -> None:
    """Start the postmaster and wait for it. What it says before its own log is open comes back through a pipe."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as said:
        try:
            shell = account.popen(
                # A shell that ends at once hands the server to init: it must not stay our child, to be collected by us.
                ["/bin/sh", "-c", '"$0" -D "$1" >&2 & echo $!', programs / "postgres", data],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=write_end,
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        answer, _ = shell.communicate()
        os.set_blocking(read_end, False)
        _wait_until_ready(int(answer), progress, said)


def _wait_until_ready(number: int | None, progress: Progress, said: IO[bytes] | None = None) -> None:
    """Wait as long as the server lives: recovery after a crash takes as long as it takes."""
    data, began, told = layout.data_folder(), time.monotonic(), 0
    while not is_running():
        if processes.postmaster(data) is None and not (number and processes.alive(number)):
            raise layout.disk_full() or Unavailable(
                N_("The database did not start: {reason}"),
                reason=_last_words((said.read() if said else None) or b"", data / "log"),
            )
        seconds = int(time.monotonic() - began)
        if seconds >= told + 2:
            told = seconds
            progress(
                N_("The database is starting: {doing} ({seconds} s)"),
                doing=processes.startup_doing(layout.home()),
                seconds=seconds,
            )
        time.sleep(_POLL)


def _wait_until_gone(progress: Progress) -> None:
    began = told = time.monotonic()
    while processes.of_server(layout.home(), layout.data_folder()):
        now = time.monotonic()
        if now > told + 2:
            told = now
            progress(N_("The database is writing to disk before it stops ({seconds} s)"), seconds=int(now - began))
        time.sleep(_POLL)


def _last_words(said: bytes, logs: Path) -> str:
    """The reason the server itself gave: its last fatal line, first of its log, then of what it said at the start."""
    newest = max(logs.glob("*.log"), key=lambda log: log.stat().st_mtime, default=None)
    texts = [newest.read_bytes()[-20_000:]] if newest else []
    for text in (said, *texts):
        for line in reversed(text.decode("utf-8", "replace").splitlines()):
            for mark in ("PANIC:", "FATAL:"):
                if mark in line and "the database system is" not in line:  # that is said to those who ask too early
                    return line.split(mark, 1)[1].strip()
    return said.decode("utf-8", "replace").strip()[-300:] or str(logs)
