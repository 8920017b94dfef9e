"""Databases within the server: making them, copying them, who may enter."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from khien.core import config
from khien.core.server import cluster, external, supervisor
from khien.core.server.supervisor import Progress, quiet


def ensure_running(progress: Progress = quiet, extra: Mapping[str, str] | None = None) -> None:
    """The server answers, its roles are there and so is the (maybe empty) database config.database_name().

    Starts the embedded server if need be; with KHIEN_DATABASE_URL only checks what is there and makes the roles.
    Quick when everything is in place. Raises Unavailable.
    """
    if config.database_url():
        external.prepare()
        return
    supervisor.start(progress, extra)
    if config.database_name() not in cluster.databases(cluster.admin_dsn()):
        create_database(config.database_name())


def create_database(name: str, template: str | None = None) -> None:
    """An empty database that khien_owner owns, or a copy of `template` (to which nobody may be connected)."""
    with psycopg.connect(_admin_dsn("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER khien_owner TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template or "template0")
            )
        )
        _grant_entry(connection, name)


def drop_database(name: str) -> None:
    """Drop it, and whoever is connected to it."""
    with psycopg.connect(_admin_dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _grant_entry(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    # Rights on the database itself are not copied from a template, hence on every new one.
    for statement in (
        "REVOKE ALL ON DATABASE {} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {} TO khien_app, khien_loader, khien_door",
        "GRANT TEMPORARY ON DATABASE {} TO khien_app, khien_loader",
    ):
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _admin_dsn(database: str) -> str:
    return external.login_dsn(database) if config.database_url() else cluster.admin_dsn(database)
