"""Is the database sound, complete and closed? A list of findings, empty when all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from khien.core.i18n import N_
from khien.core.server import databases, programs, settings
from khien.core.server.progress import Progress, quiet
from khien.core.sql import Queries

_queries = Queries("khien.core.server", "verify.sql")

# Named queries of verify.sql: each returns the names of the objects that are wrong, in the column `object`.
_CHECKS = {
    "checksums_off": N_("The server does not checksum its pages; damage on the disk would go unseen."),
    "checksum_failures": N_("Pages of this database have failed their checksum."),
    "not_durable": N_("A setting risks committed data when the power fails."),
    "row_security_not_forced": N_("A table about persons is not under forced row-level security."),
    "row_security_without_policy": N_("A table about persons has no policy; nobody can read it."),
    "constraint_not_validated": N_("A constraint was not checked against the rows that are there."),
    "index_invalid": N_("An index is unfinished and not in use."),
    "role_too_strong": N_("A role of the application can pass by row-level security."),
    "table_of_wrong_owner": N_("A role of the application owns a table."),
    "open_to_all": N_("Every role may create objects in the schema."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is stable for programs; `message` is an English template for people; `subject` names the object."""

    check: str
    message: str
    subject: str


def verify(*, deep: bool = False, progress: Progress = quiet) -> list[Finding]:
    """Look at settings, roles, policies, constraints, migrations and every page of tables and indexes.

    `deep` also proves that each row is found in each index, which reads everything several times.
    """
    name = databases.current_name()
    findings = []
    with databases.connect_admin(name) as connection:
        for check, message in _CHECKS.items():
            progress(N_("Checking settings, roles and constraints"))
            rows = connection.execute(getattr(_queries, check)).fetchall()
            findings += [Finding(check, message, str(subject)) for (subject,) in rows]
        findings += _pages(connection, name, deep, progress)
    return findings + _migrations()


def _migrations() -> list[Finding]:
    from khien.core.migration import pending

    return [Finding("migration_missing", N_("A migration was not applied yet."), name) for name in pending()]


def _pages(connection: psycopg.Connection[Any], name: str, deep: bool, progress: Progress) -> list[Finding]:
    """pg_amcheck over the whole database. Its extension stays in the database only as long."""
    present = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'").fetchone()
    if not present:
        try:
            connection.execute("CREATE EXTENSION amcheck SCHEMA pg_catalog")
        except psycopg.Error as failure:
            return [
                Finding("pages_not_checked", N_("The pages of tables and indexes could not be checked."), _why(failure))
            ]
    found: list[str] = []

    def heard(line: str) -> None:
        words = line.split()
        if len(words) > 3 and words[1] == "relations" and "/" in words[0]:
            done, total = words[0].split("/")
            progress(N_("Checking pages of tables and indexes"), done=int(done), total=int(total))
        elif "error:" in line or line.startswith(("heap table", "btree index")):
            found.append(line.strip())

    try:
        options = ("--heapallindexed", "--checkunique") if deep else ()
        code, said = programs.run("pg_amcheck", name, f"--jobs={settings.cores()}", "--progress", *options, heard=heard)
    finally:
        if not present:
            connection.execute("DROP EXTENSION IF EXISTS amcheck")
    if code != 0 and not found:
        found = said[-1:]
    return [
        Finding("page_damaged", N_("A table or an index is damaged. Restore from a backup."), line) for line in found
    ]


def _why(failure: psycopg.Error) -> str:
    return str(failure).strip().splitlines()[0]
