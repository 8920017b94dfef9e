"""Settings from the environment, in one place. Every name starts with KHIEN_.

KHIEN_HOME           folder of our own: database, generated files (default ./.khien, as root /var/lib/khien)
KHIEN_DATABASE_URL   another PostgreSQL 18 instead of the embedded one
KHIEN_DATABASE_NAME  database within the embedded server (default khien)
KHIEN_PG_BIN         folder of other PostgreSQL binaries
KHIEN_PG_USER        as root: the user the embedded server runs as (default khien, postgres or nobody)
KHIEN_POOL_SIZE      connections per process and role (default 8)
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

# Django apps that exist, in the order of the house (DESIGN §3): an import may only point up this list.
CAPABILITIES = (
    "core", "territory", "access", "population", "vaccination", "checkpoints", "zones", "tracing", "coverage",
    "simulation", "web",
)  # fmt: skip

ROLES = ("khien_owner", "khien_app", "khien_loader", "khien_door")


def home() -> Path:
    default = Path("/var/lib/khien") if os.geteuid() == 0 else Path.cwd() / ".khien"
    return Path(os.environ.get("KHIEN_HOME") or default).absolute()


def database_url() -> str | None:
    return os.environ.get("KHIEN_DATABASE_URL") or None


def database_name() -> str:
    return os.environ.get("KHIEN_DATABASE_NAME", "khien")


SOCKET_PATH_MAX = 107  # bytes of a Unix socket's path, from struct sockaddr_un


def current_database() -> str:
    """The name of the database in use, embedded or not."""
    return str(conninfo_to_dict(database_dsn("khien_app")).get("dbname") or database_name())


def socket_folder() -> Path:
    """Where the embedded server's Unix socket lies; where that path is too long, `run` is a link to a short one."""
    run = home() / "run"
    return run.readlink() if run.is_symlink() else run


def database_dsn(role: str) -> str:
    """How to connect as `role` (one of ROLES).

    The embedded server lets the operating-system user that started it log in as each role (peer). On any other server
    the login named by the URL switches to the role, which `khien db migrate` has created.
    """
    url = database_url()
    if url is None:
        return make_conninfo(host=str(socket_folder()), dbname=database_name(), user=role, application_name="khien")
    given = conninfo_to_dict(url)
    options = f"{given.pop('options', '')} -c role={role}".strip()
    return make_conninfo("", **{**given, "options": options, "application_name": "khien"})


def pool_size() -> int:
    return int(os.environ.get("KHIEN_POOL_SIZE", "8"))


def check_connections() -> bool:
    """Whether a pooled connection is tested before use: costs a round trip, survives a restart of the database."""
    return os.environ.get("KHIEN_POOL_CHECK", "1") == "1"


def https() -> bool:
    """Whether a proxy in front speaks TLS (KHIEN_HTTPS=1)."""
    return os.environ.get("KHIEN_HTTPS") == "1"


def secret_key() -> str:
    """Signs sessions. From KHIEN_SECRET_KEY, else made once and kept in our own folder, readable by us alone."""
    given = os.environ.get("KHIEN_SECRET_KEY")
    if given:
        return given
    kept = home() / "secret-key"
    try:
        return kept.read_text()
    except FileNotFoundError:
        home().mkdir(parents=True, exist_ok=True)
        fresh = secrets.token_urlsafe(48)
        # Written aside and linked, so that another process never reads a key that is half there.
        aside = kept.with_name(f"secret-key.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(fresh)
        try:
            os.link(aside, kept)
        except FileExistsError:  # another process was first
            return kept.read_text()
        finally:
            aside.unlink()
        return fresh
