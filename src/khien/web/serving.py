"""Serve the pages with Granian."""

from __future__ import annotations

import os
import socket

import django
from django.db import connections
from granian import Granian
from granian.constants import Interfaces

from khien.core import pool
from khien.core.errors import WrongUsage, system_reason
from khien.core.i18n import N_


def check_port(host: str, port: int) -> None:
    """Raises WrongUsage where the port is taken. Granian would share it, and two databases would answer in turn."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just stopped is no hindrance
        try:
            probe.bind((host, port))
        except OSError as failure:
            message = N_("Nothing can be served at {host}, port {port}: {reason}. Choose another with --port.")
            raise WrongUsage(message, host=host, port=port, reason=system_reason(failure)) from failure


def serve(host: str, port: int, workers: int) -> None:
    """Serve until interrupted. The static files were gathered by khien.web.build. Raises WrongUsage."""
    check_port(host, port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()
    # The workers are forked. A connection that is open by then would be every worker's: each would read the answers to
    # the others' questions, and ask under their scope.
    pool.close_all()
    connections.close_all()
    Granian(
        "khien.web.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        # Requests wait for the database more than they compute, and doses of one sender share a commit.
        blocking_threads=16,
        backpressure=128,
        log_access=False,  # addresses of pages hold no identifier, but who saw what is kept in the access log alone
        respawn_failed_workers=True,
    ).serve()
