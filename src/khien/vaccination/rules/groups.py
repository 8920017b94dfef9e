"""From antigens to what is injected: the forecast of a vaccine group (CDSi chapter 9)."""

from __future__ import annotations

from dataclasses import dataclass

from khien.vaccination.rules.forecast import vaccines_for
from khien.vaccination.rules.model import Programme, VaccineGroup
from khien.vaccination.rules.selection import PatientSeries
from khien.vaccination.rules.state import (
    AGED_OUT,
    COMPLETE,
    CONTRAINDICATED,
    EXTRANEOUS,
    IMMUNE,
    NOT_COMPLETE,
    NOT_RECOMMENDED,
    NOT_VALID,
    SUBSTANDARD,
    VALID,
    Reason,
)


@dataclass(slots=True)
class GroupForecast:
    """What is next for one vaccine group. Days are ordinals; None: no such day."""

    group: str
    status: str
    dose_number: int | None = None  # valid doses so far, plus one
    kind: str = ""
    earliest: int | None = None
    recommended: int | None = None
    past_due: int | None = None
    latest: int | None = None
    vaccines: tuple[str, ...] = ()
    antigens: tuple[str, ...] = ()  # those that still need a dose
    series: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


# The first status that one of an antigen's best series has is the antigen's.
_OF_ONE = (NOT_COMPLETE, COMPLETE, IMMUNE, CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED)
# All antigens go together: what bars one bars the injection (table 9-3).
_OF_FULL = (CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED, NOT_COMPLETE, COMPLETE, IMMUNE)
_OF_SINGLE_PARTS = (NOT_COMPLETE, CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED, COMPLETE, IMMUNE)


def group_forecast(
    programme: Programme, group: VaccineGroup, best: dict[str, list[PatientSeries]]
) -> GroupForecast | None:
    """None where the group is only for risks that the person does not have."""
    chosen = [_of_antigen(best[name]) for name in group.antigens if best.get(name)]
    if not chosen:
        routine = any(s.type == "standard" for name in best for s in programme.antigens[name].series)
        return GroupForecast(group.name, NOT_RECOMMENDED, reasons=(Reason("no_series"),)) if routine else None
    if len(chosen) == 1:
        only = chosen[0]
        answer = GroupForecast(
            group.name, only.forecast.status, series=(only.series.name,), reasons=only.forecast.reasons
        )
        if only.forecast.status == NOT_COMPLETE:
            _dates(answer, chosen, best)
            _vaccines(programme, answer, chosen)
        return answer
    statuses = {p.forecast.status for p in chosen}
    order = _OF_FULL if group.full else _OF_SINGLE_PARTS
    status = next(s for s in order if s in statuses)
    needed = [p for p in chosen if p.forecast.status == status]
    answer = GroupForecast(group.name, status, series=tuple(p.series.name for p in needed))
    answer.reasons = tuple(dict.fromkeys(reason for p in needed for reason in p.forecast.reasons))
    if status == NOT_COMPLETE:
        _dates(answer, needed, best)
        _vaccines(programme, answer, needed)
    return answer


def _of_antigen(series: list[PatientSeries]) -> PatientSeries:
    """Where several series groups each have a best series, the one that asks for a dose soonest."""
    if len(series) == 1:
        return series[0]
    return min(
        series, key=lambda p: (_OF_ONE.index(p.forecast.status), p.forecast.recommended or 0, p.forecast.earliest or 0)
    )


def _last_dose(best: dict[str, list[PatientSeries]]) -> int:
    """The day of the last dose of any antigen of the group."""
    return max(
        (p.track.history.records[-1].day for ps in best.values() for p in ps if p.track.history.records), default=0
    )


def _dates(answer: GroupForecast, needed: list[PatientSeries], best: dict[str, list[PatientSeries]]) -> None:
    """MULTIANTVG-1 to 6. An interval marked `override` lets the group go ahead on its antigen's earliest day, though
    never before the group's last dose."""
    if len(needed) == 1:
        only = needed[0].forecast
        answer.earliest, answer.recommended = only.earliest, only.recommended
        answer.past_due, answer.latest = only.past_due, only.latest
        return
    overriding = [p.forecast.earliest for p in needed if p.forecast.override and p.forecast.earliest is not None]
    every = [p.forecast.earliest for p in needed if p.forecast.earliest is not None]
    earliest = max(min(overriding), _last_dose(best)) if overriding else max(every)
    answer.earliest = earliest
    answer.recommended = max(earliest, min(p.forecast.recommended or earliest for p in needed))
    due = [p.forecast.past_due for p in needed if p.forecast.past_due is not None]
    answer.past_due = max(earliest, min(due)) if due else None
    ends = [p.forecast.latest for p in needed if p.forecast.latest is not None]
    answer.latest = min(ends) if ends else None


def _vaccines(programme: Programme, answer: GroupForecast, needed: list[PatientSeries]) -> None:
    lists = [
        [rule.vaccine for rule in vaccines_for(programme.antigens[p.series_antigen], p.track, answer.recommended or 0)]
        for p in needed
    ]
    named = dict.fromkeys(lists[0])
    if len(lists) > 1:
        common = [v for v in named if all(v in other for other in lists[1:])]
        named = dict.fromkeys(common or [v for part in lists for v in part])
    answer.vaccines = tuple(named)
    answer.antigens = tuple(p.series_antigen for p in needed)
    answer.dose_number = min(p.track.valid_count for p in needed) + 1
    first = needed[0].forecast.target
    answer.kind = "" if first is None else first.kind


_RANK = {VALID: 0, NOT_VALID: 1, EXTRANEOUS: 2, SUBSTANDARD: 3}  # the best says what a dose is worth


def doses_in_group(best: dict[str, list[PatientSeries]]) -> dict[int, tuple[str, tuple[Reason, ...], str]]:
    """By the dose's number: its status in the group, the reasons, and the series that says so.

    A dose that counts for one antigen of the group counts.
    """
    found: dict[int, tuple[str, tuple[Reason, ...], str]] = {}
    for series in best.values():
        for p in series:
            track = p.track
            if not found:  # nothing to compare with yet
                name = p.series.name
                for number, status, reasons in zip(track.history.numbers, track.statuses, track.reasons, strict=True):
                    found[number] = (status, reasons, name)
                continue
            for number, status, reasons in zip(track.history.numbers, track.statuses, track.reasons, strict=True):
                known = found.get(number)
                if known is None or _RANK[status] < _RANK[known[0]]:
                    found[number] = (status, reasons, p.series.name)
    return found
