"""A tiny country for tests: two communes and people in them. All numbers and names are invented."""

from __future__ import annotations

import datetime as dt
from typing import Any

from khien.core.session import Session

COUNTRY, NORTH, SOUTH = 900_000_000, 900_000_001, 900_000_002  # ids far from the units that ship


def add_country(session: Session) -> None:
    """One country with two communes. Safe to call again."""
    session.execute(
        "INSERT INTO unit_system (system, country, first_id, source, version)"
        " VALUES ('TEST', '', 900000000, 'tests', '1') ON CONFLICT DO NOTHING"
    )
    session.execute(
        "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid)"
        " VALUES (900000000, 900000002, 'TEST', 'T', 0, 'country', 'Nước Thử', 'nuoc thu', NULL, '[2000-01-01,)'),"
        " (900000001, 900000001, 'TEST', 'T1', 3, 'xa', 'Xã Bắc', 'xa bac', 900000000, '[2000-01-01,)'),"
        " (900000002, 900000002, 'TEST', 'T2', 3, 'xa', 'Xã Nam', 'xa nam', 900000000, '[2000-01-01,)')"
        " ON CONFLICT DO NOTHING"
    )


def add_person(session: Session, person_id: int, *, unit: int = NORTH, **fields: Any) -> int:
    """A person who lives in `unit`, born 1990-01-15 unless told otherwise."""
    values: dict[str, Any] = {
        "person_id": person_id, "name": "Nguyễn Thị Ví Dụ", "birth_date": dt.date(1990, 1, 15), "sex": "female",
        "home_unit": unit, "present_unit": unit, "died_on": None,
    } | fields  # fmt: skip
    session.execute(
        "INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit, died_on)"
        " VALUES (%(person_id)s, %(name)s, khien_name_key(%(name)s), %(birth_date)s, %(sex)s, %(home_unit)s,"
        " %(present_unit)s, %(died_on)s)",
        values,
    )
    return person_id


def add_vaccines(session: Session) -> None:
    """Two vaccines of two doses and one of one dose; a site in the northern commune; one lot of each."""
    session.execute(
        "INSERT INTO vaccine_product (product, name, disease, licensed_on, primary_doses) VALUES"
        " ('alpha', 'Alpha', 'covid-19', '2021-02-01', 2), ('beta', 'Beta', 'covid-19', '2021-06-01', 2),"
        " ('solo', 'Solo', 'covid-19', '2021-07-01', 1)"
    )
    session.execute("INSERT INTO site (code, name, unit_id) VALUES ('S1', 'Trạm Bắc', 900000001)")
    session.execute(
        "INSERT INTO lot (product, lot_number, arrived_on, expires_on) VALUES"
        " ('alpha', 'A1', '2021-03-01', '2021-12-31'), ('beta', 'B1', '2021-06-15', '2022-01-31'),"
        " ('solo', 'J1', '2021-07-15', '2022-01-31')"
    )


def set_today(session: Session, day: dt.date) -> None:
    """Let decisions be taken as on `day`, within the test's transaction."""
    session.execute("UPDATE clock SET demo_on = %(day)s", day=day)
    session._now = None
