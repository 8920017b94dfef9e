"""Pooled connections to the register, one pool a database role."""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from khien.core import config
from khien.core.errors import Unavailable
from khien.core.i18n import N_

_NO_ANSWER = N_("The database does not answer. Is it running? Try: khien db status")
_NOT_PREPARED = N_("The database is not prepared yet. Run: khien db start, then khien db migrate")
_pools: dict[str, ConnectionPool[psycopg.Connection[Any]]] = {}
_making = Lock()
_used: WeakKeyDictionary[psycopg.Connection[Any], float] = WeakKeyDictionary()  # when last, by the monotonic clock
_IDLE_SECONDS = 2.0
AT_ONCE = 0.01  # seconds: as long as it takes to make one
# The pool's own warnings repeat what the error says, many times over.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


def _pool(role: str) -> ConnectionPool[psycopg.Connection[Any]]:
    with _making:
        if role not in _pools:
            _pools[role] = _open(role)
        return _pools[role]


def _check(connection: psycopg.Connection[Any]) -> None:
    """Ask a connection that lay idle whether it still lives; one that was used a moment ago costs no round trip."""
    if time.monotonic() - _used.get(connection, 0.0) > _IDLE_SECONDS:
        ConnectionPool.check_connection(connection)


def _open(role: str) -> ConnectionPool[psycopg.Connection[Any]]:
    """Look first, so that a database that is not there is told at once and in its own words."""
    dsn = config.database_dsn(role)
    try:
        with psycopg.connect(dsn, connect_timeout=5, autocommit=True) as first:
            prepared = first.execute("SELECT to_regclass('public.clock') IS NOT NULL").fetchone()
    except psycopg.OperationalError as failure:
        missing = isinstance(failure, psycopg.errors.InvalidCatalogName) or "does not exist" in str(failure)
        raise Unavailable(_NOT_PREPARED if missing else _NO_ANSWER) from failure
    if prepared != (True,):
        raise Unavailable(_NOT_PREPARED)
    pool = ConnectionPool(
        dsn,
        min_size=0,
        max_size=config.pool_size(),
        timeout=10,
        kwargs={"autocommit": True},
        check=_check if config.check_connections() else None,
        open=True,
    )
    atexit.register(pool.close)
    return pool


@contextmanager
def connection(role: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that logs in as `role`; back to the pool afterwards. Raises Unavailable."""
    try:
        with _pool(role).connection() as borrowed:
            try:
                yield borrowed
            finally:
                _used[borrowed] = time.monotonic()
    except PoolTimeout as failure:
        raise Unavailable(_NO_ANSWER) from failure
    except psycopg.errors.DiskFull as failure:
        raise Unavailable(
            N_("The disk of the database is full; nothing was written. Free some space and try again."),
            code="disk_full",
        ) from failure


@contextmanager
def spare(role: str, *, seconds: float = AT_ONCE) -> Iterator[psycopg.Connection[Any] | None]:
    """A further connection if one is free at once, else None: whoever holds one already must not wait long for another.
    The pool grows meanwhile, so that there may be one the next time."""
    opened = _pool(role)
    try:
        borrowed = opened.getconn(timeout=seconds)
    except PoolTimeout:
        yield None
        return
    try:
        yield borrowed
    finally:
        _used[borrowed] = time.monotonic()
        opened.putconn(borrowed)


def close_all() -> None:
    """Close every pool (tests that move the database, processes that fork)."""
    with _making:
        for pool in _pools.values():
            pool.close()
        _pools.clear()
