"""From antigens to what is injected: the forecast of a vaccine group (CDSi chapter 9)."""

from __future__ import annotations

from collections.abc import Mapping
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
    Track,
)


@dataclass(slots=True)
class GroupForecast:
    """What is next for one vaccine group. Days are ordinals; None: no such day."""

    group: str
    status: str
    dose_number: int | None = None
    kind: str = ""
    earliest: int | None = None
    recommended: int | None = None
    past_due: int | None = None
    latest: int | None = None
    vaccines: tuple[str, ...] = ()
    antigens: tuple[str, ...] = ()  # those that still need a dose
    series: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    also: tuple[GroupForecast, ...] = ()  # what the other kind of series (everybody's, a risk's) asks for


# The first status that one of an antigen's best series has is the antigen's.
_OF_ONE = (NOT_COMPLETE, COMPLETE, IMMUNE, CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED)
# All antigens go together: what bars one bars the injection (table 9-4).
_OF_FULL = (CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED, NOT_COMPLETE, COMPLETE, IMMUNE)
# Where they need not: a child who must not have pertussis vaccine still gets diphtheria and tetanus.
_OF_SINGLE_PARTS = (NOT_COMPLETE, CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED, COMPLETE, IMMUNE)

Best = Mapping[str, list[PatientSeries]]  # the best series of each antigen


def group_forecast(programme: Programme, group: VaccineGroup, best: Best) -> GroupForecast | None:
    """None where the group is only for risks that the person does not have.

    Series for everybody and series for a risk are not blended (chapter 9): where both ask for something, the sooner
    stands for the group and the other stands in its `also`.
    """
    if len(best) == 1 and len(only := next(iter(best.values()))) == 1:
        return _of_type(programme, group, only, best)
    standard: list[PatientSeries] = []
    risks: list[PatientSeries] = []
    for mine in best.values():
        if len(mine) == 1:
            (risks if mine[0].series.type == "risk" else standard).append(mine[0])
        elif mine:
            standard.extend(_soonest([p for p in mine if p.series.type != "risk"]))
            risks.extend(_soonest([p for p in mine if p.series.type == "risk"]))
    found = [_of_type(programme, group, chosen, best) for chosen in (standard, risks) if chosen]
    if not found:
        routine = any(s.type == "standard" for name in best for s in programme.antigens[name].series)
        return GroupForecast(group.name, NOT_RECOMMENDED, reasons=(Reason("no_series"),)) if routine else None
    if len(found) > 1:
        found.sort(key=lambda f: (_OF_ONE.index(f.status), f.recommended or 0, f.earliest or 0))
        found[0].also = tuple(found[1:])
    return found[0]


def _of_type(programme: Programme, group: VaccineGroup, chosen: list[PatientSeries], best: Best) -> GroupForecast:
    first = chosen[0].forecast
    if len(chosen) == 1:
        answer = GroupForecast(group.name, first.status, series=(chosen[0].series.name,), reasons=first.reasons)
        if first.status == NOT_COMPLETE:
            answer.earliest, answer.recommended = first.earliest, first.recommended
            answer.past_due, answer.latest = first.past_due, first.latest
            _vaccines(programme, group, answer, chosen)
        return answer
    statuses = {p.forecast.status for p in chosen}
    status = next(s for s in (_OF_FULL if group.full else _OF_SINGLE_PARTS) if s in statuses)
    needed = [p for p in chosen if p.forecast.status == status]
    answer = GroupForecast(group.name, status, series=tuple([p.series.name for p in needed]))
    answer.reasons = tuple(dict.fromkeys(reason for p in needed for reason in p.forecast.reasons))
    if status == NOT_COMPLETE:
        _dates(answer, needed, best)
        _vaccines(programme, group, answer, needed)
    return answer


def _soonest(series: list[PatientSeries]) -> list[PatientSeries]:
    """Where several series groups of an antigen each have a best series: the one that asks for a dose soonest."""

    def wait(p: PatientSeries) -> tuple[int, int, int]:
        return _OF_ONE.index(p.forecast.status), p.forecast.recommended or 0, p.forecast.earliest or 0

    return series if len(series) < 2 else [min(series, key=wait)]


def _last_dose(best: Best) -> int:
    """The day of the last dose of any antigen of the group."""
    return max(
        (p.track.history.records[-1].day for ps in best.values() for p in ps if p.track.history.records), default=0
    )


def _dates(answer: GroupForecast, needed: list[PatientSeries], best: Best) -> None:
    """MULTIANTVG-1 and FORECASTVG-2 to 4. A dose whose intervals are all marked `override` lets the group go ahead on
    the first of its antigens' earliest days, though never before the group's last dose."""
    every = [p.forecast.earliest for p in needed if p.forecast.earliest is not None]
    ahead = any(p.forecast.override for p in needed)
    earliest = max(min(every), _last_dose(best)) if ahead else max(every)
    answer.earliest = earliest
    answer.recommended = max(earliest, min(p.forecast.recommended or earliest for p in needed))
    due = [p.forecast.past_due for p in needed if p.forecast.past_due is not None]
    answer.past_due = max(earliest, min(due)) if due else None
    ends = [p.forecast.latest for p in needed if p.forecast.latest is not None]
    answer.latest = min(ends) if ends else None


def _vaccines(programme: Programme, group: VaccineGroup, answer: GroupForecast, needed: list[PatientSeries]) -> None:
    days = (answer.earliest or 0, answer.recommended or 0)
    target = needed[0].forecast.target
    answer.kind = "" if target is None else target.kind
    if len(needed) == 1:
        only = needed[0]
        answer.vaccines = tuple(dict.fromkeys(vaccines_for(programme.antigens[only.series_antigen], only.track, days)))
        answer.antigens = (only.series_antigen,)
        answer.dose_number = _dose_number(only)
        return
    lists = [vaccines_for(programme.antigens[p.series_antigen], p.track, days) for p in needed]
    common = [v for v in lists[0] if all(v in other for other in lists[1:])]
    answer.vaccines = tuple(dict.fromkeys(common or [v for part in lists for v in part]))
    answer.antigens = tuple([p.series_antigen for p in needed])
    numbers = [_dose_number(p) for p in needed]
    answer.dose_number = min(numbers) if group.full else max(numbers)  # FORECASTDN-2


def _dose_number(p: PatientSeries) -> int:
    """FORECASTDN-1: valid doses so far, plus one; of a seasonal vaccine those of this season."""
    track, target = p.track, p.forecast.target
    if target is None or target.season is None:
        return track.valid_count + 1
    begin = target.season[0]
    valid = zip(track.history.records, track.statuses, strict=True)
    return sum(status == VALID and given.day >= begin for given, status in valid) + 1


_RANK = {VALID: 0, NOT_VALID: 1, EXTRANEOUS: 2, SUBSTANDARD: 3}  # the best says what a dose is worth


def doses_in_group(best: Best) -> list[tuple[int, str, tuple[Reason, ...], str]]:
    """Of each dose, by its number: its status in the group, the reasons, and the series that says so.

    A dose that counts for one antigen of the group counts.
    """
    found: dict[int, tuple[int, str, tuple[Reason, ...], str]] = {}
    walked: Track | None = None
    for series in best.values():
        for p in series:
            track = p.track
            if track is walked or not track.statuses:  # a twin's, or nobody's
                continue
            walked, name = track, p.series.name
            for number, status, reasons in zip(track.history.numbers, track.statuses, track.reasons, strict=True):
                known = found.get(number)
                if known is None or _RANK[status] < _RANK[known[1]]:
                    found[number] = (number, status, reasons, name)
    return sorted(found.values())
