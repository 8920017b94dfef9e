"""Cards of a synthetic nation: which kind each person holds, issued when, valid until."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE, CMND, CCCD, CHIP, CAN_CUOC = -1, 0, 1, 2, 3
KINDS = np.array(["cmnd", "cccd", "cccd_chip", "can_cuoc"], dtype=object)
NEVER = np.iinfo(np.int32).min
_YEAR = 365.2425
_EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    return (day - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Cards:
    """Kind (NONE or index into KINDS) and days since 1970-01-01 (NEVER where there is none)."""

    kind: Ints
    issued: Ints
    expires: Ints


def cards(
    born: Ints,
    alive_until: Ints,
    has_number: NDArray[np.bool_],
    kind_draw: Floats,
    issue_draw: Floats,
    on: dt.date,
    facts: dict[str, Any],
) -> Cards:
    """The card each person holds on the date; `facts` is the table [cards] of the shares."""
    today = day_number(on)
    entitled = born + int(facts["minimum_age"] * _YEAR) + 1
    chip_from, cccd_from = day_number(facts["chip_from"]), day_number(facts["cccd_from"])
    new_from = day_number(facts["can_cuoc_from"])
    new = min(facts["can_cuoc_limit"], max(0.0, (today - new_from) * facts["can_cuoc_daily"]))
    chip = min(facts["chip_limit"], max(0.0, (today - chip_from) * facts["chip_daily"]))
    barcode = facts["cccd_share"] if today > cccd_from else 0.0
    kind = np.select(
        [kind_draw < new, kind_draw < max(chip, new), kind_draw < max(chip, new) + (1 - max(chip, new)) * barcode],
        [CAN_CUOC, CHIP, CCCD],
        CMND,
    )
    # Paper cards ended when the chip card came: who became entitled later and has no chip card yet has none.
    first = np.array([today - int(facts["cmnd_years"] * _YEAR), cccd_from, chip_from, new_from])[kind]
    last = np.array([chip_from - 1, chip_from - 1, new_from - 1, today])[kind]
    first, last = np.maximum(first, entitled), np.minimum(last, alive_until)
    held = has_number & (first <= last)
    issued = first + np.floor(issue_draw * (last - first + 1)).astype(np.int64)
    return Cards(
        kind=np.where(held, kind, NONE),
        issued=np.where(held, issued, NEVER),
        expires=np.where(held, _expiry(born, issued, kind, facts), NEVER),
    )


def _expiry(born: Ints, issued: Ints, kind: Ints, facts: dict[str, Any]) -> Ints:
    """The next renewal age after the issue; a card issued within two years before one lasts until the next after it."""
    expires = np.full(len(born), NEVER, dtype=np.int64)
    for age in sorted(facts["renewal_ages"], reverse=True):
        reached = _birthday(born, age)
        expires = np.where(issued < reached - int(2 * _YEAR), reached, expires)
    return np.where(kind == CMND, _birthday(issued, facts["cmnd_years"]), expires)


def _birthday(days: Ints, years: int) -> Ints:
    """The same calendar day so many years later (29 February becomes 1 March)."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    later: Ints = (months + 12 * years).astype("datetime64[D]").astype(np.int64) + (
        dates - months.astype("datetime64[D]")
    ).astype(np.int64)
    return later
