"""People with residence for tests of zones. All invented."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

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


def pass_by(
    session: Session, person_id: int, to_unit: int, at: dt.datetime, recorded_at: dt.datetime | None = None
) -> None:
    """A passage of a checkpoint in `to_unit`, after which the person is there."""
    session.execute(
        "INSERT INTO checkpoint (code, name, unit_id) VALUES (%(c)s, 'Chốt', %(u)s) ON CONFLICT DO NOTHING",
        c=f"CK-{to_unit}", u=to_unit,
    )  # fmt: skip
    session.execute(
        "INSERT INTO passage (person_id, passed_at, client_id, checkpoint_id, unit_id, direction, to_unit, checked,"
        " recorded_at) SELECT %(p)s, %(at)s, %(id)s, checkpoint_id, unit_id, 'in', unit_id, 'register', %(rec)s"
        " FROM checkpoint WHERE code = %(c)s",
        p=person_id, at=at, id=uuid4(), rec=recorded_at or at, c=f"CK-{to_unit}",
    )  # fmt: skip
