"""People with residence for tests of zones. All invented."""

from __future__ import annotations

import datetime as dt
from typing import Any

from khien.core.session import Session
from khien.zones import store
from khien.zones.rules.area import Area
from tests.register import NORTH, add_person


def units(session: Session, *ids: int) -> Area:
    return store.area_of_units(session, ids)


def reside(
    session: Session, person_id: int, unit: int = NORTH, kind: str = "permanent", start: str | dt.date = "2010-01-01",
    end: str | dt.date | None = None, address: str = "Số 1",
) -> None:  # fmt: skip
    session.execute(
        "INSERT INTO residence (person_id, kind, unit_id, address, valid) VALUES"
        " (%(p)s, %(k)s::residence_kind, %(u)s, %(a)s, daterange(%(s)s::date, %(e)s::date))",
        p=person_id, k=kind, u=unit, a=address, s=start, e=end,
    )  # fmt: skip


def resident(session: Session, person_id: int, unit: int = NORTH, **fields: Any) -> int:
    """A person with permanent residence in `unit`."""
    add_person(session, person_id, unit=unit, **fields)
    reside(session, person_id, unit)
    return person_id
