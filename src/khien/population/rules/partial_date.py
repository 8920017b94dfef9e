"""A birth date known to the day, the month or only the year, as registers of older people hold it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

FIRST_YEAR = 1850
LAST_YEAR = 2399

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2}|\*\*)(?:-([0-9]{2}|\*\*))?)?")
_CARD = re.compile(r"(?:([0-9]{2})([0-9]{2}))?([0-9]{4})")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """`month` and `day` are None when unknown; a day without a month does not exist. Raises ValueError otherwise."""

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise ValueError("year out of range")
        if self.day is not None and self.month is None:
            raise ValueError("a day needs a month")
        dt.date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)

    @classmethod
    def of(cls, day: dt.date) -> PartialDate:
        return cls(day.year, day.month, day.day)

    @property
    def precision(self) -> Literal["d", "m", "y"]:
        """As in person.birth_precision."""
        return "d" if self.day else "m" if self.month else "y"

    @property
    def first_day(self) -> dt.date:
        """First possible day, as in person.birth_date."""
        return dt.date(self.year, self.month or 1, self.day or 1)

    @property
    def last_day(self) -> dt.date:
        month = self.month or 12
        return dt.date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    @property
    def full(self) -> dt.date | None:
        return self.first_day if self.day else None

    def may_equal(self, other: PartialDate) -> bool:
        """Whether both can be the same day, as far as both are known."""
        return self.first_day <= other.last_day and other.first_day <= self.last_day

    def __str__(self) -> str:
        """YYYY-MM-DD, YYYY-MM or YYYY."""
        parts = (f"{self.year:04}", self.month and f"{self.month:02}", self.day and f"{self.day:02}")
        return "-".join(p for p in parts if p)


def parse_iso(text: str, *, field: str = "birth_date") -> PartialDate:
    """YYYY-MM-DD, YYYY-MM or YYYY; `**` for an unknown month or day. Raises BadInput naming `field`."""
    found = _ISO.fullmatch(text.strip())
    if not found:
        raise _bad(field)
    year, month, day = (None if part is None or part == "**" else int(part) for part in found.groups())
    return _build(year, month, day, field)


def parse_ddmmyyyy(text: str, *, field: str = "birth_date") -> PartialDate:
    """ddMMyyyy as on the cards, 00 for an unknown day or month, or yyyy alone. Raises BadInput naming `field`."""
    found = _CARD.fullmatch(text.strip())
    if not found:
        raise _bad(field)
    day, month, year = (None if part is None or part == "00" else int(part) for part in found.groups())
    return _build(year, month, day, field)


def format_ddmmyyyy(date: PartialDate) -> str:
    return f"{date.day or 0:02}{date.month or 0:02}{date.year:04}"


def _build(year: int | None, month: int | None, day: int | None, field: str) -> PartialDate:
    try:
        return PartialDate(year or 0, month, day)
    except ValueError:
        raise _bad(field) from None


def _bad(field: str) -> BadInput:
    message = N_("This is not a date of the calendar.")
    return BadInput(message, faults=(Fault(field, message),))
