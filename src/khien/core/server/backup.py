"""Backup and restore of the whole database, with a manifest that lets either be proved.

A backup is a folder: `dump/` (pg_dump's directory format, written in parallel) and `manifest.json` with the number of
rows of every table, counted in the very snapshot that was dumped, and the SHA-256 of every file.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from khien.core.errors import BadInput, Refused, Unavailable, system_reason
from khien.core.i18n import N_
from khien.core.server import databases, programs, settings
from khien.core.server.progress import Progress, quiet

_FORMAT = 1
_TABLES = """
SELECT c.oid::regclass::text, n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `rows` by table, `files` gives the SHA-256 of each file below `dump/`; UTC."""

    format: int
    product: str
    server: str
    database: str
    created_at: str
    rows: dict[str, int]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())


def backup(target: Path, progress: Progress = quiet) -> Manifest:
    """Write a backup of the database to the new folder `target`, while others go on working.

    Complete or not there at all: it gets its name last. Raises BadInput if `target` exists, Unavailable.
    """
    target = target.absolute()
    if target.exists():
        raise BadInput(N_("{path} exists already; a backup never writes over anything."), path=target)
    unfinished = target.with_name(f"{target.name}.unfinished")
    with _writing(unfinished):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
    try:
        try:
            manifest = _dump(unfinished, progress)
        except psycopg.OperationalError as failure:  # a full disk, a server that was stopped
            raise Unavailable(N_("The backup failed: {reason}"), reason=str(failure).splitlines()[0]) from failure
        with _writing(unfinished):
            (unfinished / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1, ensure_ascii=False))
            unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return manifest


def restore(source: Path, *, replace: bool = False, progress: Progress = quiet) -> Manifest:
    """Restore the backup in `source`. It is built beside and put in place only when every table has all its rows.

    Raises BadInput for a damaged backup, Refused where the database holds data and `replace` is not given.
    """
    manifest = read_manifest(source)
    name = databases.current_name()
    if not replace and _has_tables(name):
        raise Refused(
            N_("The database {name} holds data. Use --replace to put the backup in its place."),
            rule="database_not_empty",
            name=name,
        )
    _check_files(source, manifest, progress)
    beside = f"{name}_restoring"
    databases.drop_database(beside)
    try:
        databases.create_database(beside)
        _load(source, beside, len(manifest.rows), progress)
        _compare(manifest, beside, progress)
        _put_in_place(beside, name)
    except BaseException:
        databases.drop_database(beside)
        raise
    return manifest


def read_manifest(source: Path) -> Manifest:
    """The manifest of a backup. Raises BadInput if there is none that can be read."""
    try:
        manifest = Manifest(**json.loads((source / "manifest.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError) as failure:
        raise BadInput(N_("{path} is not a complete backup: it has no readable manifest."), path=source) from failure
    if manifest.format != _FORMAT:
        raise BadInput(
            N_("{path} was written by another version of Khiên ({product})."), path=source, product=manifest.product
        )
    return manifest


def _dump(folder: Path, progress: Progress) -> Manifest:
    name = databases.current_name()
    with databases.connect_admin(name) as connection:
        _must_see_all_rows(connection)
        # One snapshot for the counts and for every process of pg_dump.
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = str(connection.execute("SELECT pg_export_snapshot()").fetchone()[0])  # type: ignore[index]
        rows = _count(connection, progress)
        done = 0

        def heard(line: str) -> None:
            nonlocal done
            if "dumping contents of table" in line:
                done += 1
                progress(N_("Writing tables"), done=done, total=len(rows))

        code, said = programs.run(
            "pg_dump",
            name,
            "--format=directory",
            f"--file={folder / 'dump'}",
            f"--jobs={settings.cores()}",
            f"--snapshot={snapshot}",
            "--compress=gzip:4",
            "--verbose",
            heard=heard,
        )
        server = connection.info.parameter_status("server_version") or ""
    if code != 0:
        raise Unavailable(N_("The backup failed: {reason}"), reason=programs.reason(said))
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")  # a label of the file, decides nothing
    files = {
        p.name: _digest(p) for p in _progressing(sorted((folder / "dump").iterdir()), N_("Sealing files"), progress)
    }
    return Manifest(_FORMAT, version("khien"), server, name, now, rows, files)


def _must_see_all_rows(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
    if not (found and found[0]):
        raise Unavailable(N_("A backup needs a login that row-level security does not limit (superuser or BYPASSRLS)."))


def _count(connection: psycopg.Connection[Any], progress: Progress) -> dict[str, int]:
    """Rows of every table, in the connection's own snapshot."""
    tables = connection.execute(_TABLES).fetchall()
    counts = {}
    for name, schema, table in _progressing(tables, N_("Counting rows"), progress):
        query = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, table))
        counts[name] = int(connection.execute(query).fetchone()[0])  # type: ignore[index]
    return counts


def _has_tables(name: str) -> bool:
    with databases.connect_admin(name) as connection:
        return bool(connection.execute(_TABLES).fetchall())


def _check_files(source: Path, manifest: Manifest, progress: Progress) -> None:
    present = {p.name for p in (source / "dump").glob("*")}
    for name, digest in _progressing(sorted(manifest.files.items()), N_("Checking files"), progress):
        if name not in present or _digest(source / "dump" / name) != digest:
            raise BadInput(N_("The backup is damaged: {file} is missing or not as it was written."), file=name)


def _load(source: Path, database: str, tables: int, progress: Progress) -> None:
    done = 0

    def heard(line: str) -> None:
        nonlocal done
        if "processing data for table" in line:
            done += 1
            progress(N_("Reading tables"), done=done, total=tables)
        elif "creating INDEX" in line or "creating CONSTRAINT" in line:
            progress(N_("Building indexes and constraints"))

    code, said = programs.run(
        "pg_restore",
        database,
        f"--jobs={settings.cores()}",
        "--exit-on-error",
        "--verbose",
        source / "dump",
        heard=heard,
    )
    if code != 0:
        raise Unavailable(N_("The restore failed, nothing was changed: {reason}"), reason=programs.reason(said))


def _compare(manifest: Manifest, database: str, progress: Progress) -> None:
    with databases.connect_admin(database) as connection:
        found = _count(connection, progress)
        connection.execute("ANALYZE")
    different = sorted(
        name for name in manifest.rows.keys() | found.keys() if manifest.rows.get(name) != found.get(name)
    )
    if different:
        raise Unavailable(
            N_("The restore failed, nothing was changed: {reason}"), reason="row count of " + ", ".join(different[:5])
        )


def _put_in_place(beside: str, name: str) -> None:
    """Give the finished database its name. The old one stays under another name until the new one has its own."""
    old = f"{name}_replaced"
    databases.drop_database(old)
    rename, allow = sql.SQL("ALTER DATABASE {} RENAME TO {}"), sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with databases.alone() as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            with connection.transaction():
                connection.execute(rename.format(sql.Identifier(name), sql.Identifier(old)))
                connection.execute(rename.format(sql.Identifier(beside), sql.Identifier(name)))
        except BaseException:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
            raise
    databases.drop_database(old)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _progressing(items: list[Any], message: str, progress: Progress) -> Iterator[Any]:
    for done, item in enumerate(items, start=1):
        progress(message, done=done, total=len(items))
        yield item


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        full = failure.errno == errno.ENOSPC
        raise Unavailable(
            N_("Cannot write the backup to {path}: {reason}."),
            code="disk_full" if full else "not_writable",
            path=folder.parent,
            reason=system_reason(failure),
        ) from failure
