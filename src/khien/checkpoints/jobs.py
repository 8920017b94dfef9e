"""Movement data go when their time is over."""

from __future__ import annotations

from khien.core.actor import machine
from khien.core.i18n import N_
from khien.core.jobs import nightly


@nightly("checkpoints.retain", N_("Retention of passages, declarations and checks"), at="02:00")
def retain() -> dict[str, int]:
    from khien.checkpoints.movement import actions

    return actions.retain(by=machine("movement-control", "passage.retain"))
