"""Who is due on a day: set-based, and yet the engine's own answer.

The database sorts an area's people into kinds that the programme's rules cannot tell apart (`rules/due.py`); the engine
judges one person of each kind; the answer goes back as a temporary table that call lists and counts join. What a past
looks like to the rules is kept a person (`due.history`) and brought up to date whenever somebody asks: no writer of
doses has to think of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

from psycopg.types.json import Jsonb

from khien.core.actor import Actor
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.vaccination import programmes
from khien.vaccination.evaluation import vaccine_code
from khien.vaccination.rules.due import Marks
from khien.vaccination.rules.engine import evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.groups import GroupForecast
from khien.vaccination.rules.model import Programme
from khien.vaccination.rules.state import NOT_COMPLETE

SQL = Queries("khien.vaccination", "due.sql")
_BLOCK = 500_000  # people whose past is built in one statement
_FIRST = 20_000  # the same of the first statement: it finds nearly all days on which doses were given


def find_due(session: Session, programme: str, area: str, on: dt.date, *, vaccine_group: str | None = None) -> None:
    """Fill the transaction's tables `due_person` (everybody present in `area` and alive, with the kind of people he or
    she is of) and `due_group` (what people of a kind are due for).

    `area`: an int4multirange of units; what lies outside the actor's own is left out. Due: a dose whose recommended
    day has come. Declared doses do not count until they are verified. `vaccine_group`: only those due for this one.
    """
    rules = _rules(programme)
    own = session.value("SELECT %(area)s::int4multirange * %(own)s::int4multirange", area=area, own=session.actor.area)
    known = {**rules.parameters(on), "area": own}
    _catch_up(session, rules, known)
    kinds = _sorted(session, known)
    if any(row["kind"] is None for row in kinds):
        _build(session, rules, known, None)
        kinds = _sorted(session, known)
    people = {row["kind"]: row["people"] for row in kinds}
    due = [
        (kind, group)
        for kind, groups in _judged(session, rules, known, kinds).items()
        for group in groups
        if vaccine_group is None or group.group == vaccine_group
    ]
    session.execute(SQL.drop_due)
    session.execute(SQL.due_groups)
    session.execute(
        SQL.add_due,
        kind=[kind for kind, _group in due],
        vaccine_group=[g.group for _kind, g in due],
        dose_number=[g.dose_number for _kind, g in due],
        dose_kind=[g.kind for _kind, g in due],
        vaccines=[" ".join(g.vaccines) for _kind, g in due],
        # The day itself is the last on which the dose is in time.
        past_due=[g.past_due is not None and g.past_due < on.toordinal() for _kind, g in due],
        people=[people[kind] for kind, _group in due],
    )


def keep_up(by: Actor, programme: str) -> int:
    """Bring what is kept of everybody's past up to date, in the actor's area: at night and after a load, so that nobody
    who asks has to wait for it. Block by block, each in a transaction of its own: whoever asks meanwhile waits for one
    block at most. How many people were looked at."""
    rules = _rules(programme)
    looked_at, most = 0, _FIRST
    while True:
        with begin(by) as session:
            known = {**rules.parameters(session.today), "area": by.area}
            if most == _FIRST:
                looked_at += _catch_up(session, rules, known, noted=True)
            else:
                _find(session, rules, known)
            found, complete = _step(session, rules, known, None, most)
        looked_at += found
        if complete and found < most:
            return looked_at
        most = _BLOCK


def count_due(session: Session) -> list[dict[str, Any]]:
    """After `find_due`: how many people are due, by vaccine group and dose."""
    return session.rows(SQL.count_due)


def due_people(session: Session) -> list[dict[str, Any]]:
    """After `find_due`: each person and dose that is due, by commune."""
    return session.rows(SQL.due_people)


def due_page(
    session: Session, programme: str, area: str, on: dt.date, *,
    vaccine_group: str | None = None, after: tuple[int, int] = (0, 0), people: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """The next `people` or more who are due, by commune and number, after a (unit_id, person_id).

    One row a person and dose. Looks at one commune after another, so that the first rows of a province come at once.
    """
    found: list[dict[str, Any]] = []
    unit = session.value(SQL.next_unit, area=area, unit=after[0])
    while unit is not None and len({row["person_id"] for row in found}) < people:
        find_due(session, programme, f"{{[{unit},{unit + 1})}}", on, vaccine_group=vaccine_group)
        rows = due_people(session)
        found += [row for row in rows if (unit, row["person_id"]) > after]
        unit = session.value(SQL.next_unit, area=area, unit=unit + 1)
    wanted = list(dict.fromkeys(row["person_id"] for row in found))[:people]
    return [row for row in found if row["person_id"] in wanted]


def forget() -> None:
    """Judge every kind of people anew (for measuring)."""
    _answers.cache_clear()


def products_of_group(programme: str, group: str) -> list[str]:
    """The products that are vaccines of one of the programme's groups."""
    rules = programmes.find(programme)
    antigens = next(set(g.antigens) for g in rules.groups if g.name == group)
    return [p for p, code in _vaccines(rules).items() if any(span.antigen in antigens for span in rules.vaccines[code])]


def _vaccines(rules: Programme) -> dict[str, str]:
    """The products that are vaccines of the programme: product code to the programme's own code."""
    found = {product: vaccine_code(rules, product) for product in programmes.products()}
    return {product: code for product, code in found.items() if code in rules.vaccines}


class _Rules:
    """A programme as this module needs it."""

    def __init__(self, name: str) -> None:
        self.name, self.programme = name, programmes.find(name)
        self.marks = Marks(self.programme)
        vaccines = _vaccines(self.programme)
        self.products, self.vaccines = list(vaccines), list(vaccines.values())

    @cached_property
    def digest(self) -> str:
        return f"{self.marks.digest} {' '.join(self.products)}"

    def parameters(self, on: dt.date) -> dict[str, Any]:
        day = on.toordinal()
        return {
            "programme": self.name, "rules": self.digest, "on": on, "products": self.products,
            "places": list(range(len(self.products))),
            "codes": self.marks.codes, "by_sex": self.marks.by_sex, "marks": _dates(self.marks.days),
            "births": _dates(self.marks.births_asked(day)), "starts": _dates(self.marks.starts_asked(day)),
        }  # fmt: skip


@lru_cache(maxsize=8)
def _rules(name: str) -> _Rules:
    return _Rules(name)


def _dates(days: Iterable[int]) -> list[dt.date]:
    return [dt.date.fromordinal(day) for day in days]


def _sorted(session: Session, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    session.execute(SQL.sort, known)
    return session.rows(SQL.kinds)


def _find(session: Session, rules: _Rules, known: dict[str, Any]) -> dt.datetime:
    """Find the programme; until when the doses that were recorded or corrected are taken note of."""
    found = session.row(SQL.programme, known)
    if found is None or found["rules"] != rules.digest:
        found = session.row(SQL.put_programme, known)
    assert found is not None
    known |= {"programme_id": found["programme_id"], "revision": found["revision"]}
    seen_until: dt.datetime = found["seen_until"]
    return seen_until


def _catch_up(session: Session, rules: _Rules, known: dict[str, Any], *, noted: bool = False) -> int:
    """Take note of the doses that were recorded or corrected since somebody asked last.

    `noted`: remember the moment even if there were none; a question does not, since it would write each time.
    """
    seen_until = _find(session, rules, known)
    moment = session.value(SQL.moment)
    looked_at = _build(session, rules, known, seen_until)
    if looked_at or noted:
        session.execute(SQL.set_seen, programme_id=known["programme_id"], moment=moment)
    return looked_at


def _build(session: Session, rules: _Rules, known: Mapping[str, Any], since: dt.datetime | None) -> int:
    """Build what is missing, or what changed since a moment; how many people were looked at."""
    looked_at, most = 0, _FIRST if since is None else None
    while True:
        found, complete = _step(session, rules, known, since, most)
        looked_at += found
        if complete and (most is None or found < most):
            return looked_at
        if most is not None:
            most = _BLOCK


def _step(
    session: Session, rules: _Rules, known: Mapping[str, Any], since: dt.datetime | None, most: int | None
) -> tuple[int, bool]:
    """Build `most` people; how many were looked at, and whether all of them are built: those with a dose on a day whose
    limits were not there yet are next time."""
    done = session.row(SQL.build, known, since=since, most=most)
    assert done is not None
    if done["missing"]:
        limits = [
            {"day": str(day), "births": _texts(rules.marks.births(n)), "starts": _texts(rules.marks.starts(n))}
            for day in done["missing"]
            for n in (day.toordinal(),)
        ]
        session.execute(SQL.put_days, known, rows=Jsonb(limits))
    return done["found"], not done["missing"]


def _texts(days: Iterable[int]) -> list[str]:
    return [str(day) for day in _dates(days)]


@lru_cache(maxsize=8)
def _answers(digest: str, programme: str, on: dt.date) -> dict[int, tuple[GroupForecast, ...]]:
    """What was found for kinds of people on a day. A kind's number is made of its past and the limits alone."""
    return {}


def _judged(
    session: Session, rules: _Rules, known: Mapping[str, Any], kinds: Iterable[Mapping[str, Any]]
) -> dict[int, tuple[GroupForecast, ...]]:
    answers = _answers(rules.digest, rules.name, known["on"])
    new = {row["person_id"]: row["kind"] for row in kinds if row["kind"] not in answers}
    if new:
        for row in session.rows(SQL.examples, known, people=list(new)):
            answers[new[row["person_id"]]] = tuple(_due(rules, row, known["on"].toordinal()))
    return {row["kind"]: answers[row["kind"]] for row in kinds}


def _due(rules: _Rules, row: Mapping[str, Any], on: int) -> Iterator[GroupForecast]:
    doses = tuple(
        Given(day.toordinal(), rules.vaccines[what // 2], substandard=bool(what % 2))
        for day, what in zip(row["days"], row["whats"], strict=True)
    )
    facts = dict(zip(row["codes_known"] or (), (d and d.toordinal() for d in row["since"] or ()), strict=True))
    sex = row["sex"] if row["sex"] in ("male", "female") else "unknown"
    for group in evaluate(rules.programme, Person(row["birth_date"].toordinal(), on, sex, doses, facts)).groups:
        if group.status == NOT_COMPLETE and group.recommended is not None and group.recommended <= on:
            yield group
