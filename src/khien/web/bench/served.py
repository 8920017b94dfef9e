"""The product as `khien serve` serves it, for a measurement."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from khien.core.errors import Unavailable
from khien.core.i18n import N_


@contextmanager
def served() -> Iterator[int]:
    """Pages and API on a port of their own, which it gives."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = f"from khien.web.serving import serve; serve('127.0.0.1', {port}, 2)"
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([sys.executable, "-c", command], stdout=said, stderr=said)  # noqa: S603 - ourselves
        try:
            for _ in range(300):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                raise Unavailable(N_("The pages cannot be served."))
            time.sleep(1)  # both workers
            yield port
        finally:
            process.terminate()
            process.wait(30)
