"""The operating-system user the server runs as: ourselves, or as root somebody without privileges."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khien.core.errors import Unavailable
from khien.core.i18n import N_

_CANDIDATES = ("khien", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine. `switch` is true where we are root and must become that user first."""

    name: str
    uid: int
    gid: int
    home: str
    switch: bool

    def popen(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        """Start `command` as this user, in the root folder, with a bare environment in plain English."""
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": self.home, "TZ": "UTC"}
        return subprocess.Popen([str(part) for part in command], cwd="/", env=environment, **options)  # noqa: S603

    def run(self, command: Sequence[str | Path]) -> tuple[int, str]:
        """Run `command` to its end: exit code and what it printed. 127 where it cannot even start."""
        try:
            process = self.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as failure:
            return 127, str(failure)
        said, _ = process.communicate()
        return process.returncode, said.decode("utf-8", "replace")

    def can_run(self, program: Path) -> bool:
        return self.run([program, "--version"])[0] == 0

    def own(self, folder: Path, mode: int = 0o700) -> None:
        """Make `folder` if it is missing, and let it belong to this user with exactly `mode`."""
        folder.mkdir(mode=mode, exist_ok=True)
        if self.switch:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(mode)


def server_account() -> Account:
    """As root: KHIEN_PG_USER, else the first of khien, postgres, nobody. Otherwise: the current user."""
    wanted = os.environ.get("KHIEN_PG_USER")
    if os.geteuid() != 0:
        return _account(caller(), switch=False)
    for name in (wanted,) if wanted else _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return _account(entry, switch=True)
    raise Unavailable(
        N_("PostgreSQL does not run as root and there is no user {names}. Name one in KHIEN_PG_USER."),
        names=wanted or ", ".join(_CANDIDATES),
    )


def caller() -> pwd.struct_passwd:
    """The user this process runs as: the only one who may log in."""
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError as failure:
        raise Unavailable(
            N_("User number {uid} has no name on this machine, which PostgreSQL needs to know who logs in."),
            uid=os.geteuid(),
        ) from failure


def _account(entry: pwd.struct_passwd, *, switch: bool) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, switch)
