"""Serve the pages with Granian."""

from __future__ import annotations

import os

import django
from granian import Granian
from granian.constants import Interfaces


def serve(host: str, port: int, workers: int) -> None:
    """Serve until interrupted. The static files were gathered by khien.web.build."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()
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
