"""The folders and files of the embedded server inside KHIEN_HOME."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server.account import Account

SOCKET_NAME = ".s.PGSQL.5432"


def home() -> Path:
    """KHIEN_HOME without links: one server, however the folder is spelled."""
    return config.home().resolve()


def data_folder() -> Path:
    return home() / "data"


def lock_file() -> Path:
    return home() / "server.lock"


def start_log() -> Path:
    """What the server says before its own log files are open."""
    return home() / "start.log"


def is_initialised() -> bool:
    return os.path.lexists(data_folder() / "PG_VERSION")


def prepare_home(account: Account) -> None:
    """Make KHIEN_HOME and the socket's folder. Touches the permissions of nothing outside KHIEN_HOME."""
    folder = home()
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        # The server's user walks through, and may not look around.
        folder.chmod(0o711 if account.switch else 0o700)
        _prepare_socket_folder(account)
    except OSError as failure:
        raise Unavailable(
            N_("Cannot write to {folder}: {reason}. KHIEN_HOME names another folder."),
            folder=folder,
            reason=failure.strerror,
        ) from failure


def _prepare_socket_folder(account: Account) -> None:
    run = config.home() / "run"
    if len(os.fsencode(run / SOCKET_NAME)) <= config.SOCKET_PATH_MAX:
        if run.is_symlink():
            run.unlink()
        account.own(run)
        return
    # The path of a Unix socket has 107 bytes at most: a link leads to a short folder with a name nobody can foresee.
    if run.is_symlink() and _is_private(run.readlink(), account):
        return
    run.unlink(missing_ok=True)
    base = os.environ.get("XDG_RUNTIME_DIR") if not account.switch else None
    short = Path(tempfile.mkdtemp(prefix="khien-", dir=base if base and Path(base).is_dir() else "/tmp"))  # noqa: S108
    account.own(short)
    run.symlink_to(short)


def _is_private(folder: Path, account: Account) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return found.st_uid == account.uid and found.st_mode & 0o777 == 0o700 and folder.is_dir()
