"""A process that serves has all its code before the first request, where the garbage collector does not walk it."""

from __future__ import annotations

import os
import subprocess
import sys


def test_the_code_of_a_served_process_is_out_of_the_collectors_way() -> None:
    script = (
        "import gc, sys, khien.web.wsgi; assert 'khien.vaccination.api' in sys.modules;"
        " print(gc.get_freeze_count(), len(gc.get_objects()))"
    )
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    frozen, walked = (int(part) for part in done.stdout.split())
    assert frozen > 50_000 > walked * 10
