"""What is next on one series: status, and the days of the next dose (CDSi chapter 7)."""

from __future__ import annotations

from dataclasses import dataclass

from khien.vaccination.rules.checks import applies, may_follow, reference_day, rule_of_day
from khien.vaccination.rules.facts import Person
from khien.vaccination.rules.model import AgeRule, Antigen, Contraindication, TargetDose
from khien.vaccination.rules.skip import SeriesComplete, can_skip
from khien.vaccination.rules.state import (
    AGED_OUT,
    COMPLETE,
    CONTRAINDICATED,
    IMMUNE,
    NOT_COMPLETE,
    NOT_RECOMMENDED,
    NOT_VALID,
    SUBSTANDARD,
    Reason,
    Track,
)


@dataclass(slots=True)
class Forecast:
    """Days are ordinals. `recommended` and `past_due` never lie before `earliest` (CDSi "adjusted")."""

    status: str
    reasons: tuple[Reason, ...] = ()
    target: TargetDose | None = None
    earliest: int | None = None
    recommended: int | None = None
    past_due: int | None = None
    latest: int | None = None
    vaccines: tuple[str, ...] = ()
    override: bool = False


def forecast(antigen: Antigen, track: Track, complete: SeriesComplete) -> Forecast:
    """The series' status on the day of evaluation and, where a dose is still needed, its days."""
    person, targets, opens = track.history.person, track.series.doses, track.series.opens
    day = person.on
    days: Forecast | None = None
    while track.at < len(targets):
        if opens and day < opens[track.at]:  # nothing more is foreseen yet
            days = None
            break
        target = targets[track.at]
        if day < target.valid_from or (target.skips_forecast and can_skip(target.skips_forecast, track, day, complete)):
            _skip(track, target)
            continue
        days = _days(track, target)
        # A dose that is not needed on the first day it could be given is not recommended (CDSi 7.6).
        late = days.earliest
        if (
            late is not None
            and late > day
            and target.skips_forecast
            and can_skip(target.skips_forecast, track, late, complete)
        ):
            _skip(track, target)
            continue
        break
    status, reasons = _status(antigen, track, days)
    if status != NOT_COMPLETE or days is None:
        return Forecast(status, reasons)
    days.reasons = reasons
    return days


def _skip(track: Track, target: TargetDose) -> None:
    track.skipped.append(target.number)
    track.at += 1


def _status(antigen: Antigen, track: Track, days: Forecast | None) -> tuple[str, tuple[Reason, ...]]:
    """Table 7-10: should the person receive another target dose?"""
    person = track.history.person
    if days is None or track.at >= len(track.series.doses):
        if track.satisfied:
            return COMPLETE, _COMPLETE
        if (found := immunity(antigen, track)) is not None:
            return IMMUNE, (found,)
        return NOT_RECOMMENDED, (Reason("not_needed_after_past_doses"),)
    if (found := immunity(antigen, track)) is not None:
        return IMMUNE, (found,)
    target = days.target
    assert target is not None
    if (found := _contraindication(antigen, track, target)) is not None:
        return CONTRAINDICATED, (found,)
    if target.season is not None and person.on > target.season[1]:
        return NOT_RECOMMENDED, (Reason("season_over", target.document),)
    age = _age(target, person.on)
    if age is not None and age.max is not None:
        end = age.max.after(person.birth)
        if person.on >= end:
            return AGED_OUT, (Reason("aged_out", age.document),)
        if (days.earliest or 0) >= end:
            return AGED_OUT, (Reason("unable_to_finish", age.document),)
    return NOT_COMPLETE, _why(track, target)


def _why(track: Track, target: TargetDose) -> tuple[Reason, ...]:
    """Why this dose is next: after an invalid one it is repeated, else it is the next of its kind."""
    repeat = bool(track.statuses) and track.statuses[-1] in (NOT_VALID, SUBSTANDARD)
    return (Reason("repeat_invalid_dose" if repeat else _DUE[target.kind], target.document),)


_COMPLETE = (Reason("series_complete"),)
_DUE = {"primary": "primary_dose_due", "additional": "additional_dose_due", "booster": "booster_dose_due"}


def immunity(antigen: Antigen, track: Track) -> Reason | None:
    if not antigen.immune_by_observation and not antigen.immune_by_birth:
        return None
    person = track.history.person
    if antigen.immune_by_observation and not antigen.immune_by_observation.isdisjoint(person.observations):
        return Reason("immune_by_history")
    for rule in antigen.immune_by_birth:
        country = person.birth_country or track.history.programme.country
        if (
            person.birth < rule.before
            and rule.holds(person.on)
            and (not rule.country or rule.country == country)
            and rule.except_observations.isdisjoint(person.observations)
        ):
            return Reason("immune_by_birth_date", rule.document)
    return None


def contraindications(antigen: Antigen, person: Person) -> list[Contraindication]:
    """Tables 7-5 and 7-6: those that apply to the person on the day of evaluation."""
    if not person.observations:
        return []
    return [
        rule
        for rule in antigen.contraindications
        if rule.observation in person.observations
        and rule.holds(person.on)
        and (rule.from_age is None or person.on >= rule.from_age.after(person.birth))
        and (rule.to_age is None or person.on < rule.to_age.after(person.birth))
    ]


def _contraindication(antigen: Antigen, track: Track, target: TargetDose) -> Reason | None:
    """Table 7-7: one of the whole antigen, or of every preferable vaccine of the series; and besides, where nothing
    else could be given to the person now."""
    person = track.history.person
    found = contraindications(antigen, person)
    if not found:
        return None
    for rule in found:
        if not rule.vaccines:
            return Reason("contraindicated", rule.document)
    barred = frozenset(vaccine for rule in found for vaccine in rule.vaccines)
    preferable = {vaccine for dose in track.series.doses for vaccine in dose.preferable}
    open_to = {
        rule.vaccine
        for rules in target.taken.values()
        for rule in rules
        if rule.holds(person.on) and rule.in_ages(person.birth, person.on) and may_follow(rule, track)
    }
    nothing_left = any(vaccines and vaccines <= barred for vaccines in (preferable, open_to))
    return Reason("contraindicated", found[-1].document) if nothing_left else None


def _age(target: TargetDose, day: int) -> AgeRule | None:
    """The age rule of the day; before the first came into force, the first, so that a date can still be named."""
    return target.age or rule_of_day(target.ages, day) or (target.ages[0] if target.ages else None)


def _days(track: Track, target: TargetDose) -> Forecast:
    """FORECASTDTCAN-1 and FORECASTDT-1 to 6."""
    history = track.history
    birth, on = history.person.birth, history.person.on
    recommended = due = latest = None
    earliest = birth  # it can be given when the last of several days has come
    override = bool(target.intervals)
    ruled = False
    for rule in target.intervals:
        if not (rule.plain or applies(rule, track, on)):
            continue
        ruled = True
        override = override and rule.override  # FORECASTPRIORITY-1: all of them
        start = reference_day(rule, track)
        if start is None:
            continue
        if rule.min is not None and (day := rule.min.after(start)) > earliest:
            earliest = day
        if rule.earliest is not None:
            recommended = max(recommended or 0, rule.earliest.after(start))
        if rule.latest is not None:
            due = max(due or 0, rule.latest.after(start))
    age = _age(target, on)
    if age is not None:
        if age.min is not None and (day := age.min.after(birth)) > earliest:
            earliest = day
        if age.earliest is not None:
            recommended = age.earliest.after(birth)
        if age.latest is not None:
            due = age.latest.after(birth)
        if age.max is not None:
            latest = age.max.after(birth) - 1
    if history.live and (end := _conflict_end(track, target)) is not None:
        earliest = max(earliest, end)
    if target.season is not None:
        earliest = max(earliest, target.season[0])
    if history.records and (day := history.records[-1].day) > earliest:
        earliest = day
    if target.dated and (opens := _first_allowed(track, target)) is not None:
        earliest = max(earliest, opens)
    return Forecast(
        NOT_COMPLETE,
        target=target,
        earliest=earliest,
        recommended=earliest if recommended is None or recommended < earliest else recommended,
        past_due=None if due is None else max(earliest, due - 1),
        latest=latest,
        override=override and ruled,
    )


def _first_allowed(track: Track, target: TargetDose) -> int | None:
    """The first day on which one of the vaccines in force for the person was allowed."""
    person = track.history.person
    first: int | None = None
    for rule in target.recommended:
        if rule.holds(person.on) and rule.in_ages(person.birth, person.on) and may_follow(rule, track):
            first = rule.valid_from if first is None else min(first, rule.valid_from)
    return first


def _conflict_end(track: Track, target: TargetDose) -> int | None:
    """The first day on which no earlier live vaccine stands in the way of one of those that could be given next.

    CALCDTCONFLICT-3, but a vaccine that is not live (of influenza) need not wait for one that is.
    """
    history = track.history
    conflicts, doses, on = history.programme.conflicts, history.person.doses, history.person.on
    first: int | None = None
    for vaccine in [rule.vaccine for rule in target.recommended] or target.preferable:
        free = 0
        for number in history.live:
            earlier = doses[number]
            rule = conflicts.get((earlier.vaccine, vaccine))
            if rule is not None and rule.end is not None and rule.holds(on):
                free = max(free, rule.end.after(earlier.day))
        first = free if first is None else min(first, free)
    return first


def finish(track: Track, days: Forecast) -> tuple[int, bool]:
    """The earliest end of the series, and whether that lies before its last dose's maximum age."""
    assert days.earliest is not None
    birth, on = track.history.person.birth, track.history.person.on
    day = days.earliest
    for target in track.series.doses[track.at + 1 :]:
        if target.recurring:
            break
        age = _age(target, on)
        waits = [r.min.after(day) for r in target.intervals if r.after_previous and r.min is not None and r.holds(on)]
        if age is not None and age.min is not None:
            waits.append(age.min.after(birth))
        day = max([day, *waits])
    age = _age(track.series.doses[-1], on)
    return day, age is None or age.max is None or day < age.max.after(birth)


def vaccines_for(antigen: Antigen, track: Track, days: tuple[int, int]) -> list[str]:
    """The vaccines to name for the next dose (FORECASTRECVAC-1): recommended, in force, not contraindicated, and right
    for the age on one of `days`.

    Those that may not follow the dose before (mixing) are left out.
    """
    if track.at >= len(track.series.doses):
        return []
    target, person = track.series.doses[track.at], track.history.person
    barred = {v for rule in contraindications(antigen, person) for v in rule.vaccines}
    birth, on = person.birth, person.on
    first, second = max(days[0], on), max(days[1], on)  # nobody is vaccinated in the past
    return [
        rule.vaccine
        for rule in target.recommended or [r for rules in target.preferable.values() for r in rules]
        if rule.valid_from <= on <= rule.valid_until
        and rule.vaccine not in barred
        and (rule.in_ages(birth, first) or (second != first and rule.in_ages(birth, second)))
        and may_follow(rule, track)
    ]
