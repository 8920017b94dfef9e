"""The schedule engine: of each dose whether it counts and why not, and of the person what is next.

Its concepts and its order of work follow the CDC's "Clinical Decision Support for Immunization (CDSi): Logic
Specification for ACIP Recommendations". It knows no vaccine by name: everything comes from the programme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from khien.vaccination.rules.facts import History, Person, by_antigen, in_order
from khien.vaccination.rules.groups import GroupForecast, doses_in_group, group_forecast
from khien.vaccination.rules.model import Antigen, Programme
from khien.vaccination.rules.selection import PatientSeries, best_series
from khien.vaccination.rules.state import Reason


class DoseJudgement(NamedTuple):
    """What one dose is worth in one vaccine group. `number` is its place in `Person.doses`."""

    number: int
    group: str
    status: str
    reasons: tuple[Reason, ...]
    series: str


@dataclass(frozen=True, slots=True)
class Answer:
    doses: tuple[DoseJudgement, ...]
    groups: tuple[GroupForecast, ...]


def evaluate(programme: Programme, person: Person, groups: frozenset[str] | None = None) -> Answer:
    """Judge the person's doses and forecast the next ones; `groups` limits the answer to some vaccine groups.

    Doses after the day of evaluation are not seen. The order of `person.doses` does not matter.
    """
    if programme.seasons is not None:
        programme = programme.seasons.on(person.on)
    doses = person.doses
    ordered = in_order(person)
    live_vaccines = programme.live_vaccines
    live = [i for i in ordered if doses[i].vaccine in live_vaccines]
    numbers = by_antigen(programme, person, ordered)
    judged: list[DoseJudgement] = []
    forecasts: list[GroupForecast] = []
    for group in programme.groups:
        if groups is not None and group.name not in groups:
            continue
        best: dict[str, list[PatientSeries]] = {}
        for name in group.antigens:
            antigen = programme.antigens.get(name)
            if antigen is not None:
                mine = numbers.get(name, [])
                twin = None if person.observations else programme.twins.get(name)
                if twin in best and mine == numbers.get(twin, []):
                    best[name] = [_as_of(antigen, programme.antigens[twin], p) for p in best[twin]]
                else:
                    best[name] = best_series(antigen, History(programme, person, mine, ordered, live))
        for number, status, reasons, series in doses_in_group(best):
            judged.append(DoseJudgement(number, group.name, status, reasons, series))
        answer = group_forecast(programme, group, best)
        if answer is not None:
            forecasts.append(answer)
    return Answer(tuple(judged), tuple(forecasts))


def _as_of(antigen: Antigen, twin: Antigen, p: PatientSeries) -> PatientSeries:
    """What was found for the twin, under the antigen's own names."""
    return PatientSeries(antigen.name, antigen.routine[twin.routine.index(p.series)], p.track, p.forecast)
