"""Runs the door apart from the pages: its own processes, its own database role."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from khien.checkpoints.door.app import Door, Settings
from khien.checkpoints.door.wire import Hall
from khien.core.errors import Unavailable
from khien.core.i18n import N_

CONNECTIONS = 20_000  # a worker: many more idle ones than checkpoints have devices
_BACKLOG = 4_096
_LAST_ANSWERS = 5.0  # seconds that a worker takes to answer what it has begun
_stopping = False


def serve(host: str, port: int, path: Path | None, settings: Settings) -> None:
    """Serve at a port and, with `path`, at a Unix socket too, until interrupted. Raises Unavailable."""
    _check_free(host, port)
    _allow_connections(CONNECTIONS + 200)
    local = _unix_socket(path) if path else None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        _keep_working(host, port, local, settings)
    finally:
        if path:
            path.unlink(missing_ok=True)


def _keep_working(host: str, port: int, local: socket.socket | None, settings: Settings) -> None:
    """A worker that dies is replaced, until we are told to stop; then they finish what they have begun."""
    workers: set[int] = set()
    while not _stopping:
        while len(workers) < settings.workers:
            workers.add(_fork(host, port, local, settings))
        with suppress(ChildProcessError, InterruptedError):
            gone, _ = os.waitpid(-1, os.WNOHANG)
            workers.discard(gone)
            if gone and not _stopping:
                sys.stderr.write("khien door: a worker died and is replaced\n")
        time.sleep(0.2)
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGTERM)
    for worker in workers:
        with suppress(ChildProcessError):
            os.waitpid(worker, 0)


def _fork(host: str, port: int, local: socket.socket | None, settings: Settings) -> int:
    parent = os.getpid()
    worker = os.fork()
    if worker:
        return worker
    code = 1
    try:
        loop = _new_loop()
        loop.run_until_complete(_work(host, port, local, settings, parent))
        code = 0
    except BaseException as failure:
        sys.stderr.write(f"khien door: {type(failure).__name__}\n")
    finally:
        os._exit(code)  # what the parent has open is the parent's to close


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _work(host: str, port: int, local: socket.socket | None, settings: Settings, parent: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    gc.freeze()  # modules and tables live for ever: the collector need not look at them
    gc.set_threshold(50_000, 20, 50)
    door = Door(settings)
    hall = Hall(door, body_seconds=settings.body_seconds, connections=CONNECTIONS)
    servers = [await loop.create_server(hall.connection, host, port, backlog=_BACKLOG, reuse_port=True)]
    if local is not None:
        servers.append(await loop.create_unix_server(hall.connection, sock=local, backlog=_BACKLOG))
    while not stop.is_set() and os.getppid() == parent:
        hall.tick()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(0.25, settings.body_seconds / 4))
    for server in servers:
        server.close()
    hall.close()
    deadline = loop.time() + _LAST_ANSWERS
    while door.busy and loop.time() < deadline:
        await asyncio.sleep(0.02)
    door.close()
    await asyncio.sleep(0.05)  # the last answers leave


def _stop(number: int, frame: object) -> None:
    global _stopping
    _stopping = True


def _unix_socket(path: Path) -> socket.socket:
    """Only the same user may reach it. Raises Unavailable where somebody listens there already."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                if probe.connect_ex(str(path)) == 0:
                    raise OSError("somebody listens there")
            path.unlink()
        before = os.umask(0o177)
        try:
            made.bind(str(path))
        finally:
            os.umask(before)
        made.listen(_BACKLOG)
    except OSError as failure:
        made.close()
        raise Unavailable(N_("The socket {path} is taken or cannot be made."), path=path) from failure
    return made


def _check_free(host: str, port: int) -> None:
    """Workers share a port; with a stranger who has it already half of the requests would go astray."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not REUSEPORT: a listener must be noticed
            probe.bind((host, port))
    except OSError as failure:
        raise Unavailable(N_("Port {port} is taken or cannot be used."), port=port) from failure


def _allow_connections(wanted: int) -> None:
    """One file descriptor a connection; as many as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
