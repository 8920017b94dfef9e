"""Reading the register. Whatever returns an identified person logs it here, in one place (DESIGN §4.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.core.text import fold
from khien.population.rules.documents import normalise
from khien.population.rules.residence import Spell

_q = Queries("khien.population")

PAGE = 50
# A bare given name may be a million people. The first so many in folded order are sorted; more need a narrower search.
_MOST = 5000
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class After:
    """Where the next page of a search begins: `sort` and `person_id` of the last row shown."""

    sort: str
    person_id: int


def find_by_identifier(session: Session, number: str) -> int | None:
    """The person to whom a number belongs today, within the actor's area; None if there is no such person.

    Any kind: personal number, old identity card, passport, insurance, provisional id; spaces and case do not matter.
    None too where one value is two people's (numbers of different kinds): then it identifies nobody.
    """
    found = session.rows(_q.by_identifier, value=normalise(number), today=session.today)
    return int(found[0]["person_id"]) if len(found) == 1 else None


def person_id_of(session: Session, number: str) -> int:
    """Like `find_by_identifier`. Raises NotFound."""
    found = find_by_identifier(session, number)
    if found is None:
        raise NotFound
    return found


def same_person(session: Session, person_id: int) -> list[int]:
    """The record's id and those of the records merged into it. Raises NotFound."""
    ids = [row["person_id"] for row in session.rows(_q.same_person, person_id=person_id)]
    if person_id not in ids:
        raise NotFound
    return ids


def identity(session: Session, person_id: int) -> dict[str, Any]:
    """Who it is, without household and numbers: the keys of `person` in queries.sql. Logged. Raises NotFound."""
    session.actor.must("person.read")
    found = session.row(_q.person, person_id=person_id)
    if found is None:
        raise NotFound
    session.log("person.read", [person_id])
    return found


def person(session: Session, person_id: int, *, masked: bool = False) -> dict[str, Any]:
    """Everything the register says of one person today, and its past residence and versions. Logged. Raises NotFound.

    Keys of `person` in queries.sql, and `identifiers` (kind, value), `cards`, `household` (address, unit_name,
    `members`; None without one), `residence` (kind, unit_name, address, from_day, until_day: the day after the last),
    `versions`. `masked` stars all but the last three characters of numbers.
    """
    found = identity(session, person_id)
    ids, today = same_person(session, person_id), session.today
    household = session.row(_q.household, person_id=person_id, today=today)
    if household is not None:
        members = session.rows(_q.members, household_id=household["household_id"], today=today)
        household["members"] = members
        # The household's page shows the others too: they were read as well.
        session.log(
            "person.read", [m["person_id"] for m in members if m["person_id"] != person_id], through="household"
        )
    record = {
        **found,
        "identifiers": session.rows(_q.identifiers, ids=ids, today=today),
        "cards": session.rows(_q.cards, ids=ids),
        "household": household,
        "residence": session.rows(_q.residence, ids=ids),
        "versions": session.rows(_q.versions, ids=ids),
    }
    return _masked(record) if masked else record


def _masked(record: dict[str, Any]) -> dict[str, Any]:
    identifiers = [{**one, "value": mask(one["value"])} for one in record["identifiers"]]
    cards = [{**one, "card_number": mask(one["card_number"])} for one in record["cards"]]
    return {**record, "identifiers": identifiers, "cards": cards}


def mask(number: str) -> str:
    """All but the last three characters starred."""
    return "*" * max(len(number) - 3, 0) + number[-3:]


def search(
    session: Session,
    name: str,
    *,
    birth_year: int | None = None,
    unit_id: int | None = None,
    after: After | None = None,
    page: int = PAGE,
) -> list[dict[str, Any]]:
    """People by name, in Vietnamese order (given name first), a page at a time. Logged.

    One word is the beginning of the given name. Of several, the last is the given name as people write it and the
    others stand somewhere in the name: "Ví Dụ" and "Nguyễn Thị Ví Dụ" find the same person. Accents and case do not
    matter. `unit_id`: who lives or is in this unit. Raises BadInput for a name without letters.
    """
    session.actor.must("person.search")
    words = fold(name).split()
    if not words:
        message = N_("Type a name.")
        raise BadInput(message, faults=(Fault("name", message),))
    given, others = words[-1], words[:-1]
    prefix = f"{given} " if others else given
    span = session.row(_q.unit_span, unit_id=unit_id) if unit_id is not None else None
    rows = session.rows(
        _q.search,
        prefix=prefix, beyond=prefix + _LAST_CHARACTER, words=others, most=_MOST, page=page,
        born_from=dt.date(birth_year, 1, 1) if birth_year else None,
        born_before=dt.date(birth_year + 1, 1, 1) if birth_year else None,
        unit_first=span["unit_id"] if span else unit_id, unit_last=span["last_id"] if span else unit_id,
        after_sort=after.sort if after else None, after_id=after.person_id if after else None,
    )  # fmt: skip
    if rows:
        session.log("person.search", [row["person_id"] for row in rows])
    return rows


def spells(session: Session, person_id: int) -> tuple[Spell, ...]:
    """A person's residence as the rules know it, in order of its start."""
    rows = session.rows(_q.residence, ids=[person_id])
    found = (Spell(r["kind"], r["unit_id"], r["from_day"] or dt.date.min, r["until_day"], r["address"]) for r in rows)
    return tuple(sorted(found, key=lambda s: (s.start, s.kind)))


def changes(session: Session, person_id: int, limit: int = 5) -> list[dict[str, Any]]:
    """What was entered lately about residence and household: change_id, subject, at, account, undone_at, last."""
    return session.rows(_q.changes, person_id=person_id, limit=limit)


def household_of(session: Session, person_id: int) -> dict[str, Any] | None:
    """The household somebody belongs to now: household_id, relation, unit_id, address. None without one."""
    return session.row(_q.household_of, person_id=person_id)
