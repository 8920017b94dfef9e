"""The folders and files of the embedded server inside KHIEN_HOME, and what to say when they cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khien.core import config
from khien.core.errors import Unavailable, system_reason
from khien.core.i18n import N_
from khien.core.server.account import Account

SOCKET_NAME = ".s.PGSQL.5432"
_FULL = 16 * 1024 * 1024  # one segment of the write-ahead log: with less the server cannot start


def home() -> Path:
    """KHIEN_HOME without links: one server, however the folder is spelled."""
    return config.home().resolve()


def data_folder() -> Path:
    return home() / "data"


def lock_file() -> Path:
    return home() / "server.lock"


def is_initialised() -> bool:
    return (data_folder() / "PG_VERSION").exists()


def free_bytes() -> int:
    """Free space on the disk of KHIEN_HOME, for an ordinary user."""
    found = home()
    while not found.exists():
        found = found.parent
    return shutil.disk_usage(found).free


def disk_full(*, certain: bool = False) -> Unavailable | None:
    """The error to raise if the disk is too full for a server to start (or is known to have been), else None."""
    free = free_bytes()
    if free >= _FULL and not certain:
        return None
    return Unavailable(
        N_("The disk that holds {folder} is full: {free} MB free. Free some space and try again; nothing is lost."),
        code="disk_full",
        folder=home(),
        free=free // (1024 * 1024),
    )


@contextmanager
def writing() -> Iterator[None]:
    """Files of our own are written: a full disk, missing rights and read-only disks become clear errors."""
    try:
        yield
    except OSError as failure:
        if failure.errno == errno.ENOSPC and (full := disk_full(certain=True)):
            raise full from failure
        raise Unavailable(
            N_("Cannot write to {folder}: {reason}. KHIEN_HOME can name another folder."),
            code="not_writable",
            folder=failure.filename or home(),
            reason=system_reason(failure),
        ) from failure


def prepare_home(account: Account) -> None:
    """Make KHIEN_HOME and the socket's folder. Touches the permissions of nothing outside KHIEN_HOME."""
    folder = home()
    with writing():
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        # As root: the server's user walks through, and may not look around.
        folder.chmod(0o711 if account.switch else 0o700)
        _prepare_socket_folder(account)


def _prepare_socket_folder(account: Account) -> None:
    run = config.home() / "run"
    if len(os.fsencode(run / SOCKET_NAME)) <= config.SOCKET_PATH_MAX:
        if run.is_symlink():
            run.unlink()
        account.own(run)
        return
    # A link leads to a short folder with a name nobody can foresee.
    if run.is_symlink() and _is_private(run.readlink(), account):
        return
    run.unlink(missing_ok=True)
    base = os.environ.get("XDG_RUNTIME_DIR") if not account.switch else None
    short = Path(tempfile.mkdtemp(prefix="khien-", dir=base if base and Path(base).is_dir() else "/tmp"))  # noqa: S108
    account.own(short)
    try:
        run.symlink_to(short)
    except FileExistsError:  # another start made it at the same moment
        short.rmdir()
        if not (run.is_symlink() and _is_private(run.readlink(), account)):
            raise


def _is_private(folder: Path, account: Account) -> bool:
    """A folder of the server's user that nobody else may enter (after a reboot the name may be somebody else's)."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return found.st_uid == account.uid and found.st_mode & 0o777 == 0o700 and folder.is_dir()
