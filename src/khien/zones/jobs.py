"""Stays end and absences begin without anybody typing; work lists go when their time is over."""

from __future__ import annotations

from khien.core.actor import machine
from khien.core.i18n import N_
from khien.core.jobs import nightly


@nightly("zones.presence", N_("Where everybody is, by the residence of the new day"), at="00:05")
def refresh_presence() -> dict[str, int]:
    from khien.zones import actions

    return {"changed": actions.refresh_presence(by=machine("residence", "residence.write"))}


@nightly("zones.expire", N_("Retention of work lists"), at="02:10")
def expire() -> dict[str, int]:
    from khien.zones import actions

    return {"months": len(actions.expire_tasks(by=machine("epidemic-control", "zone.expire")))}
