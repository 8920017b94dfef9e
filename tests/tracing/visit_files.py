"""Files of visits, and three people for them to be about."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any, LiteralString

from khien.core.session import begin
from tests.register import set_today
from tests.tracing.town import ALL, add_people, number

HEAD = ("personal_number", "place", "from", "to", "source")
GOOD = (number(1), "M1", "2021-08-01T08:00", "2021-08-01T09:00", "guest")


class Town:
    """Three people, committed: the loader has connections of its own."""

    def __init__(self) -> None:
        with begin(ALL) as session:
            add_people(session, 3)
            set_today(session, dt.date(2021, 8, 20))

    def value(self, query: LiteralString) -> Any:
        with begin(ALL) as session:
            return session.value(query)

    def rows(self, query: LiteralString) -> list[dict[str, Any]]:
        with begin(ALL) as session:
            return session.rows(query)


def write(path: Path, *rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path
