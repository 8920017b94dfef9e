"""The one thing the shell itself asks the database."""

from __future__ import annotations

import datetime as dt

from khien.core import pool
from khien.core.sql import Queries

_SQL = Queries("khien.web")


def demo_day() -> dt.date | None:
    """The day a demonstration plays on. No person is read, so no actor is needed. Raises Unavailable."""
    with pool.connection("khien_app") as connection:
        found = connection.execute(_SQL.demo_day).fetchone()
    return found[0] if found else None
