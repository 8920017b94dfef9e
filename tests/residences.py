"""Any residence that the register can hold, for property tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from hypothesis import strategies as st

from khien.population.rules.residence import Kind, Spell, insert

KINDS: tuple[Kind, ...] = ("permanent", "temporary", "stay", "absence")


@st.composite
def residences(draw: st.DrawFn, units: Sequence[int], days: st.SearchStrategy[dt.date]) -> tuple[Spell, ...]:
    """Up to six spells of all kinds, entered in any order, those of a kind without overlap; sorted by their start."""
    spells: tuple[Spell, ...] = ()
    for _n in range(draw(st.integers(0, 6))):
        start = draw(days)
        end = draw(st.none() | st.integers(1, 25).map(lambda n, s=start: s + dt.timedelta(days=n)))  # type: ignore[misc]
        spells = insert(spells, Spell(draw(st.sampled_from(KINDS)), draw(st.sampled_from(units)), start, end))
    return tuple(sorted(spells, key=lambda s: (s.start, s.kind)))
