"""Conditional skip: when a target dose is not needed (CDSi section 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from khien.vaccination.rules.model import Condition, Skip, SkipSet
from khien.vaccination.rules.state import VALID, Track

SeriesComplete = Callable[[frozenset[str]], bool]  # whether a series of one of these groups is complete


def can_skip(skips: Sequence[Skip], track: Track, day: int, complete: SeriesComplete) -> bool:
    """Whether one of `skips` holds on `day`, seeing the records that the track has judged so far."""
    return any(_skip_holds(skip, track, day, complete) for skip in skips)


def _skip_holds(skip: Skip, track: Track, day: int, complete: SeriesComplete) -> bool:
    """The first set that decides: one that is met where any is enough, one that is not where all are needed."""
    for part in skip.sets:
        if _set_holds(part, track, day, complete) is skip.any_of:
            return skip.any_of
    return not skip.any_of


def _set_holds(part: SkipSet, track: Track, day: int, complete: SeriesComplete) -> bool:
    if not part.conditions or not part.valid_from <= day <= part.valid_until:
        return False
    for condition in part.conditions:
        if _holds(condition, track, day, complete) is part.any_of:
            return part.any_of
    return not part.any_of


def _holds(condition: Condition, track: Track, day: int, complete: SeriesComplete) -> bool:
    kind = condition.kind
    if kind == "age":
        birth = track.history.person.birth
        if condition.from_age is not None and day < condition.from_age.after(birth):
            return False
        return condition.to_age is None or day < condition.to_age.after(birth)
    if kind == "count":
        return _count_holds(condition, track)
    if kind == "interval":
        if track.previous is None or condition.interval is None:
            return False
        return day >= condition.interval.after(track.previous.day)
    if kind == "observation":
        return condition.observations.isdisjoint(track.history.person.observations) is condition.absent
    return complete(condition.series_groups)


def _count_holds(condition: Condition, track: Track) -> bool:
    birth = track.history.person.birth
    first, end = condition.start, condition.end
    if condition.from_age is not None:
        first = max(first, condition.from_age.after(birth))
    if condition.to_age is not None:
        end = min(end, condition.to_age.after(birth))
    count = 0
    records, statuses, vaccines = track.history.records, track.statuses, condition.vaccines
    for i, status in enumerate(statuses):
        given = records[i]
        if first <= given.day < end and (not vaccines or given.vaccine in vaccines):
            count += not condition.valid_only or status == VALID
    if vaccines and not condition.valid_only:
        count += sum(first <= g.day < end and g.vaccine in vaccines for g in track.history.others_before(len(statuses)))
    if condition.compare == "more":
        return count > condition.count
    if condition.compare == "fewer":
        return count < condition.count
    return count == condition.count
