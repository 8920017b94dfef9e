"""Proposed grades of every commune with the figures behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from khien.core.session import Session
from khien.core.sql import Queries
from khien.zones.rules import grading
from khien.zones.rules.grading import Cases, Facts, Proposal

_q = Queries("khien.zones")


@dataclass(frozen=True, slots=True)
class Graded:
    """One commune's proposal and everything it was made from."""

    unit_id: int
    code: str
    name: str
    within: str
    facts: Facts
    proposal: Proposal


def proposals(
    session: Session, on: dt.date, *, scheme: str | None = None, basis: str = "week", disease: str = "covid-19",
    area: str | None = None,
) -> list[Graded]:  # fmt: skip
    """A grade for every commune of a day within the actor's area, or within `area` (a multirange of unit ids).

    Only what was reported by that day counts. Figures of people are of all residents, whoever asks. Raises WrongUsage.
    """
    session.actor.must("zone.grade")
    rules = grading.scheme(on, scheme)
    days = grading.basis_days(basis)
    rows = session.rows(
        _q.grade_facts, on=on, days=days, late_after=grading.counting(on)["late_after_days"], disease=disease,
        adults_born=_birthday(on, rules["adult_age"]), old_born=_birthday(on, grading.old_rule(rules, on)["age"]),
        area=area or session.actor.area,
    )  # fmt: skip
    found = []
    for row in rows:
        facts = _facts(row, days)
        named = (row["unit_id"], row["code"], row["name"], row["within"])
        found.append(Graded(*named, facts, grading.propose(facts, on, rules)))
    return found


def _facts(row: dict[str, Any], days: int) -> Facts:
    return Facts(
        population=row["people"],
        cases=Cases(row["counted"], row["late"], row["spike"], row["usual"]),
        adults=row["adults_dosed"] / row["adults"] if row["adults"] else None,
        old=row["old_complete"] / row["old"] if row["old"] else None,
        capacity=row["capacity"],
        current=row["current"],
        days=days,
    )


def _birthday(on: dt.date, years: int) -> dt.date:
    """The latest birth date of somebody who is `years` old on a day."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return dt.date(on.year - years, 2, 28)


def changed(found: Iterable[Graded]) -> list[Graded]:
    """The communes whose proposed grade is not the one in force."""
    return [g for g in found if g.proposal.grade is not None and g.proposal.grade != g.facts.current]


def as_dict(graded: Graded) -> dict[str, Any]:
    """The proposal with its figures, for JSON."""
    facts, proposal = graded.facts, graded.proposal
    return {
        "unit_id": graded.unit_id, "code": graded.code, "name": graded.name, "within": graded.within,
        "grade": proposal.grade, "current": facts.current, "base": proposal.base, "report": proposal.report,
        "steps": list(proposal.steps), "weekly_rate": proposal.weekly_rate, "population": facts.population,
        "cases": facts.cases.counted, "late": facts.cases.late, "adults": facts.adults, "old": facts.old,
        "capacity": facts.capacity, "days": facts.days,
    }  # fmt: skip
