"""Screening before vaccination: answers in, one of four outcomes out. What is asked is `screening.toml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ELIGIBLE, CAUTION, POSTPONE, CONTRAINDICATED = "eligible", "caution", "postpone", "contraindicated"
_WORSE = (ELIGIBLE, CAUTION, POSTPONE, CONTRAINDICATED)


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question, or where `below` or `above` is set, a measurement in `unit`. Limits themselves are within."""

    id: str
    outcome: str
    title: Mapping[str, str]
    sex: str = ""  # asked of this sex only
    unit: str = ""
    below: float | None = None
    above: float | None = None
    plausible: tuple[float, float] | None = None

    @property
    def measured(self) -> bool:
        return self.below is not None or self.above is not None

    def met(self, answer: bool | float | None) -> bool:
        """Whether the answer leads to the criterion's outcome. What was not answered or measured does not."""
        if answer is None:
            return False
        if not self.measured:
            return bool(answer)
        return (self.below is not None and answer < self.below) or (self.above is not None and answer > self.above)


@dataclass(frozen=True, slots=True)
class Form:
    id: str
    document: str
    criteria: tuple[Criterion, ...]

    def for_sex(self, sex: str) -> tuple[Criterion, ...]:
        """What is asked of a person. Of whom the sex is not known, everything."""
        return tuple(c for c in self.criteria if not c.sex or sex in (c.sex, "unknown", "other"))


@dataclass(frozen=True, slots=True)
class Screening:
    outcome: str
    reasons: tuple[Criterion, ...]  # the criteria that were met, the worst first

    @property
    def may_be_given(self) -> bool:
        return self.outcome in (ELIGIBLE, CAUTION)


def age_on(birth: dt.date, day: dt.date) -> int:
    """Completed years; who is born on 29 February is a year older on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def form_in_force(rules: Mapping[str, Any], day: dt.date, age: int) -> Form | None:
    """The newest form for somebody of this age on a day; None where none is in force. `rules`: screening.toml."""
    found = [
        f for f in rules["form"]
        if f.get("valid_from", dt.date.min) <= day <= f.get("valid_until", dt.date.max)
        and f.get("age_from", 0) <= age < f.get("age_to", 1000)
    ]  # fmt: skip
    if not found:
        return None
    newest = max(found, key=lambda f: f.get("valid_from", dt.date.min))
    criteria = {c["id"]: _criterion(c) for c in rules["criterion"]}
    return Form(newest["id"], newest["document"], tuple(criteria[name] for name in newest["criteria"]))


def _criterion(told: Mapping[str, Any]) -> Criterion:
    plausible = told.get("plausible")
    return Criterion(
        told["id"], told["outcome"], told["title"], told.get("sex", ""), told.get("unit", ""), told.get("below"),
        told.get("above"), tuple(plausible) if plausible else None,
    )  # fmt: skip


def screen(criteria: Iterable[Criterion], answers: Mapping[str, bool | float | None]) -> Screening:
    """The worst outcome that an answer leads to. Answers by the criterion's id."""
    met = sorted((c for c in criteria if c.met(answers.get(c.id))), key=lambda c: _WORSE.index(c.outcome), reverse=True)
    return Screening(met[0].outcome if met else ELIGIBLE, tuple(met))
