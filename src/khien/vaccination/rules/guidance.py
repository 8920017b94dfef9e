"""What a clinician should read beside a forecast (FORECASTGUIDANCE-1): notes of the series, of the risk that drives it,
and of the contraindications that apply."""

from __future__ import annotations

from khien.vaccination.rules.facts import Person
from khien.vaccination.rules.forecast import contraindications
from khien.vaccination.rules.groups import GroupForecast
from khien.vaccination.rules.model import Programme


def guidance(programme: Programme, person: Person, forecast: GroupForecast) -> tuple[str, ...]:
    """In the programme's order, each note once."""
    notes: list[str] = []
    for group in programme.groups:
        if group.name != forecast.group:
            continue
        for antigen in (programme.antigens[name] for name in group.antigens if name in programme.antigens):
            if antigen.name in forecast.antigens:
                for series in (s for s in antigen.series if s.name in forecast.series):
                    notes.extend(series.guidance)
                    notes.extend(i.guidance for i in series.indications if i.observation in person.observations)
            notes.extend(rule.guidance for rule in contraindications(antigen, person))
    return tuple(dict.fromkeys(note for note in notes if note))
