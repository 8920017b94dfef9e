"""Walk a person's doses along the target doses of one series (CDSi section 4.4 and chapter 6)."""

from __future__ import annotations

from khien.vaccination.rules.checks import judge
from khien.vaccination.rules.facts import History
from khien.vaccination.rules.model import Series, TargetDose
from khien.vaccination.rules.skip import SeriesComplete, can_skip
from khien.vaccination.rules.state import EXTRANEOUS, SUBSTANDARD, VALID, Reason, Track

_SUBSTANDARD = (Reason("sub_standard_dose"),)


def walk(series: Series, history: History, complete: SeriesComplete) -> Track:
    """Judge every record of the history in order: each meets the next target dose that cannot be skipped."""
    track = Track(series, history)
    targets, opens = series.doses, series.opens
    for i, given in enumerate(history.records):
        if given.substandard:
            track.judged(given, SUBSTANDARD, _SUBSTANDARD)
            continue
        target = targets[track.at] if track.at < len(targets) else None
        if target is not None and (opens or target.skips_evaluation):
            target = _meets(track, given.day, complete)
        if target is None:
            last = targets[max(track.at - 1, 0)]
            track.judged(given, EXTRANEOUS, (Reason("series_already_complete", last.document),))
            if track.at < len(targets):  # a dose that came to be foreseen later keeps its distance from this one
                track.previous = given
            continue
        status, reasons = judge(target, track, given)
        track.judged(given, status, reasons)
        if status == VALID:
            track.satisfied[target.number] = i
            if not target.recurring:
                track.at += 1
    return track


def _meets(track: Track, day: int, complete: SeriesComplete) -> TargetDose | None:
    """The target dose that a dose on `day` meets. Those that need not be given, or were foreseen only after a later
    one, are passed; None: no more was foreseen on that day.
    """
    targets, opens = track.series.doses, track.series.opens
    while track.at < len(targets):
        if opens and day < opens[track.at]:
            return None
        target = targets[track.at]
        if day >= target.valid_from and not (
            target.skips_evaluation and can_skip(target.skips_evaluation, track, day, complete)
        ):
            return target
        track.skipped.append(target.number)
        track.at += 1
    return None
