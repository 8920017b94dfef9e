"""Starting and stopping the embedded server. One at a time, however many ask."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server import account as accounts
from khien.core.server import binaries, cluster, layout, processes
from khien.core.server.account import Account

Progress = Callable[[str], None]  # told, in English, what is being waited for

_PATIENCE = 10.0  # seconds that processes of a killed server get to end by themselves


def quiet(_: str) -> None:
    """Progress that nobody watches."""


def start(progress: Progress = quiet, extra: Mapping[str, str] | None = None) -> bool:
    """Start the embedded server, made first if there is none; wait until it answers, however long recovery takes.

    True if this call started it, False if it was running already. `extra` settings win over the derived ones.
    Raises Unavailable with the server's own reason.
    """
    if _answers():
        return False
    account = accounts.server_account()
    layout.prepare_home(account)
    with _alone(progress):
        data = layout.data_folder()
        if processes.postmaster(data) is not None:
            _wait_until_ready(None, progress)
            return False
        programs = binaries.reachable(account)
        if not layout.is_initialised():
            progress(N_("Making the database"))
            cluster.initialise(account, programs)
        _clear_remains(progress)
        _write_configuration(account, extra or {})
        _launch(account, programs, data, progress)
        cluster.ensure_roles()
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
    """Whether the embedded server answers."""
    return _answers()


def _answers() -> bool:
    try:
        psycopg.connect(cluster.admin_dsn(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Only one process at a time starts or stops; the lock goes away with its process, even when killed."""
    path = layout.lock_file()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        raise Unavailable(
            N_("Cannot write to {folder}: {reason}. KHIEN_HOME names another folder."),
            folder=path.parent,
            reason=failure.strerror,
        ) from failure
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(N_("Waiting for another start or stop to finish"))
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
        time.sleep(0.1)
    # No process of this server is alive and nobody else may start one now. The file would only stop a start where
    # its number has since been given to another program of the same user.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _write_configuration(account: Account, extra: Mapping[str, str]) -> None:
    try:
        cluster.write_configuration(account, extra)
    except OSError as failure:
        raise Unavailable(
            N_("The database did not start: {reason}"), reason=f"{failure.filename}: {failure.strerror}"
        ) from failure


def _launch(account: Account, programs: Path, data: Path, progress: Progress) -> None:
    with layout.start_log().open("wb") as said:
        process = account.popen(
            # A shell that ends at once hands the server to init: it must not stay our child, to be collected by us.
            ["/bin/sh", "-c", '"$0" -D "$1" >&2 & echo $!', programs / "postgres", data],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
        assert process.stdout is not None
        number = int(process.stdout.readline())
        process.stdout.close()
        process.wait()
    _wait_until_ready(number, progress)


def _wait_until_ready(number: int | None, progress: Progress) -> None:
    """Wait as long as the server lives: recovery after a crash takes as long as it takes."""
    data, began, told = layout.data_folder(), time.monotonic(), 0
    while not (_says_ready(data) and _answers()):
        if processes.postmaster(data) is None and not (number and processes.alive(number)):
            raise Unavailable(N_("The database did not start: {reason}"), reason=_last_words())
        waited = int(time.monotonic() - began)
        if waited >= told + 2:
            told = waited
            progress(N_("The database is starting") + f" ({waited} s)")
        time.sleep(0.02)


def _wait_until_gone(progress: Progress) -> None:
    told = 0.0
    while processes.of_server(layout.home(), layout.data_folder()):
        if told >= 2:
            told = 0.0
            progress(N_("The database is writing to disk before it stops"))
        time.sleep(0.05)
        told += 0.05


def _says_ready(data: Path) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def _last_words() -> str:
    """The reason the server itself gave: the last fatal line of its logs."""
    logs = [layout.start_log(), *sorted((layout.data_folder() / "log").glob("*.log"), key=lambda p: p.stat().st_mtime)]
    for log in reversed(logs):
        lines = [line for line in log.read_text("utf-8", "replace").splitlines()[-50:] if line.strip()]
        for line in reversed(lines):
            for mark in ("PANIC:", "FATAL:", "ERROR:"):
                if mark in line:
                    return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else str(layout.data_folder() / "log")
