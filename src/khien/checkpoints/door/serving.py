"""Runs the door under Granian, apart from the pages: its own processes, its own database role."""

from __future__ import annotations

import json
import os
import resource
import socket
from contextlib import suppress
from dataclasses import asdict

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from khien.checkpoints.door.app import Settings
from khien.core.errors import Unavailable
from khien.core.i18n import N_

CONNECTIONS = 20_000  # a worker: many more idle ones than checkpoints have devices


def serve(host: str, port: int, settings: Settings) -> None:
    """Serve until interrupted. Raises Unavailable where something else serves at this port."""
    _check_free(host, port)
    _allow_connections(CONNECTIONS + 200)
    os.environ["KHIEN_DOOR"] = json.dumps(asdict(settings))
    Granian(
        "khien.checkpoints.door.app:make",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        workers=settings.workers,
        websockets=False,
        backlog=4096,
        backpressure=CONNECTIONS,
        # A connection that sends nothing is dropped after this time; buffers are as large as a header needs.
        http1_settings=HTTP1Settings(header_read_timeout=15_000, max_buffer_size=16_384),
        log_access=False,  # who asked what stands in the access log, durably
        respawn_failed_workers=True,
    ).serve()


def _check_free(host: str, port: int) -> None:
    """Granian shares a port with whoever has it already; then half of the requests would go astray."""
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
