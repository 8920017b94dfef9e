"""When a case could infect others, and when it could have been infected (Decision 3638/QĐ-BYT and its successor)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from khien.rulebook import in_force, load

VIET_NAM = dt.timezone(dt.timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open, with time zones. `rule` is the id of the contact rule it follows."""

    start: dt.datetime
    end: dt.datetime
    rule: str


def contact_rule(on: dt.date) -> Mapping[str, Any]:
    """The contact rule in force on a day."""
    return in_force(load("contacts", "rules")["rule"], on)[0]


def midnight(day: dt.date) -> dt.datetime:
    """The beginning of a day in Viet Nam."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=VIET_NAM)


def effective_onset(onset_on: dt.date | None, sampled_on: dt.date | None) -> dt.date:
    """The day infectiousness is counted from: onset, of people without symptoms the sample."""
    day = onset_on or sampled_on
    if day is None:
        raise ValueError("neither onset nor sample is known")
    return day


def infectious_window(
    onset_on: dt.date | None,
    sampled_on: dt.date | None,
    *,
    moment: dt.datetime,
    isolated_at: dt.datetime | None = None,
    days: int | None = None,
) -> Window:
    """When the case could infect others, as known at `moment`.

    Opens so many days before onset (without symptoms: before the sample) as the rule of the day says, or `days` before
    `moment` if given. Ends when the case was isolated, when the rule's last infectious day is over, or at `moment`.
    """
    rule = contact_rule(moment.astimezone(VIET_NAM).date())
    day = effective_onset(onset_on, sampled_on)
    before = rule["days_before_onset"] if onset_on else rule["days_before_sample"]
    last = midnight(day + dt.timedelta(days=rule["days_after_onset"] + 1))
    start = midnight(day - dt.timedelta(days=before))
    if days is not None:
        start, last = moment - dt.timedelta(days=days), moment
    end = min(moment, last, *([isolated_at] if isolated_at else []))
    return Window(start, max(start, end), rule["id"])


def exposure_window(onset_on: dt.date | None, sampled_on: dt.date | None, *, moment: dt.datetime) -> Window:
    """When the case was infected, most likely: the incubation period before onset, at most until `moment`."""
    rule = contact_rule(moment.astimezone(VIET_NAM).date())
    shortest, longest = rule["incubation_days"]
    day = effective_onset(onset_on, sampled_on)
    start = midnight(day - dt.timedelta(days=longest))
    return Window(start, max(start, min(moment, midnight(day - dt.timedelta(days=shortest - 1)))), rule["id"])
