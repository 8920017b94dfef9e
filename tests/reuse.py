"""A test's database is emptied and given to the next test, which is several times cheaper than a new copy of a thousand
files. Only data are put back: where a test changed the schema itself, its database is thrown away.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

# Everything a migration decides, and nothing that only use changes (places on disk, statistics).
_SCHEMA = """
SELECT md5(string_agg(told, E'\n' ORDER BY told)) FROM (
    SELECT concat_ws('|', 'n', nspname, nspowner, nspacl) AS told FROM pg_namespace WHERE nspname !~ '^pg_t'
    UNION ALL SELECT concat_ws('|', 'c', oid, relname, relnamespace, relkind, relpersistence, relrowsecurity,
        relforcerowsecurity, relispartition, relhastriggers, relowner, relacl, reloptions) FROM pg_class
        WHERE relnamespace <> 'pg_toast'::regnamespace
    UNION ALL SELECT concat_ws('|', 'a', attrelid, attnum, attname, atttypid, attnotnull, attisdropped, attacl)
        FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT concat_ws('|', 'i', indexrelid, indisvalid, indisunique, indkey) FROM pg_index
        WHERE indexrelid >= 16384
    UNION ALL SELECT concat_ws('|', 'o', oid, conname, conrelid, convalidated) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws('|', 'd', adrelid, adnum, adbin) FROM pg_attrdef
    UNION ALL SELECT concat_ws('|', 'p', polrelid, polname, polcmd, polqual, polwithcheck) FROM pg_policy
    UNION ALL SELECT concat_ws('|', 't', oid, tgrelid, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws('|', 'f', oid, proname, md5(concat(prosrc, prosqlbody)), prosecdef, proacl) FROM pg_proc
        WHERE oid >= 16384
    UNION ALL SELECT concat_ws('|', 's', setdatabase, setrole, setconfig) FROM pg_db_role_setting
    UNION ALL SELECT concat_ws('|', 'x', stxrelid, stxname) FROM pg_statistic_ext
) every
"""
_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid >= 16384 AND pg_relation_size(c.oid) > 0 ORDER BY 1, 2
"""
_SEQUENCES = "SELECT schemaname, sequencename, start_value, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
_BLOATED = 64 * 1024


Named = tuple[str, str]  # schema, and name of a table or sequence


@dataclass(frozen=True)
class AsMade:
    """A database that was just made: its schema, the rows that are there from the beginning, its used sequences."""

    schema: str
    rows: dict[Named, bytes]
    used: dict[Named, int]


def as_made(name: str) -> AsMade:
    with _connect(name) as connection:
        rows = {table: _copied(connection, table) for table in connection.execute(_TABLES).fetchall()}
        used = {(schema, name): last for schema, name, _start, last in connection.execute(_SEQUENCES).fetchall()}
        return AsMade(_schema(connection), {table: text for table, text in rows.items() if text}, used)


def emptied(name: str, made: AsMade) -> bool:
    """Put database `name` back to what it was when it was made. False: that cannot be done, and it is of no use."""
    with suppress(psycopg.Error), _connect(name) as connection:
        connection.execute("SET lock_timeout = '2s'")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if _schema(connection) != made.schema:
            return False
        connection.execute("SET session_replication_role = replica")  # all rows go, so no reference is left open
        for table in {*connection.execute(_TABLES).fetchall(), *made.rows}:
            _put_back(connection, table, made.rows.get(table))
        starts = {(schema, name): start for schema, name, start, _last in connection.execute(_SEQUENCES).fetchall()}
        for sequence in {**starts, **made.used}:
            last, named = made.used.get(sequence), sql.Identifier(*sequence).as_string(connection)
            connection.execute("SELECT setval(%s, %s, %s)", (named, last or starts[sequence], last is not None))
        return True
    return False


def _put_back(connection: psycopg.Connection[Any], table: Named, text: bytes | None) -> None:
    name = sql.Identifier(*table)
    if text is not None and _copied(connection, table) == text:
        return
    connection.execute(sql.SQL("DELETE FROM {}").format(name))
    if text is not None:
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as rows:
            rows.write(text)
    size = connection.execute("SELECT pg_relation_size(%s)", (name.as_string(connection),)).fetchone()
    if size is not None and size[0] > _BLOATED:
        connection.execute(sql.SQL("VACUUM {}").format(name))


def renamed(name: str, to: str) -> None:
    """What is kept outside of a database by its name stays with the test that made it."""
    from khien.core.server import databases

    with databases.connect_admin() as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))


def _connect(name: str) -> psycopg.Connection[Any]:
    from khien.core.server import databases

    return databases.connect_admin(name)


def _schema(connection: psycopg.Connection[Any]) -> str:
    return str(connection.execute(_SCHEMA).fetchone()[0])  # type: ignore[index]


def _copied(connection: psycopg.Connection[Any], table: Named) -> bytes:
    query = sql.SQL("COPY (SELECT * FROM {} t ORDER BY t::text) TO STDOUT").format(sql.Identifier(*table))
    with connection.cursor().copy(query) as rows:
        return b"".join(rows)
