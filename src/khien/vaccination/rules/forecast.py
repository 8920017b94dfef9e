"""What is next on one series: status, and the days of the next dose (CDSi chapter 7)."""

from __future__ import annotations

from dataclasses import dataclass

from khien.vaccination.rules.checks import applies, in_ages, may_follow, reference_day, rule_of_day
from khien.vaccination.rules.model import AgeRule, Antigen, TargetDose, VaccineRule
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


def forecast(antigen: Antigen, track: Track, complete: SeriesComplete) -> Forecast:
    """The series' status on the day of evaluation and, where a dose is still needed, its days."""
    person, targets = track.history.person, track.series.doses
    day = person.on
    days: Forecast | None = None
    while track.at < len(targets):
        target = targets[track.at]
        if target.skips_forecast and can_skip(target.skips_forecast, track, day, complete):
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
    end = None if age is None else age.days(person.birth).max
    if age is not None and end is not None and max(person.on, days.earliest or 0) >= end:
        return AGED_OUT, (Reason("aged_out", age.document),)
    return NOT_COMPLETE, _why(track, target)


def _why(track: Track, target: TargetDose) -> tuple[Reason, ...]:
    """Why this dose is next: after an invalid one it is repeated, else it is the next of its kind."""
    last = track.statuses[-1] if track.statuses else VALID
    return (Reason(_DUE[target.kind] if last == VALID else "repeat_invalid_dose", target.document),)


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
    if not barred:
        return None
    open_to = {
        rule.vaccine
        for table in (target.preferable, target.allowable)
        for rules in table.values()
        for rule in rules
        if rule.holds(person.on) and in_ages(rule, person.birth, person.on) and may_follow(rule, track)
    }
    return found if open_to and open_to <= barred else None


def barred_vaccines(antigen: Antigen, track: Track) -> frozenset[str]:
    known = track.history.person.observations
    return frozenset(v for rule in antigen.contraindications if rule.observation in known for v in rule.vaccines)


def _age(target: TargetDose, day: int) -> AgeRule | None:
    """The age rule of the day; before the first came into force, the first, so that a date can still be named."""
    return target.age or rule_of_day(target.ages, day) or (target.ages[0] if target.ages else None)


def _days(track: Track, target: TargetDose) -> Forecast:
    """FORECASTDTCAN-1 and FORECASTDT-1 to 6."""
    history = track.history
    birth, on = history.person.birth, history.person.on
    recommended: int | None = None
    due: int | None = None
    latest: int | None = None
    override = False
    starts = [birth]  # it can be given when the last of these days has come
    for rule in target.intervals:
        start = reference_day(rule, track) if applies(rule, track, on) else None
        if start is None:
            continue
        if rule.min is not None:
            starts.append(rule.min.after(start))
        if rule.earliest is not None:
            recommended = max(recommended or 0, rule.earliest.after(start))
        if rule.latest is not None:
            due = max(due or 0, rule.latest.after(start))
        override = override or rule.override
    age = _age(target, on)
    if age is not None:
        days = age.days(birth)
        if days.min is not None:
            starts.append(days.min)
        recommended = recommended if days.earliest is None else days.earliest
        due = due if days.latest is None else days.latest
        latest = days.max
    if history.live and (end := _conflict_end(track, target)) is not None:
        starts.append(end)
    if target.season is not None:
        starts.append(target.season[0])
    if history.records:
        starts.append(history.records[-1].day)
    if target.dated and (opens := _first_allowed(track, target)) is not None:
        starts.append(opens)
    earliest = max(starts)
    return Forecast(
        NOT_COMPLETE,
        target=target,
        earliest=earliest,
        recommended=earliest if recommended is None or recommended < earliest else recommended,
        past_due=None if due is None else max(earliest, due - 1),
        latest=None if latest is None else latest - 1,
        override=override,
    )


def _first_allowed(track: Track, target: TargetDose) -> int | None:
    """The first day on which one of the vaccines in force for the person was allowed."""
    person = track.history.person
    first: int | None = None
    for rule in target.recommended:
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
        if age is not None and (least := age.days(birth).min) is not None:
            waits.append(least)
        day = max([day, *waits])
    age = _age(track.series.doses[-1], on)
    end = None if age is None else age.days(birth).max
    return day, end is None or day < end


def vaccines_for(antigen: Antigen, track: Track, day: int) -> tuple[VaccineRule, ...]:
    """The vaccines to name for the next dose: recommended, in force, right for the age, not contraindicated.

    Those that may not follow the dose before (mixing) are left out.
    """
    if track.at >= len(track.series.doses):
        return ()
    target, person = track.series.doses[track.at], track.history.person
    barred = barred_vaccines(antigen, track) if person.observations else frozenset()
    day = max(day, person.on)
    return tuple(
        rule
        for rule in target.recommended or tuple(r for rules in target.preferable.values() for r in rules)
        if rule.valid_from <= person.on <= rule.valid_until
        and rule.vaccine not in barred
        and in_ages(rule, person.birth, day)
        and may_follow(rule, track)
    )
