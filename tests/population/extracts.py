"""Small register extracts for the loader's tests. All invented; the communes are those of tests.register."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

from khien.core.actor import machine
from khien.core.session import begin
from khien.population.load.columns import NAMES
from khien.population.load.loader import Loaded, load_extract
from tests.register import add_country

AS_OF = dt.date(2021, 9, 1)
LOADER = machine("test", "person.load")


def ready() -> None:
    """The tests' country, committed."""
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)


def row(**fields: str) -> dict[str, str]:
    """A good row: give what differs."""
    return {
        "personal_number": "001190000001", "name": "Nguyễn Thị Ví Dụ", "birth_date": "1990-01-15", "sex": "female",
        "commune": "T1", "address": "Số 1, phố Thử",
    } | fields  # fmt: skip


def write(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = NAMES, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(path: Path, **options: Any) -> Loaded:
    return load_extract(path, by=LOADER, **{"as_of": AS_OF, **options})


def rejects(loaded: Loaded) -> list[tuple[int, str, str]]:
    """(line, field, reason in English) of the rejects file."""
    if loaded.rejects is None:
        return []
    with loaded.rejects.open(encoding="utf-8", newline="") as stream:
        return [(int(r["line"]), r["field"], r["reason_en"]) for r in csv.DictReader(stream)]


def register(*queries: str) -> list[Any]:
    """What stands in the register, as rows of the loader, who sees everything."""
    with begin(machine("test", "*"), role="khien_loader") as session:
        return [session.connection.execute(query).fetchall() for query in queries]  # type: ignore[call-overload]


def everything() -> list[Any]:
    """All rows of the register but the times at which they were written."""
    return register(
        "SELECT person_id, name, name_key, birth_date, birth_precision, sex, home_unit, present_unit, died_on"
        " FROM person ORDER BY 1",
        "SELECT * FROM identifier ORDER BY 1, 2",
        "SELECT * FROM personal_card ORDER BY 1, 2",
        "SELECT * FROM household ORDER BY 1",
        "SELECT * FROM household_member ORDER BY 1, 2, 4",
        "SELECT * FROM residence ORDER BY 1, 2, 5",
    )
