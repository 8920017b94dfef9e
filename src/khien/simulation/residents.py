"""The people of an epidemic: read from a nation's file, each at the home where they are on a date."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from khien.core.errors import BadInput
from khien.core.i18n import N_
from khien.core.sql import Queries

Ints = NDArray[np.int64]
SQL = Queries("khien.simulation", "extract.sql")


@dataclass(frozen=True, slots=True)
class Residents:
    """Parallel arrays in the order of the file.

    `key` is the personal number, of those without one the sender's key. `commune` indexes `communes` (official codes of
    where people are), `home` numbers the homes: a household together at one place, or an address.
    """

    key: NDArray[np.object_]
    age: Ints
    commune: Ints
    home: Ints
    communes: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.age)


def read(path: Path, on: dt.date) -> Residents:
    """The living and present of a nation's file (CSV or Parquet, register extract) on a date.

    Raises BadInput for a file that is no register extract, or has nobody alive and present.
    """
    with duckdb.connect() as database:
        database.execute("SET threads = 1")
        try:
            text = path.suffix.lower() == ".csv"
            source = database.read_csv(str(path), all_varchar=True) if text else database.read_parquet(str(path))
            source.create_view("people")
            found = database.execute(SQL.people_present, {"on_day": on.isoformat()}).fetchnumpy()
        except duckdb.Error:
            raise BadInput(N_("The file is not a register extract.")) from None
    if not len(found["key"]):
        raise BadInput(N_("Nobody in the file is alive and present on that day."))
    _, home = np.unique(np.asarray(found["home"], dtype=str), return_inverse=True)
    communes, commune = np.unique(np.asarray(found["commune"], dtype=str), return_inverse=True)
    return Residents(
        key=np.asarray(found["key"], dtype=object),
        age=np.asarray(found["age"], dtype=np.int64),
        commune=commune.astype(np.int64),
        home=home.astype(np.int64),
        communes=communes.astype(object),
    )
