"""How far a person has come on one series: the status of each dose and the next target dose."""

from __future__ import annotations

from typing import NamedTuple

from khien.vaccination.rules.facts import Given, History
from khien.vaccination.rules.model import Series

# Status of a dose (CDSi "evaluation status").
VALID, NOT_VALID, EXTRANEOUS, SUBSTANDARD = "valid", "not_valid", "extraneous", "sub_standard"
INADVERTENT = "inadvertent_vaccine"

# Status of a series and of a vaccine group.
COMPLETE, NOT_COMPLETE, IMMUNE = "complete", "not_complete", "immune"
CONTRAINDICATED, AGED_OUT, NOT_RECOMMENDED = "contraindicated", "aged_out", "not_recommended"


class Reason(NamedTuple):
    """Why: a code (texts in `vaccination/reasons.py`) and the id of the rule's document."""

    code: str
    document: str = ""


class Track:
    """One series walked along one history. `at` is the index of the next target dose; past the end: none is left.

    `statuses` and `reasons` stand for the records judged so far; `previous` is the latest of them that bears on
    intervals (valid or not valid, and not inadvertent), `counted` the latest valid one.
    """

    __slots__ = (
        "at", "counted", "first_valid", "history", "previous", "reasons", "satisfied", "series", "skipped",
        "statuses", "valid_count",
    )  # fmt: skip

    def __init__(self, series: Series, history: History) -> None:
        self.series, self.history = series, history
        self.statuses: list[str] = []
        self.reasons: list[tuple[Reason, ...]] = []
        self.satisfied: dict[int, int] = {}  # target dose number -> record
        self.skipped: list[int] = []
        self.previous: Given | None = None
        self.counted: Given | None = None
        self.valid_count = 0
        self.first_valid: int | None = None  # day
        self.at = 0

    def judged(self, given: Given, status: str, reasons: tuple[Reason, ...]) -> None:
        """Take down what the next record is worth."""
        self.statuses.append(status)
        self.reasons.append(reasons)
        if status == VALID:
            self.previous = self.counted = given
            self.valid_count += 1
            if self.first_valid is None:
                self.first_valid = given.day
        elif status == NOT_VALID and reasons[0].code != INADVERTENT:
            self.previous = given

    def is_inadvertent(self, record: int) -> bool:
        reasons = self.reasons[record]
        return bool(reasons) and reasons[0].code == INADVERTENT

    def found_invalid(self, number: int) -> bool:
        """Whether this series has judged the person's dose `number`, and not as valid."""
        numbers = self.history.numbers
        for i, status in enumerate(self.statuses):
            if numbers[i] == number:
                return status != VALID
        return False

    @property
    def all_valid(self) -> bool:
        return all(status == VALID for status in self.statuses)

    @property
    def remaining(self) -> int:
        return len(self.series.doses) - self.at
