"""Which processes of the embedded server are alive, told without privileges from their titles."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from khien.core.server.settings import cluster_name

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    words: tuple[str, ...]  # its command line


def running() -> list[Process]:
    """All living processes of the machine. One that has ended and only waits to be collected is not alive."""
    if not (_PROC / "self").exists():
        listing = subprocess.run(["ps", "-axo", "pid=,stat=,command="], capture_output=True, text=True).stdout  # noqa: S607
        rows = [line.split(None, 2) for line in listing.splitlines()]
        return [Process(int(r[0]), tuple(r[2].split())) for r in rows if len(r) == 3 and "Z" not in r[1]]
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # Empty for kernel threads and for ended processes.
                if raw := (entry / "cmdline").read_bytes():
                    found.append(Process(int(entry.name), tuple(os.fsdecode(w) for w in raw.split(b"\0"))))
    return found


def of_server(home: Path, data: Path) -> list[int]:
    """Process ids of the postmaster on `data` and of its children, also of children that outlived it."""
    title = f"postgres: {cluster_name(home)}: "
    return [p.pid for p in running() if _is_postmaster(p, data) or " ".join(p.words).startswith(title)]


def postmaster(data: Path) -> int | None:
    """Process id of the living postmaster on `data`, or None."""
    return next((p.pid for p in running() if _is_postmaster(p, data)), None)


def _is_postmaster(process: Process, data: Path) -> bool:
    words = process.words
    return Path(words[0]).name == "postgres" and any(
        flag == "-D" and value == str(data) for flag, value in zip(words, words[1:], strict=False)
    )


def startup_doing(home: Path) -> str:
    """What the process that brings the server up says it does, for example which part of the log it replays."""
    mark = f"postgres: {cluster_name(home)}: startup "
    titles = (" ".join(process.words).strip() for process in running())
    return next((title.removeprefix(mark) for title in titles if title.startswith(mark)), "…")


def alive(pid: int) -> bool:
    return any(process.pid == pid for process in running())


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
