"""Another PostgreSQL 18 named by KHIEN_DATABASE_URL: what it must be, and the roles it needs."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_
from khien.core.server.binaries import NEEDED_MAJOR
from khien.core.server.cluster import ROLES


def login_dsn(database: str | None = None) -> str:
    """The login of the URL itself, without switching to a role; in another `database` where one is given."""
    url = config.database_url() or ""
    return make_conninfo(url, application_name="khien", **({"dbname": database} if database else {}))


def prepare() -> None:
    """Check the version, and make the roles as far as the login may. Raises Unavailable and says what is missing."""
    try:
        connection = psycopg.connect(login_dsn(), autocommit=True)
    except psycopg.OperationalError as failure:
        raise Unavailable(
            N_("The server in KHIEN_DATABASE_URL does not answer: {reason}"), reason=_reason(failure)
        ) from failure
    with connection:
        if connection.info.server_version < NEEDED_MAJOR * 10_000:
            raise Unavailable(
                N_("PostgreSQL {needed} or newer is needed, the server in KHIEN_DATABASE_URL is {found}."),
                needed=NEEDED_MAJOR,
                found=connection.info.parameter_status("server_version"),
            )
        for name, attributes in ROLES.items():
            _ensure_role(connection, name, attributes)


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], name: str, attributes: str) -> None:
    """A role that nobody can log in as: the login of the URL switches to it."""
    found = connection.execute(
        "SELECT rolbypassrls, rolsuper, pg_has_role(oid, 'SET') FROM pg_roles WHERE rolname = %s", (name,)
    ).fetchone()
    role = sql.Identifier(name)
    try:
        if found is None:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN {}").format(role, sql.SQL(attributes)))
        if found is None or not found[2]:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH SET TRUE").format(role))
    except psycopg.errors.InsufficientPrivilege as failure:
        raise Unavailable(
            N_(
                "The login in KHIEN_DATABASE_URL may not make the role {role} ({attributes}). Have an administrator"
                " make it and grant it to that login."
            ),
            role=name,
            attributes=attributes,
        ) from failure


def _reason(failure: psycopg.Error) -> str:
    """The last line of the driver's message; it names host and database, never the password."""
    return str(failure).strip().splitlines()[-1]
