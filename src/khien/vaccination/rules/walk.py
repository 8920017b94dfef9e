"""Walk a person's doses along the target doses of one series (CDSi section 4.4 and chapter 6)."""

from __future__ import annotations

from khien.vaccination.rules.checks import judge
from khien.vaccination.rules.facts import History
from khien.vaccination.rules.model import Series
from khien.vaccination.rules.skip import SeriesComplete, can_skip
from khien.vaccination.rules.state import EXTRANEOUS, SUBSTANDARD, VALID, Reason, Track

_ALREADY_COMPLETE = (Reason("series_already_complete"),)
_SUBSTANDARD = (Reason("sub_standard_dose"),)


def walk(series: Series, history: History, complete: SeriesComplete) -> Track:
    """Judge every record of the history in order: each meets the next target dose that cannot be skipped."""
    track = Track(series, history)
    targets, end = series.doses, len(series.doses)
    for i, given in enumerate(history.records):
        if given.substandard:
            track.judged(given, SUBSTANDARD, _SUBSTANDARD)
            continue
        while track.at < end:
            target = targets[track.at]
            if not target.skips_evaluation or not can_skip(target.skips_evaluation, track, given.day, complete):
                break
            track.skipped.append(target.number)
            track.at += 1
        else:
            track.judged(given, EXTRANEOUS, _ALREADY_COMPLETE)
            continue
        status, reasons = judge(target, track, given)
        track.judged(given, status, reasons)
        if status == VALID:
            track.satisfied[target.number] = i
            if not target.recurring:
                track.at += 1
    return track
