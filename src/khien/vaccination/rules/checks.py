"""Whether one dose satisfies one target dose: age, intervals, live virus conflict, vaccine (CDSi chapter 6).

Each check answers with the code of the fault and the document of the rule, or None.
"""

from __future__ import annotations

from collections.abc import Sequence

from khien.vaccination.rules.facts import Given
from khien.vaccination.rules.model import AgeRule, IntervalRule, TargetDose, VaccineRule
from khien.vaccination.rules.state import EXTRANEOUS, INADVERTENT, NOT_VALID, VALID, Reason, Track


def rule_of_day(rules: Sequence[AgeRule], day: int) -> AgeRule | None:
    for rule in rules:
        if rule.valid_from <= day <= rule.valid_until:
            return rule
    return None


def reference_day(rule: IntervalRule, track: Track) -> int | None:
    """The day from which the interval runs, for the dose after those judged so far; None: there is no such day."""
    if rule.after_previous:
        return None if track.previous is None else track.previous.day
    records = track.history.records
    if rule.after_dose:
        satisfied = track.satisfied.get(rule.after_dose)
        return None if satisfied is None else records[satisfied].day
    if rule.after_vaccines:
        seen = len(track.statuses)
        days = [given.day for given in track.history.others_before(seen) if given.vaccine in rule.after_vaccines]
        days.extend(
            records[i].day
            for i in range(seen)
            if records[i].vaccine in rule.after_vaccines and not track.is_inadvertent(i)
        )
        return max(days, default=None)
    known = track.history.person.observations
    known_days = [d for code in rule.after_observations if (d := known.get(code)) is not None]
    return max(known_days, default=None)


def applies(rule: IntervalRule, track: Track, day: int) -> bool:
    if not rule.valid_from <= day <= rule.valid_until:
        return False
    if rule.when_previous and (track.previous is None or track.previous.vaccine not in rule.when_previous):
        return False
    if rule.from_age is not None and day < rule.from_age.after(track.history.person.birth):
        return False
    return rule.to_age is None or day < rule.to_age.after(track.history.person.birth)


def _too_soon(rules: Sequence[IntervalRule], track: Track, day: int) -> tuple[IntervalRule | None, bool]:
    """The first interval that a dose on `day` breaks, and whether the dose used the grace of one it keeps."""
    grace = False
    for rule in rules:
        if rule.absolute_min is None or not (rule.plain or applies(rule, track, day)):
            continue
        start = reference_day(rule, track)
        if start is None:
            continue
        if day < rule.absolute_min.after(start):
            return rule, False
        if not grace and rule.min is not None and day < rule.min.after(start):
            grace = True
    return None, grace


def _within_allowable(dose: TargetDose, track: Track, day: int) -> bool:
    """Allowable intervals are a second, looser set: all of it, too, has to be kept."""
    looser = [rule for rule in dose.allowable_intervals if applies(rule, track, day)]
    return bool(looser) and _too_soon(looser, track, day)[0] is None


def _conflict(track: Track, given: Given) -> Reason | None:
    """A live vaccine must keep its distance from each earlier live vaccine, of whatever disease."""
    history = track.history
    conflicts = history.programme.conflicts
    for number in history.live:
        earlier = history.person.doses[number]
        if earlier.day >= given.day:
            break  # they come by day
        rule = conflicts.get((earlier.vaccine, given.vaccine))
        if rule is None or not rule.holds(given.day):
            continue
        end = rule.end if track.found_invalid(number) else rule.end_if_valid
        begins = rule.begin is None or given.day >= rule.begin.after(earlier.day)
        if begins and end is not None and given.day < end.after(earlier.day):
            return Reason("live_virus_conflict", rule.document)
    return None


def may_follow(rule: VaccineRule, track: Track) -> bool:
    """Mixing: whether the vaccine may be given after that of the last dose that counts."""
    return not rule.after or track.counted is None or track.counted.vaccine in rule.after


def _suits(rule: VaccineRule, given: Given) -> bool:
    """A brand or maker that the rule names must be the one given, where it was recorded at all."""
    if rule.mvx and given.mvx and rule.mvx != given.mvx:
        return False
    return not (rule.trade_name and given.trade_name) or rule.trade_name.casefold() == given.trade_name.casefold()


def _vaccine(dose: TargetDose, track: Track, given: Given) -> Reason | None:
    """None where a rule allows the vaccine; else what is wrong with the rule that came nearest to it."""
    near, fault, document = 99, "vaccine_not_allowed", dose.document
    day, birth = given.day, track.history.person.birth
    for rule in dose.taken.get(given.vaccine, ()):
        in_age = rule.in_ages(birth, day)
        in_force = rule.valid_from <= day <= rule.valid_until
        follows = may_follow(rule, track)
        if in_force and in_age and follows:
            if _suits(rule, given):
                return None
            continue
        # Fewest faults first; among equals the day, then the dose before, then the age.
        distance = 4 * (3 - in_force - in_age - follows) + (0 if not in_force else 1 if not follows else 2)
        if distance < near:
            near, document = distance, rule.document
            fault = (
                "vaccine_not_allowed_yet" if not in_force
                else "vaccine_not_after_previous" if not follows
                else "vaccine_wrong_for_age"
            )  # fmt: skip
    if not dose.taken:
        return None
    return Reason(fault, document)


def judge(dose: TargetDose, track: Track, given: Given) -> tuple[str, tuple[Reason, ...]]:
    """Status of the next record against the target dose, with the reasons (CDSi table 6 "satisfy target dose")."""
    history = track.history
    vaccine, day, birth = given.vaccine, given.day, history.person.birth
    if vaccine in dose.inadvertent:
        return NOT_VALID, (Reason(INADVERTENT, dose.document),)
    faults: tuple[Reason, ...] = ()
    grace = False
    age = dose.age or rule_of_day(dose.ages, day)
    if age is not None:
        if age.absolute_min is not None and day < age.absolute_min.after(birth):
            faults = (Reason("too_young", age.document),)
        elif age.max is not None and day >= age.max.after(birth):
            return EXTRANEOUS, (Reason("too_old", age.document),)
        elif age.min is not None and day < age.min.after(birth):
            grace = True
    if dose.intervals:
        broken, near = _too_soon(dose.intervals, track, day)
        if broken is not None and not _within_allowable(dose, track, day):
            faults = (*faults, Reason("interval_too_short", broken.document))
        grace = grace or near
    if vaccine in history.programme.live_vaccines and (conflict := _conflict(track, given)) is not None:
        faults = (*faults, conflict)
    for rule in dose.taken.get(vaccine, ()):
        if rule.plain and rule.in_ages(birth, day):
            break
    else:
        if (wrong := _vaccine(dose, track, given)) is not None:
            faults = (*faults, wrong)
    if faults:
        return NOT_VALID, faults
    if given.volume is not None and _too_little(dose, given, birth):
        return VALID, (*(_GRACE if grace else ()), Reason("volume_too_small", dose.document))
    return VALID, (_GRACE if grace else ())


_GRACE = (Reason("grace_period", ""),)


def _too_little(dose: TargetDose, given: Given, birth: int) -> bool:
    """Table 6-26: less than each rule of the vaccine recommends. Volumes are recorded too loosely to refuse a dose."""
    volumes = [
        rule.volume
        for rule in dose.preferable.get(given.vaccine, ())
        if rule.volume is not None and rule.in_ages(birth, given.day) and _suits(rule, given)
    ]
    return given.volume is not None and bool(volumes) and given.volume < min(volumes)
