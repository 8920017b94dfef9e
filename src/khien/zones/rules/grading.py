"""Which grade a commune gets, and why: by the scheme of the day (rulebook/zones/grades.toml)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from khien import rulebook
from khien.core.errors import WrongUsage
from khien.core.i18n import N_

Report = Literal["normal", "anomalous"]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cases:
    """New community cases of one commune up to a day, over the days of the basis (7 or 14).

    `counted` were reported in those days and fell ill at most `late_after_days` before (or on a day not known); `late`
    were reported in them but fell ill earlier. `spike` is the largest number without a day of onset that one of these
    days reported, `usual` the mean of such cases a day over the 28 days before them.
    """

    counted: int
    late: int = 0
    spike: int = 0
    usual: float = 0.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a commune on a day. Shares 0 to 1, None where nobody is of that age; `days` of the cases.

    `capacity`: whether patients can be treated, None if nobody reported. `current`: the grade in force, if any.
    """

    population: int
    cases: Cases
    adults: float | None
    old: float | None
    capacity: bool | None = None
    current: int | None = None
    days: int = 7


@dataclass(frozen=True, slots=True)
class Proposal:
    """`grade` None: the scheme gives none. `base` is the grade of the matrix before anything else; `steps` name, in
    order, what changed or held it: old_people, capacity, anomalous_report, no_thresholds, nobody_lives_here."""

    grade: int | None
    base: int | None
    weekly_rate: float | None  # per 100,000 a week
    report: Report = "normal"
    steps: tuple[str, ...] = field(default=())


def scheme(on: dt.date, wanted: str | None = None) -> Entry:
    """The scheme in force on a day, before the first one the first, or the one named. Raises WrongUsage."""
    schemes = rulebook.load("zones", "grades")["scheme"]
    if wanted is not None:
        found = [s for s in schemes if s["id"] == wanted]
        if not found:
            raise WrongUsage(N_("There is no scheme of grades {name}."), name=wanted)
        return found[0]
    current = rulebook.in_force(schemes, on)
    return current[-1] if current else schemes[0]


def counting(on: dt.date) -> Entry:
    """How cases are counted on a day."""
    return rulebook.in_force(rulebook.load("zones", "grades")["counting"], on)[-1]


def basis_days(name: str) -> int:
    """Days over which cases are counted: "week" or "fortnight". Raises WrongUsage."""
    for entry in rulebook.load("zones", "grades")["basis"]:
        if entry["id"] == name:
            return int(entry["days"])
    raise WrongUsage(N_("Cases are counted over a week or a fortnight."))


def old_rule(rules: Entry, on: dt.date) -> Entry:
    """Whose full vaccination is asked for on a day: `age` and `share`. Before the first rule the first."""
    rows = rules["old"]
    current = rulebook.in_force(rows, on)
    return current[-1] if current else rows[0]


def report_state(cases: Cases, how: Entry) -> Report:
    """Whether the report of these days is what it seems, or a batch of late cases."""
    reported = cases.counted + cases.late
    if cases.late >= how["late_cases"] and cases.late >= how["late_share"] * reported:
        return "anomalous"
    return "anomalous" if _is_spike(cases, how) else "normal"


def _is_spike(cases: Cases, how: Entry) -> bool:
    return bool(cases.spike >= how["spike_cases"] and cases.spike >= how["spike_factor"] * cases.usual)


def weekly_rate(facts: Facts, how: Entry) -> float | None:
    """Counted cases per 100,000 people a week; of 14 days half. Late cases are not in it, and of a spike the usual."""
    if facts.population == 0:
        return None
    cases = facts.cases
    counted = cases.counted - cases.spike + cases.usual if _is_spike(cases, how) else cases.counted
    return counted * 7 / facts.days * 100_000 / facts.population


def propose(facts: Facts, on: dt.date, rules: Entry | None = None) -> Proposal:
    """The grade that the scheme of the day gives a commune.

    1. The matrix: band of weekly cases by band of adults with a dose.
    2. Too few old people fully vaccinated: one up, unless nobody fell ill or it is 4 already.
    3. Patients cannot be treated: not lower than the grade in force.
    4. An anomalous report re-grades nothing: the grade in force stays; without one, the figures without the late cases
       stand, and say so.
    """
    rules = rules or scheme(on)
    how = counting(on)
    rate, report = weekly_rate(facts, how), report_state(facts.cases, how)
    if rate is None:
        return Proposal(None, None, None, report, ("nobody_lives_here",))
    if "grades" not in rules:
        return Proposal(None, None, rate, report, ("no_thresholds",))
    base = _of_matrix(rules, rate, facts.adults)
    grade, steps = base, []
    needed = old_rule(rules, on)
    if rate > 0 and grade < 4 and facts.old is not None and facts.old < needed["share"]:
        grade += 1
        steps.append("old_people")
    if facts.capacity is False and rules["capacity"]["blocks_lowering"] and grade < (facts.current or 0):
        grade = facts.current or grade
        steps.append("capacity")
    if report == "anomalous":
        grade = facts.current or grade
        steps.append("anomalous_report")
    return Proposal(grade, base, rate, report, tuple(steps))


def _of_matrix(rules: Entry, rate: float, adults: float | None) -> int:
    """Nobody of that age counts as nobody vaccinated."""
    column = max(n for n, lowest in enumerate(rules["cases_from"]) if rate >= lowest)
    row = min(n for n, lowest in enumerate(rules["adults_from"]) if (adults or 0.0) >= lowest)
    return int(rules["grades"][row][column])
