"""What the schedule says of a person of the register."""

from __future__ import annotations

import datetime as dt
from typing import Any

from khien import rulebook
from khien.core.session import Session
from khien.population import store as population
from khien.vaccination import programmes, schedule
from khien.vaccination.store.desk import SQL


def course(
    session: Session, person_id: int, programme: str, *, language: str, on: dt.date | None = None
) -> dict[str, Any]:
    """The person's doses judged and the next ones, today or as seen on a day; declared doses wait apart. Logged.

    Raises NotFound, also outside the actor's scope.
    """
    session.actor.must("dose.read")
    person = population.identity(session, person_id)
    session.log("dose.read", [person_id])
    day = on or session.today
    return schedule.course(
        programme, day, birth_date=person["birth_date"], sex=person["sex"], language=language,
        doses=[d for d in session.rows(SQL.doses_that_stand, person_id=person_id) if d["given_on"] <= day],
        facts=session.rows(SQL.facts_of_person, person_id=person_id, on=day),
    )  # fmt: skip


def courses(session: Session, person_id: int, *, language: str) -> list[dict[str, Any]]:
    """For the person's page: what is next by each shipped programme that has anything due, the soonest first.

    Rows: programme (its title) and the fields of a forecast by vaccine group.
    """
    found = []
    # What was due ten years ago and never given belongs to another age: no adult is called for a dose of infancy.
    oldest = (session.today - dt.timedelta(days=3653)).isoformat()
    for name in programmes.shipped():
        told = course(session, person_id, name, language=language)
        title = programmes.find(name).title.get(language, name)
        found += [
            {"programme": title, **group, "group": rulebook.named(group["group"], language)}
            for group in told["forecast"]
            if _asks(group, oldest)
        ]
    return sorted(found, key=lambda row: (row["recommended"] or "", row["group"]))


def _asks(group: dict[str, Any], oldest: str) -> bool:
    return group["status"] == "not_complete" and (group["recommended"] or "") >= oldest
