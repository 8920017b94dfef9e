"""The demonstration's checkpoints at work: identities checked through the real action, most of which are right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from khien.access import actions as access
from khien.checkpoints import actions as checkpoints
from khien.checkpoints.rules.declared import Declared, read
from khien.core.actor import Actor, machine
from khien.core.session import begin
from khien.core.sql import Queries
from khien.territory import store as units

_sql = Queries("khien.simulation", "zones.sql")
_POSTS, _EACH = 5, 60  # so many checkpoints check identities, so many each


def check_identities(by: Actor, district_code: str, born: dt.date) -> None:
    """Checks at some checkpoints, each run by an agency of its own. Nothing where it was done before."""
    with begin(by) as session:
        district = units.find(session, district_code, born)
        communes = units.subtree(session, district["unit_id"], level=3, on=born)[1 : 1 + _POSTS]
        if not communes or session.value(_sql.agency_of, code=_code(communes[0])):
            return
    for at, commune in enumerate(communes):
        agency = access.add_agency(
            by=by, code=_code(commune), name=f"Chốt kiểm soát {commune['name']}, {district['name']}", kind="checkpoint",
            unit_id=commune["unit_id"],
        )  # fmt: skip
        with begin(by) as session:
            people = session.rows(_sql.presented, unit=commune["unit_id"], many=_EACH - 7 * at)
        if people:
            officer = replace(machine("movement-control", "identity.check"), agency_id=agency)
            checkpoints.check_identities(by=officer, declared=[_declared(n, people) for n in range(len(people))])


def _code(commune: dict[str, Any]) -> str:
    return f"chot-{commune['code']}"


def _declared(n: int, people: Sequence[dict[str, Any]]) -> Declared:
    """What is held out: usually the truth; now and then a borrowed name, a wrong year, a number that nobody has."""
    person = people[n]
    number, name, birth = person["number"], person["name"], person["birth_date"]
    if n % 11 == 5:
        name = people[n - 1]["name"]
    elif n % 17 == 9:
        birth = birth.replace(year=birth.year - 3, day=min(birth.day, 28))
    elif n % 23 == 12:
        number = number[:-6] + "999999"
    elif n % 29 == 20:
        number = number[:-1]
    return read({"number": number, "name": name, "birth_date": birth.isoformat()})
