"""Making a database cluster and keeping who may log in, with which settings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server import layout, settings
from khien.core.server.account import Account, caller

ADMIN = "khien_admin"  # superuser: the supervisor's own role, used by nothing else

# What each role is, beyond LOGIN. The loader writes staging tables for the whole nation, hence no row security.
ROLES = {
    "khien_owner": "NOSUPERUSER NOBYPASSRLS",
    "khien_app": "NOSUPERUSER NOBYPASSRLS",
    "khien_loader": "NOSUPERUSER BYPASSRLS",
    "khien_door": "NOSUPERUSER NOBYPASSRLS",
}

# Roles that own functions and that nobody logs in as: what such a function may do is what its role may.
DUTIES = {
    # The identity check asks about anybody. Without row security its plans carry no policies, which it would pass
    # anyway; it may read what a check compares and write the access log, nothing else.
    "khien_checker": "NOLOGIN NOSUPERUSER BYPASSRLS",
    # Who was together with a case does not depend on who asks; whether they may ask was seen to before. It may read
    # where people were and live, nothing else.
    "khien_tracer": "NOLOGIN NOSUPERUSER BYPASSRLS",
}

# Parameters that carry the scope. Functions that fix one (CREATE FUNCTION ... SET) need the right to, since the
# server knows none of them by itself.
SCOPE_PARAMETERS = ("khien.account", "khien.agency", "khien.purpose", "khien.area")


def initialise(account: Account, programs: Path) -> None:
    """Make the cluster in a folder aside and move it into place when complete, so that none is ever half made."""
    data = layout.data_folder()
    unfinished = data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    account.own(unfinished)
    code, said = account.run(
        [
            programs / "initdb",
            f"--pgdata={unfinished}",
            f"--username={ADMIN}",
            "--encoding=UTF8",
            "--locale=C",
            # The same order and case rules on every machine, whatever its C library is.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--auth=peer",
            "--no-instructions",
        ]
    )
    if code != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        if full := layout.disk_full(certain="No space left on device" in said):
            raise full
        reason = next((line for line in said.splitlines() if "error" in line.lower()), said[-300:])
        raise Unavailable(N_("The database could not be made in {folder}: {reason}"), folder=data, reason=reason)
    if data.exists():
        data.rmdir()  # only ever empty here; anything in it is not ours and must not be lost
    unfinished.rename(data)


def write_configuration(account: Account, extra: Mapping[str, str]) -> None:
    """Write settings and login rules anew, for the machine and the user of today."""
    home, data = layout.home(), layout.data_folder()
    values = settings.server_settings(home, config.socket_folder(), settings.memory_bytes(), settings.cores())
    own = home / "postgresql.conf"
    _write(account, data / "khien.conf", settings.conf_text({**values, **extra}))
    _write(
        account,
        data / "postgresql.conf",
        "# Written by khien at every start. Your own settings belong in the last file, which wins.\n"
        f"include = 'khien.conf'\ninclude_if_exists = '{str(own).replace(chr(39), chr(39) * 2)}'\n",
    )
    names = (ADMIN, *ROLES)
    rules = "".join(f"local all {name} peer map=khien\n" for name in names)
    _write(account, data / "pg_hba.conf", "# Unix socket only; nobody gets in by a name alone.\n" + rules)
    user = caller().pw_name.replace('"', '""')
    # Only the user who starts the server: not even the one it runs as, who may run other programs too (nobody).
    _write(account, data / "pg_ident.conf", "".join(f'khien "{user}" {name}\n' for name in names))


def _write(account: Account, path: Path, text: str) -> None:
    if path.exists() and path.read_text("utf-8") == text:
        return  # nothing to write: one thing less that a full disk stops
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.chmod(0o600)
    if account.switch:
        os.chown(fresh, account.uid, account.gid)
    fresh.replace(path)


def admin_dsn(database: str = "postgres") -> str:
    """Superuser of the embedded server. For the supervisor: making roles and databases, backup, verification."""
    return make_conninfo(
        host=str(config.socket_folder()), dbname=database, user=ADMIN, application_name="khien supervisor"
    )


def ensure_roles(connection: psycopg.Connection[Any]) -> None:
    """Create what is missing of the roles of the embedded server, and set what each one is."""
    present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    for name, attributes in {**{n: f"LOGIN {a}" for n, a in ROLES.items()}, **DUTIES}.items():
        verb = "ALTER" if name in present else "CREATE"
        connection.execute(sql.SQL("{} ROLE {} {}").format(sql.SQL(verb), sql.Identifier(name), sql.SQL(attributes)))
        # An error of a statement goes to the client that sent it; in a log it could show an identifier.
        connection.execute(sql.SQL("ALTER ROLE {} SET log_min_messages = 'log'").format(sql.Identifier(name)))
    grant_duties(connection)
    grant_scope(connection)
    grant_loading(connection)


def grant_duties(connection: psycopg.Connection[Any]) -> None:
    """The owner hands functions over to these roles."""
    for name in DUTIES:
        connection.execute(sql.SQL("GRANT {} TO khien_owner").format(sql.Identifier(name)))


def grant_scope(connection: psycopg.Connection[Any]) -> None:
    for parameter in SCOPE_PARAMETERS:
        connection.execute(sql.SQL("GRANT SET ON PARAMETER {} TO khien_owner").format(sql.SQL(parameter)))


def grant_loading(connection: psycopg.Connection[Any]) -> None:
    """Let a bulk load prove foreign keys with one join, not row by row: it can then use two cores. And let it take new
    segments of the log without filling them with zeros first. It works without both."""
    connection.execute("GRANT SET ON PARAMETER session_replication_role, wal_init_zero TO khien_loader")
