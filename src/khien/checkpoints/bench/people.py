"""A register of any size for measuring, made by SQL within the database: some 100,000 people a second."""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from khien.checkpoints.bench.traffic import Person
from khien.core import config, server
from khien.core.server import databases
from khien.core.server.progress import Progress
from khien.core.sql import Queries

_q = Queries("khien.checkpoints.bench", "people.sql")
_CHUNK = 1_000_000
_FIRST_BIRTH = dt.date(1930, 1, 1)
_TABLES = sql.SQL("person, identifier, dose, device")
_LOADED = sql.SQL("'{person,identifier,personal_card,household,household_member,residence}'")


def use_database(name: str) -> None:
    """Let this process and those it starts use database `name` of the server that is configured."""
    server.ensure_running()
    server.create_database(name)
    os.environ["KHIEN_DATABASE_NAME"] = name
    if url := config.database_url():
        os.environ["KHIEN_DATABASE_URL"] = make_conninfo(url, dbname=name)
    # In a process of its own: Django keeps the database it was first set up with.
    subprocess.run([sys.executable, "-c", "from khien.core.migration import migrate; migrate()"], check=True)  # noqa: S603


def make(people: int, progress: Progress) -> None:
    """Fill an empty register with `people`; keys of the largest tables are built at the end."""
    with closing(_loader()) as loader:
        if loader.execute("SELECT count(*) FROM (SELECT FROM person LIMIT 1) p").fetchone() != (0,):
            return
        loader.execute(_q.master_data)
        loader.execute(_q.names)
        with loader.transaction():
            keys_down = sql.SQL("SELECT khien_load_keys_down({}, false)").format(_LOADED)
            kept = people >= _CHUNK and loader.execute(keys_down).fetchone() == (True,)
            for first in range(1, people + 1, _CHUNK):
                chunk = {"first": first, "last": min(first + _CHUNK - 1, people)}
                for statement in (_q.people, _q.numbers, _q.doses):
                    loader.execute(statement, chunk)
                progress("", done=chunk["last"], total=people)
            if kept:
                progress("")
                loader.execute(sql.SQL("SELECT khien_load_keys_up({})").format(_LOADED))
    with closing(databases.connect_admin(databases.current_name())) as admin:
        admin.execute(sql.SQL("VACUUM (ANALYZE) {}").format(_TABLES))


def enrol(public_key: bytes) -> int:
    """A device of the bench's checkpoint."""
    with closing(_loader()) as loader:
        found = loader.execute(_q.enrol, {"key": public_key}).fetchone()
        assert found
        return int(found[0])


def anybody(people: int, seed: int) -> Iterator[Person]:
    """Random people for ever and what stands on their cards, by the rules of people.sql. The register is not read:
    that would bring just their pages into memory."""
    with closing(_loader()) as loader:
        loader.execute(_q.names)
        names = [name for (name,) in loader.execute(_q.all_names).fetchall()]
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    while True:
        i = dice.randint(1, people)
        born = _FIRST_BIRTH + dt.timedelta(i * 7919 % 33_000)
        yield f"{i * 48_271 % 99_999_999_977:012}", names[i * 31 % len(names)], str(born), ("male", "female")[i % 2]


def _loader() -> psycopg.Connection[Any]:
    return psycopg.connect(config.database_dsn("khien_loader"), autocommit=True)
