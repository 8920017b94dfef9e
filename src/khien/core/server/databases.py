"""Databases within the server: making them, copying them, who may enter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from khien.core import config
from khien.core.server import cluster, external, supervisor
from khien.core.server.progress import Progress, quiet

_MAKING = 0x6B6869656E  # advisory lock: one process at a time makes roles and databases
# The same order and case rules on every machine, whatever its C library is.
_NEW = "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"


def ensure_running(progress: Progress = quiet, extra: Mapping[str, str] | None = None) -> bool:
    """The server answers, its roles are there and so is the (maybe empty) database config.database_name().

    Starts the embedded server if need be (then True); with KHIEN_DATABASE_URL only checks what is there and makes the
    roles and the database. Some milliseconds when everything is in place. Raises Unavailable.
    """
    outside = config.database_url() is not None
    started = False if outside else supervisor.start(progress, extra)
    with external.connect() if outside else psycopg.connect(cluster.admin_dsn(), autocommit=True) as connection:
        name = current_name()
        if not _complete(connection, name):
            connection.execute("SELECT pg_advisory_lock(%s)", (_MAKING,))
            if outside:
                external.ensure_roles(connection)
            else:
                cluster.ensure_roles(connection)
            _create(connection, name, None)
    return started


def current_name() -> str:
    """The database in use: of KHIEN_DATABASE_URL, else KHIEN_DATABASE_NAME."""
    return external.database_name() if config.database_url() else config.database_name()


def create_database(name: str, template: str | None = None) -> None:
    """An empty database that khien_owner owns, or a copy of `template` (to which nobody may be connected)."""
    with alone() as connection:
        _create(connection, name, template)


def drop_database(name: str) -> None:
    """Drop it, and whoever is connected to it."""
    with connect_admin() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def alone() -> Iterator[psycopg.Connection[Any]]:
    """An administrator's connection while nobody else makes roles or databases."""
    with connect_admin() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_MAKING,))
        yield connection


def connect_admin(database: str = "postgres") -> psycopg.Connection[Any]:
    """A connection with the highest rights there are, for the care of the server; autocommit."""
    return psycopg.connect(admin_dsn(database), autocommit=True)


def admin_dsn(database: str) -> str:
    return external.login_dsn(database) if config.database_url() else cluster.admin_dsn(database)


def _complete(connection: psycopg.Connection[Any], name: str) -> bool:
    """Roles and database are there; the database's own rights are set last and tell that making it was finished."""
    found = connection.execute(
        "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s) AND pg_has_role(oid, 'SET')),"
        " (SELECT datacl IS NOT NULL AND datallowconn FROM pg_database WHERE datname = %s),"
        " (SELECT count(*) FROM pg_parameter_acl WHERE parname = ANY(%s)),"
        " (SELECT count(DISTINCT roleid) FROM pg_auth_members"
        "  WHERE roleid::regrole::text = ANY(%s) AND member::regrole::text = 'khien_owner')",
        (list(cluster.ROLES), name, list(cluster.SCOPE_PARAMETERS), list(cluster.DUTIES)),
    ).fetchone()
    return found == (len(cluster.ROLES), True, len(cluster.SCOPE_PARAMETERS), len(cluster.DUTIES))


def _create(connection: psycopg.Connection[Any], name: str, template: str | None) -> None:
    database = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        source = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL(_NEW)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER khien_owner {}").format(database, source))
    # A restore that was killed while it swapped databases leaves this one closed.
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))
    # Rights on the database itself are not copied from a template, hence on every new one.
    for statement in (
        "GRANT CONNECT ON DATABASE {} TO khien_app, khien_loader, khien_door",
        "GRANT TEMPORARY ON DATABASE {} TO khien_app, khien_loader",
        "REVOKE ALL ON DATABASE {} FROM PUBLIC",
    ):
        connection.execute(sql.SQL(statement).format(database))
