"""Pooled connections to the register, one pool a database role."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_


@cache
def _pool(role: str) -> ConnectionPool[psycopg.Connection[Any]]:
    pool = ConnectionPool(
        config.database_dsn(role),
        min_size=0,
        max_size=config.pool_size(),
        timeout=10,
        kwargs={"autocommit": True},
        check=ConnectionPool.check_connection if config.check_connections() else None,
        open=True,
    )
    atexit.register(pool.close)
    return pool


@contextmanager
def connection(role: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that logs in as `role`; back to the pool afterwards. Raises Unavailable."""
    try:
        with _pool(role).connection() as borrowed:
            yield borrowed
    except PoolTimeout as failure:
        raise Unavailable(N_("The database does not answer. Is it running? Try: khien db status")) from failure
    except psycopg.errors.DiskFull as failure:
        raise Unavailable(
            N_("The disk of the database is full; nothing was written. Free some space and try again."),
            code="disk_full",
        ) from failure


def close_all() -> None:
    """Close every pool (tests that move the database, processes that fork)."""
    for role in ("khien_app", "khien_door", "khien_loader", "khien_owner"):
        _pool(role).close()
    _pool.cache_clear()
