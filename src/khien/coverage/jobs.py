"""Coverage is taken anew every night; by day, questions add what has changed since."""

from __future__ import annotations

from khien.core.actor import machine
from khien.core.i18n import N_
from khien.core.jobs import nightly


@nightly("coverage.build", N_("Coverage taken anew"), at="01:30")
def build() -> dict[str, int]:
    from khien.coverage import snapshot

    made = snapshot.build(by=machine("coverage", "coverage.build"))
    return {made.disease: made.people}
