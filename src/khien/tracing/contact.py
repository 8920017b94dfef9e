"""A contact as a trace finds it. Ten thousand are read in milliseconds: times and exposures are made when asked for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Contact(NamedTuple):
    """A row of `trace_contacts` (contacts.sql). Without a person (0) it says what was cut."""

    degree: int
    case_person_id: int
    via_person_id: int | None  # the contact of the degree before through whom this one was found; None in degree 1
    person_id: int
    score: float
    seconds: int  # together, all exposures
    first: float  # seconds since 1970
    last: float
    found: str  # JSON

    @property
    def first_at(self) -> dt.datetime:
        """When they first met."""
        return _EPOCH + dt.timedelta(seconds=self.first)

    @property
    def last_at(self) -> dt.datetime:
        """When they last were together."""
        return _EPOCH + dt.timedelta(seconds=self.last)

    @property
    def exposures(self) -> list[dict[str, Any]]:
        """What they had together, the riskiest first: kind, place (None: at home), from, until (ISO 8601), seconds."""
        return told_exposures(json.loads(self.found))

    @property
    def cuts(self) -> list[dict[str, Any]]:
        """Of a row without a person: what was left out, and why."""
        return [{**cut, "degree": self.degree, "person_id": self.via_person_id or self.case_person_id}
                for cut in json.loads(self.found)]  # fmt: skip


def told_exposures(listed: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Exposures as `trace_step` lists them and as they are kept, in words: see `Contact.exposures`."""
    return [
        {"kind": kind, "place": place, "from": _told(first), "until": _told(last), "seconds": seconds}
        for kind, place, first, last, seconds in listed
    ]


def _told(microseconds: int) -> str:
    return (_EPOCH + dt.timedelta(microseconds=microseconds)).isoformat()
