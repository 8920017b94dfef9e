"""Running PostgreSQL's own programs (pg_dump and the like) against the database in use."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from khien.core.server import binaries, databases

_MARKS = ("error:", "fatal:")


def run(program: str, database: str, *arguments: str | Path, heard: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run `program` on `database` to its end: exit code, its first error, its last lines. `heard` gets every line."""
    given = conninfo_to_dict(databases.admin_dsn(database))
    password = given.pop("password", None)
    # Not as an argument: every user of the machine can read those.
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}
    # pg_amcheck has no such option; its one plain argument is the database.
    where = ("" if program == "pg_amcheck" else "--dbname=") + make_conninfo("", **given)
    command = [str(binaries.folder() / program), where, *map(str, arguments)]
    first: list[str] = []  # the statement that failed follows its error, and may be longer than what is kept
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            if not first and any(mark in line for mark in _MARKS):
                first.append(line.rstrip())
            heard(line.rstrip())
    return process.returncode, [*first, *last]


def reason(lines: list[str]) -> str:
    """What a program gave as the cause: its first error, else its last line."""
    for line in lines:
        for mark in _MARKS:
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else "?"
