"""What `khien db status` shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import psycopg

from khien.core import config
from khien.core.server import databases, layout, processes, supervisor


@dataclass(frozen=True, slots=True)
class Status:
    """`since` in UTC; `free_bytes` on the disk of KHIEN_HOME; `size_bytes` None where the database is not made yet."""

    embedded: bool
    running: bool
    database: str
    home: str
    free_bytes: int
    pid: int | None = None
    version: str | None = None
    since: dt.datetime | None = None
    checksums: bool | None = None
    connections: int | None = None
    size_bytes: int | None = None


def status() -> Status:
    """Look, change nothing."""
    embedded = config.database_url() is None
    name = databases.current_name()
    known = (embedded, str(config.home()), layout.free_bytes())
    try:
        if embedded and not supervisor.is_running():
            raise psycopg.OperationalError
        with databases.connect_admin() as connection:
            found = connection.execute(
                "SELECT current_setting('server_version'), pg_postmaster_start_time(),"
                " current_setting('data_checksums') = 'on',"
                " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = %(name)s),"
                " (SELECT pg_database_size(oid) FROM pg_database WHERE datname = %(name)s)",
                {"name": name},
            ).fetchone()
    except psycopg.OperationalError:
        return Status(known[0], False, name, known[1], known[2])
    assert found is not None
    version, since, checksums, connections, size = found
    return Status(
        known[0],
        True,
        name,
        known[1],
        known[2],
        processes.postmaster(layout.data_folder()) if embedded else None,
        version,
        since.astimezone(dt.UTC),
        checksums,
        connections,
        size,
    )
