"""Visits go when their time is over; isolation ends with its last day."""

from __future__ import annotations

import datetime as dt

from khien.core.actor import machine
from khien.core.i18n import N_
from khien.core.jobs import nightly


@nightly("tracing.expire", N_("Retention of visits"), at="02:20")
def expire() -> dict[str, int]:
    from khien.tracing import visits

    return {"months": len(visits.expire(by=machine("epidemic-control", "visit.expire")))}


@nightly("tracing.derive", N_("Visits from checkpoints, sessions and timetables"), at="01:10")
def derive() -> dict[str, int]:
    """Of the last days: a device that had no network sends its passages late."""
    from khien.core.session import begin
    from khien.tracing.movement import derive

    by = machine("epidemic-control", "visit.load")
    with begin(by) as session:
        now = session.now
    return {"visits": derive.derive_all(by=by, start=now - dt.timedelta(days=8), end=now)}


@nightly("tracing.release", N_("Release of those whose isolation is over"), at="00:15")
def release() -> dict[str, int]:
    from khien.tracing import care

    return {"released": care.release_due(by=machine("epidemic-control", "isolation.order"))}
