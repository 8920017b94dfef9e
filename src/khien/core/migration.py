"""Migrations: Django keeps the order, plain SQL files hold the tables.

`sql_file` makes a migration step of a `.sql` file. Functions and policies are written as "create or replace" files and
run again after every migration, so that the newest text is always the one in force.
"""

from __future__ import annotations

import os
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg

from khien.core import config
from khien.core.sql import read_sql

if TYPE_CHECKING:
    from django.db.migrations.operations.base import Operation

# Run after every migration, in this order, where the file exists. Policies come last: they look at all tables.
_CAPABILITIES = (
    "core", "territory", "access", "population", "vaccination", "checkpoints", "zones", "tracing",
    "certificates", "reconciliation", "coverage", "forecast", "exchange",
)  # fmt: skip
_FILES = (
    "search.sql", "contacts.sql", "functions.sql", "movement/functions.sql", "movement/declarations.sql",
    "loading/functions.sql",
)  # fmt: skip
_REPEATED = tuple((c, f) for c in _CAPABILITIES for f in _FILES) + (("access", "policies.sql"),)


def sql_file(package: str, filename: str) -> Operation:
    """A migration operation that runs the whole file. There is no way back: a backup is the way back."""
    from django.db import migrations

    # RunSQL passes a list of (sql, params) straight to the driver, so `%` needs no doubling.
    return migrations.RunSQL([(read_sql(package, filename), None)], migrations.RunSQL.noop)


def apply_repeatable(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """(Re)create functions and policies, all or nothing."""
    with connection.transaction():
        for capability, filename in _REPEATED:
            if files("khien").joinpath(capability, filename).is_file():
                connection.execute(read_sql(f"khien.{capability}", filename))


def migrate() -> list[str]:
    """Bring config.database_name() to the newest schema as khien_owner. Returns the migrations applied."""
    from django.core.management import call_command
    from django.db import connections

    missing = pending()
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    connections["owner"].close()
    with psycopg.connect(config.database_dsn("khien_owner"), autocommit=True) as connection:
        apply_repeatable(connection)
    return missing


def pending() -> list[str]:
    """The migrations that config.database_name() lacks, in the order they would be applied."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    import django
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    # Asked without Django's connection, which stays with the database it was first set up for.
    with psycopg.connect(config.database_dsn("khien_owner"), autocommit=True) as connection:
        made = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone() == (True,)
        rows = connection.execute("SELECT app, name FROM django_migrations").fetchall() if made else []
    graph = MigrationLoader(None).graph
    plan = {step: None for leaf in graph.leaf_nodes() for step in graph.forwards_plan(leaf)}  # each once, in order
    return [".".join(step) for step in plan if step not in set(rows)]
