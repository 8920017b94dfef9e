"""Who is due is asked in the morning: what is kept of everybody's past is brought up to date at night."""

from __future__ import annotations

from khien.core.actor import machine
from khien.core.i18n import N_
from khien.core.jobs import nightly


@nightly("vaccination.keep_up", N_("What the lists of who is due need"), at="03:10")
def keep_up() -> dict[str, int]:
    from khien.vaccination import due, programmes

    return {name: due.keep_up(machine("vaccination"), name) for name in programmes.shipped()}
