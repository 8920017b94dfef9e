"""Who is due on a day: set-based, and yet the engine's own answer.

The database sorts an area's people into kinds that the programme's rules cannot tell apart (`rules/due.py`); the engine
judges one person of each kind; the answer goes back as a temporary table that call lists and counts join.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from khien.core.session import Session
from khien.core.sql import Queries
from khien.vaccination import programmes
from khien.vaccination.evaluation import vaccine_code
from khien.vaccination.rules.due import PER_DAY, Marks
from khien.vaccination.rules.engine import evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.groups import GroupForecast
from khien.vaccination.rules.model import Programme
from khien.vaccination.rules.state import NOT_COMPLETE

SQL = Queries("khien.vaccination", "due.sql")


@lru_cache(maxsize=8)
def _marks(name: str) -> Marks:
    return Marks(programmes.find(name))


def find_due(session: Session, programme: str, area: str, on: dt.date) -> None:
    """Fill the transaction's tables `due_person` and `due_group` for the people present in `area` (an int4multirange).

    Due: a dose whose recommended day has come. Declared doses do not count until they are verified.
    """
    rules, marks = programmes.find(programme), _marks(programme)
    vaccines = _vaccines(rules)
    known = {"products": list(vaccines), "places": list(range(len(vaccines))), "on": on, "area": area}
    days = [row["given_on"].toordinal() for row in session.rows(SQL.days_with_doses, known)]
    births = [dt.date.fromordinal(day) for day in marks.birth_limits({*days, on.toordinal()})]
    session.execute(SQL.drop_due)
    session.execute(SQL.sort_people, {**known, "births": births})
    judged = _Judge(rules, marks, list(vaccines.values()), on.toordinal())
    due = list(_due_kinds(judged, session.rows(SQL.kinds)))
    special = session.rows(SQL.people_with_facts, known)
    session.execute(SQL.add_people, people=[row["person_id"] for row in special])
    due += [(-row["person_id"], group) for row in special for group in judged.alone(row)]
    session.execute(SQL.due_groups)
    session.execute(
        SQL.add_due,
        kind=[kind for kind, _group in due],
        vaccine_group=[g.group for _kind, g in due],
        dose_number=[g.dose_number for _kind, g in due],
        dose_kind=[g.kind for _kind, g in due],
        vaccines=[" ".join(g.vaccines) for _kind, g in due],
        past_due=[g.past_due is not None and g.past_due <= on.toordinal() for _kind, g in due],
    )


def count_due(session: Session) -> list[dict[str, Any]]:
    """After `find_due`: how many people are due, by vaccine group and dose."""
    return session.rows(SQL.count_due)


def due_people(session: Session) -> list[dict[str, Any]]:
    """After `find_due`: each person and dose that is due."""
    return session.rows(SQL.due_people)


def products_of_group(programme: str, group: str) -> list[str]:
    """The products that are vaccines of one of the programme's groups."""
    rules = programmes.find(programme)
    antigens = next(set(g.antigens) for g in rules.groups if g.name == group)
    return [p for p, code in _vaccines(rules).items() if any(span.antigen in antigens for span in rules.vaccines[code])]


def _vaccines(rules: Programme) -> dict[str, str]:
    """The products that are vaccines of the programme: product code to the programme's own code."""
    found = {product: vaccine_code(rules, product) for product in programmes.products()}
    return {product: code for product, code in found.items() if code in rules.vaccines}


class _Judge:
    def __init__(self, rules: Programme, marks: Marks, vaccines: list[str], on: int) -> None:
        self.rules, self.marks, self.vaccines, self.on = rules, marks, vaccines, on
        self._known: dict[Any, list[GroupForecast]] = {}

    def kind(self, birth: int, sex: str, history: tuple[int, ...]) -> list[GroupForecast]:
        key = self.marks.signature(birth, sex, history, self.on)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._due(birth, sex, history, {})
        return found

    def alone(self, row: Mapping[str, Any]) -> list[GroupForecast]:
        facts = {
            code: since and since.toordinal() for code, since in zip(row["codes"], row["since"], strict=True)
        }  # of several, the latest counts: they come in order
        return self._due(row["birth_date"].toordinal(), row["sex"], tuple(row["history"]), facts)

    def _due(
        self, birth: int, sex: str, history: tuple[int, ...], facts: Mapping[str, int | None]
    ) -> list[GroupForecast]:
        doses = tuple(Given(n // PER_DAY, self.vaccines[n % PER_DAY // 2], substandard=bool(n % 2)) for n in history)
        person = Person(birth, self.on, sex if sex in ("male", "female") else "unknown", doses, facts)
        answer = evaluate(self.rules, person)
        return [
            g for g in answer.groups
            if g.status == NOT_COMPLETE and g.recommended is not None and g.recommended <= self.on
        ]  # fmt: skip


def _due_kinds(judge: _Judge, kinds: list[dict[str, Any]]) -> Iterator[tuple[int, GroupForecast]]:
    for row in kinds:
        history = tuple(row["history"])
        for group in judge.kind(row["birth_date"].toordinal(), row["sex"], history):
            yield row["kind"], group
