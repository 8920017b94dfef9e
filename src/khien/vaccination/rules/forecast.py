"""What is next on one series: status, and the days of the next dose (CDSi chapter 7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from khien.vaccination.rules.checks import applies, in_ages, may_follow, reference_day, rule_of_day
from khien.vaccination.rules.model import FIRST_DAY, AgeRule, Antigen, TargetDose, VaccineRule
from khien.vaccination.rules.periods import Period
from khien.vaccination.rules.skip import SeriesComplete, can_skip
from khien.vaccination.rules.state import (
    AGED_OUT,
    COMPLETE,
    CONTRAINDICATED,
    IMMUNE,
    NOT_COMPLETE,
    NOT_RECOMMENDED,
    VALID,
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
    finish: int | None = None  # the earliest day on which the whole series can end
    completable: bool = True


def forecast(antigen: Antigen, track: Track, complete: SeriesComplete) -> Forecast:
    """The series' status on the day of evaluation and, where a dose is still needed, its days."""
    person, targets, seen = track.history.person, track.series.doses, len(track.history.records)
    day = person.on
    days: Forecast | None = None
    while track.at < len(targets):
        target = targets[track.at]
        if target.skips_forecast and can_skip(target.skips_forecast, track, day, seen, complete):
            _skip(track, target)
            continue
        days = _days(track, target)
        # A dose that is not needed on the first day it could be given is not recommended (CDSi 7.6).
        late = days.earliest
        if late is not None and late > day and can_skip(target.skips_forecast, track, late, seen, complete):
            _skip(track, target)
            continue
        break
    status = _status(antigen, track, days)
    if status.status != NOT_COMPLETE or days is None:
        return status
    days.reasons = status.reasons
    days.finish, days.completable = _finish(track, days)
    return days


def _skip(track: Track, target: TargetDose) -> None:
    track.skipped.append(target.number)
    track.at += 1


def _status(antigen: Antigen, track: Track, days: Forecast | None) -> Forecast:
    """Table 7-10: should the person receive another target dose?"""
    person = track.history.person
    if days is None or track.at >= len(track.series.doses):
        if track.satisfied:
            return Forecast(COMPLETE, (Reason("series_complete"),))
        if (found := immunity(antigen, track)) is not None:
            return Forecast(IMMUNE, (found,))
        return Forecast(NOT_RECOMMENDED, (Reason("not_needed_after_past_doses"),))
    if (found := immunity(antigen, track)) is not None:
        return Forecast(IMMUNE, (found,))
    target = days.target
    assert target is not None
    if (found := _contraindication(antigen, track, target)) is not None:
        return Forecast(CONTRAINDICATED, (found,))
    if target.season is not None and person.on > target.season[1]:
        return Forecast(NOT_RECOMMENDED, (Reason("season_over", target.document),))
    age = _age(target, person.on)
    if age is not None and age.max is not None:
        end = age.max.after(person.birth)
        if person.on >= end or (days.earliest is not None and days.earliest >= end):
            return Forecast(AGED_OUT, (Reason("aged_out", age.document),))
    return Forecast(NOT_COMPLETE, _why(track, target))


def _why(track: Track, target: TargetDose) -> tuple[Reason, ...]:
    """Why this dose is next: after an invalid one it is repeated, else it is the next of its kind."""
    last = track.statuses[-1] if track.statuses else VALID
    code = f"{target.kind}_dose_due" if last == VALID else "repeat_invalid_dose"
    return (Reason(code, target.document),)


def immunity(antigen: Antigen, track: Track) -> Reason | None:
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


def _contraindication(antigen: Antigen, track: Track, target: TargetDose) -> Reason | None:
    """One of the whole antigen, or of every vaccine that could be given for the target dose."""
    person = track.history.person
    if not person.observations or not antigen.contraindications:
        return None
    barred: set[str] = set()
    found = Reason("contraindicated")
    for rule in antigen.contraindications:
        if rule.observation not in person.observations or not rule.holds(person.on):
            continue
        if rule.from_age is not None and person.on < rule.from_age.after(person.birth):
            continue
        if rule.to_age is not None and person.on >= rule.to_age.after(person.birth):
            continue
        found = Reason("contraindicated", rule.document)
        if not rule.vaccines:
            return found
        barred |= rule.vaccines
    if not barred or not target.preferable:
        return None
    return found if barred.issuperset(target.preferable) else None


def barred_vaccines(antigen: Antigen, track: Track) -> frozenset[str]:
    known = track.history.person.observations
    return frozenset(v for rule in antigen.contraindications if rule.observation in known for v in rule.vaccines)


def _age(target: TargetDose, day: int) -> AgeRule | None:
    """The age rule of the day; before the first came into force, the first, so that a date can still be named."""
    return rule_of_day(target.ages, day) or (target.ages[0] if target.ages else None)


def _after(length: Period | None, start: int) -> int | None:
    return None if length is None else length.after(start)


def _latest_of(days: Iterable[int | None]) -> int | None:
    return max((day for day in days if day is not None), default=None)


def _days(track: Track, target: TargetDose) -> Forecast:
    """FORECASTDTCAN-1 and FORECASTDT-1 to 6."""
    person, seen = track.history.person, len(track.history.records)
    age = _age(target, person.on)
    birth = person.birth
    minimum: list[int | None] = [birth]
    advised: list[int | None] = []
    due: list[int | None] = []
    override = False
    for rule in target.intervals:
        if not applies(rule, track, seen, person.on):
            continue
        start = reference_day(rule, track, seen)
        if start is None:
            continue
        minimum.append(_after(rule.min, start))
        advised.append(_after(rule.earliest, start))
        due.append(_after(rule.latest, start))
        override = override or rule.override
    if age is not None:
        minimum.append(_after(age.min, birth))
    if track.history.live:
        minimum.append(_conflict_end(track, target))
    if target.season is not None:
        minimum.append(target.season[0])
    if track.history.records:
        minimum.append(track.history.records[-1].day)
    minimum.append(_first_allowed(track, target))
    earliest = _latest_of(minimum)
    assert earliest is not None
    recommended = _after(age.earliest, birth) if age is not None else None
    if recommended is None:
        recommended = _latest_of(advised)
    past_due = _after(age.latest, birth) if age is not None else None
    if past_due is None:
        past_due = _latest_of(due)
    latest = _after(age.max, birth) if age is not None else None
    return Forecast(
        NOT_COMPLETE,
        target=target,
        earliest=earliest,
        recommended=earliest if recommended is None else max(earliest, recommended),
        past_due=None if past_due is None else max(earliest, past_due - 1),
        latest=None if latest is None else latest - 1,
        override=override,
    )


def _first_allowed(track: Track, target: TargetDose) -> int | None:
    """The first day on which one of the vaccines in force for the person was allowed; None: no such limit."""
    person = track.history.person
    first: int | None = None
    for rule in target.recommended:
        if rule.valid_from == FIRST_DAY:
            return None
        if rule.holds(person.on) and in_ages(rule, person.birth, person.on) and may_follow(rule, track):
            first = rule.valid_from if first is None else min(first, rule.valid_from)
    return first


def _conflict_end(track: Track, target: TargetDose) -> int | None:
    """The last day on which an earlier live vaccine stands in the way of those that could be given next."""
    history = track.history
    conflicts = history.programme.conflicts
    next_vaccines = [rule.vaccine for rule in target.recommended] or list(target.preferable)
    ends: list[int] = []
    for number in history.live:
        earlier = history.person.doses[number]
        for vaccine in next_vaccines:
            rule = conflicts.get((earlier.vaccine, vaccine))
            if rule is not None and rule.holds(history.person.on):
                end = rule.end if track.found_invalid(number) else rule.end_if_valid
                if end is not None:
                    ends.append(end.after(earlier.day))
    return max(ends, default=None)


def _finish(track: Track, days: Forecast) -> tuple[int, bool]:
    """The earliest end of the series, and whether that lies before its last dose's maximum age."""
    assert days.earliest is not None
    birth, on = track.history.person.birth, track.history.person.on
    day = days.earliest
    last = track.series.doses[-1]
    for target in track.series.doses[track.at + 1 :]:
        if target.recurring:
            break
        age = _age(target, on)
        waits = [r.min.after(day) for r in target.intervals if r.after_previous and r.min is not None and r.holds(on)]
        if age is not None and age.min is not None:
            waits.append(age.min.after(birth))
        day = max([day, *waits])
    age = _age(last, on)
    end = None if age is None or age.max is None else age.max.after(birth)
    return day, end is None or day < end


def vaccines_for(antigen: Antigen, track: Track, day: int) -> tuple[VaccineRule, ...]:
    """The vaccines to name for the next dose: recommended, in force, right for the age, not contraindicated.

    Those that may not follow the dose before (mixing) are left out.
    """
    if track.at >= len(track.series.doses):
        return ()
    target, person = track.series.doses[track.at], track.history.person
    barred = barred_vaccines(antigen, track) if person.observations else frozenset()
    return tuple(
        rule
        for rule in target.recommended or tuple(r for rules in target.preferable.values() for r in rules)
        if rule.holds(person.on)
        and rule.vaccine not in barred
        and in_ages(rule, person.birth, max(day, person.on))
        and may_follow(rule, track)
    )
