"""The estimated chains of an area as one object: cases, links with their certainty, what they say of the epidemic."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from khien.core.actor import Actor
from khien.core.session import begin
from khien.core.sql import Queries
from khien.tracing import backward, chains
from khien.tracing.rules.window import effective_onset

_q = Queries("khien.tracing")

MOST_CASES = 1000
_LEAST = 0.1  # certainty below which nobody is named


@dataclass(frozen=True, slots=True)
class Network:
    """`links`: infected to (infector, certainty), by person; `decided`: infected whose link an epidemiologist set."""

    cases: list[dict[str, Any]]
    links: dict[int, tuple[int, float]]
    decided: dict[int, str]
    exposures: dict[int, str]
    curve: list[tuple[dt.date, int]]
    serial: tuple[chains.Estimate, chains.Estimate] | None
    offspring: chains.Offspring | None
    clusters: list[list[int]]


def network(*, by: Actor, days: int = 60) -> Network:
    """Cases reported in the actor's area within so many days, at most MOST_CASES, and who infected whom.

    Logged with its cases. Raises NotAllowed.
    """
    by.must("trace.run")
    with begin(by) as session:
        first = session.today - dt.timedelta(days=days)
        cases = session.rows(_q.known_cases, first=first, last=session.today, most=MOST_CASES)
        persons = [case["person_id"] for case in cases]
        fixed = {row["person_id"]: row for row in session.rows(_q.decided_links, persons=persons)}
        found = backward.suspects(by=by, cases=cases)
        session.log("case.read", persons, chains=True)
    known = set(persons)
    best = {
        p: (of[0].infector, of[0].certainty)
        for p, of in found.items()
        if of and of[0].infector in known and of[0].certainty >= _LEAST
    }
    for person, row in fixed.items():
        best.pop(person, None)
        if row["infector_id"] in known:
            best[person] = (row["infector_id"], 1.0)
    links = chains.tree(best)
    onsets = {case["person_id"]: effective_onset(case["onset_on"], case["sampled_on"]) for case in cases}
    pairs = [(onsets[infected] - onsets[infector]).days for infected, (infector, _) in links.items()]
    kinds = {p: of[0].exposures[0]["kind"] for p, of in found.items() if of}
    return Network(
        cases, links, {p: row["reason"] for p, row in fixed.items()}, kinds,
        chains.epidemic_curve(onsets.values()), chains.serial_interval(pairs),
        chains.offspring(chains.offspring_counts(persons, links)), chains.clusters(persons, links),
    )  # fmt: skip
