"""Another PostgreSQL 18 named by KHIEN_DATABASE_URL: what it must be, and the roles it needs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from khien.core import config
from khien.core.errors import Unavailable, WrongUsage
from khien.core.i18n import N_
from khien.core.server.binaries import NEEDED_MAJOR
from khien.core.server.cluster import DUTIES, ROLES, grant_duties, grant_loading, grant_scope


def login_dsn(database: str | None = None) -> str:
    """The login of the URL itself, without switching to a role; in another `database` where one is given."""
    named = {"dbname": database} if database else {}
    try:
        return make_conninfo(config.database_url() or "", application_name="khien", **named)
    except psycopg.ProgrammingError as failure:
        raise WrongUsage(N_("KHIEN_DATABASE_URL is not a PostgreSQL address (postgresql://...).")) from failure


def database_name() -> str:
    given = conninfo_to_dict(login_dsn())
    return str(given.get("dbname") or given.get("user") or "postgres")


def connect() -> psycopg.Connection[Any]:
    """Log in, to the database of the URL or where it is not made yet to `postgres`; autocommit. Checks the version."""
    try:
        connection = _connect_to_either()
    except psycopg.OperationalError as failure:
        raise Unavailable(
            N_("The server in KHIEN_DATABASE_URL does not answer: {reason}"),
            reason=str(failure).strip().splitlines()[-1],  # names host and database, never the password
        ) from failure
    if connection.info.server_version < NEEDED_MAJOR * 10_000:
        found = connection.info.parameter_status("server_version")
        connection.close()
        raise Unavailable(
            N_("PostgreSQL {needed} or newer is needed, the server in KHIEN_DATABASE_URL is {found}."),
            needed=NEEDED_MAJOR,
            found=found,
        )
    return connection


def _connect_to_either() -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(login_dsn(), autocommit=True)
    except psycopg.OperationalError:
        connection = psycopg.connect(login_dsn("postgres"), autocommit=True)
        query = "SELECT 1 FROM pg_database WHERE datname = %s AND datallowconn"
        if connection.execute(query, (database_name(),)).fetchone():
            connection.close()
            raise  # it is there and open, so the first error says what is wrong
        return connection


def ensure_roles(connection: psycopg.Connection[Any]) -> None:
    """Make the roles as far as the login may. Raises Unavailable and says what an administrator has to do."""
    statement = ""
    try:
        for name, attributes in ROLES.items():
            found = connection.execute(
                "SELECT pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = %s", (name,)
            ).fetchone()
            # Nobody can log in as these: the login of the URL switches to them.
            if found is None:
                statement = f"CREATE ROLE {name} NOLOGIN {attributes}"
                connection.execute(sql.SQL(statement))
            if found is None or not found[0]:
                statement = f"GRANT {name} TO {connection.info.user}"
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH SET TRUE").format(sql.Identifier(name)))
        for name, attributes in DUTIES.items():
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
                statement = f"CREATE ROLE {name} {attributes}"
                connection.execute(sql.SQL(statement))
        statement = f"GRANT {', '.join(DUTIES)} TO khien_owner"
        grant_duties(connection)
        statement = "GRANT SET ON PARAMETER khien.account, khien.agency, khien.purpose, khien.area TO khien_owner"
        grant_scope(connection)
    except psycopg.errors.InsufficientPrivilege as failure:
        raise Unavailable(
            N_("The login in KHIEN_DATABASE_URL may not prepare the server. Have an administrator run: {statement}"),
            statement=statement,
        ) from failure
    with suppress(psycopg.errors.InsufficientPrivilege):  # then a load uses one core where it could use two
        grant_loading(connection)
