"""The verdict on a declared identity: what agrees with the register, never what the register says.

The SQL function checkpoint_answers decides the same for a batch, where the register is; a property test holds the two
together. This is the reference, and what pages and command line explain.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from khien.checkpoints.rules.declared import Declared
from khien.checkpoints.rules.rule import CheckRule
from khien.core.i18n import N_, translate
from khien.population.rules.name_likeness import Likeness, compare
from khien.population.rules.partial_date import PartialDate


class Verdict(StrEnum):
    MATCH = "match"
    NAME_DIFFERS = "name_differs"
    BIRTH_DATE_DIFFERS = "birth_date_differs"
    UNKNOWN_NUMBER = "unknown_number"
    MALFORMED = "malformed"
    DECEASED = "deceased"
    CARD_CANCELLED = "card_cancelled"


TEXTS = {
    Verdict.MATCH: N_("The declared identity matches the register."),
    Verdict.NAME_DIFFERS: N_("The number belongs to another name."),
    Verdict.BIRTH_DATE_DIFFERS: N_("Number and name match, the birth date differs."),
    Verdict.UNKNOWN_NUMBER: N_("The number is not in the register."),
    Verdict.MALFORMED: N_("What was declared cannot be a number, name or date: a digit or letter is missing or wrong."),
    Verdict.DECEASED: N_("The person is registered as deceased."),
    Verdict.CARD_CANCELLED: N_("The card was cancelled."),
}
NOTE_TEXTS = {
    "sex_differs": N_("The sex differs from the register."),
    "card_unknown": N_("The register knows no such card of this person."),
    "card_expired": N_("The card has expired."),
    "commune_differs": N_("The person is not registered in the declared commune."),
    "doses_green": N_("Green: the full series, long enough ago."),
    "doses_yellow": N_("Yellow: one dose, long enough ago."),
    "isolation": N_("An isolation order is in force."),
    "recovered": N_("Recovered recently."),
    "pass_valid": N_("Holds a valid pass."),
    "pass_expired": N_("The pass has expired."),
    "pass_revoked": N_("The pass was revoked."),
}


@dataclass(frozen=True, slots=True)
class RegisterFacts:
    """What the register says of the person with the declared number; None of it leaves this module."""

    name: str = field(repr=False)
    birth_date: PartialDate = field(repr=False)
    sex: str = field(repr=False)
    died_on: dt.date | None = field(repr=False, default=None)
    card: str | None = field(repr=False, default=None)  # of the declared card: valid, expired, cancelled, unknown
    in_commune: bool = field(repr=False, default=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """`name`: class of likeness; `birth_date`: same, compatible (one of the two is partial) or differs; None where
    there was nothing to compare."""

    verdict: Verdict
    name: Likeness | None = None
    birth_date: str | None = None
    notes: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()

    def text(self, language: str = "en") -> str:
        return translate(TEXTS[self.verdict], language)


def decide(declared: Declared, facts: RegisterFacts | None, rule: CheckRule, today: dt.date) -> Answer:
    """First what identifies (number, name, birth date), and only of a person so identified: death, card, notes."""
    if declared.malformed:
        return Answer(Verdict.MALFORMED, malformed=declared.malformed)
    if facts is None:
        return Answer(Verdict.UNKNOWN_NUMBER)
    name = compare(facts.name, declared.name).likeness
    birth = _birth_date(declared, facts.birth_date)
    if name not in rule.accepted_names:
        return Answer(Verdict.NAME_DIFFERS, name, birth)
    if birth == "differs":
        return Answer(Verdict.BIRTH_DATE_DIFFERS, name, birth)
    verdict = Verdict.MATCH
    if facts.died_on is not None and facts.died_on <= today:
        verdict = Verdict.DECEASED
    elif facts.card == "cancelled":
        verdict = Verdict.CARD_CANCELLED
    return Answer(verdict, name, birth, tuple(_notes(declared, facts)))


def note_text(note: str, language: str = "en") -> str:
    """A note or notice in words; "from_zone_N" names the grade of the zone."""
    if note.startswith("from_zone_"):
        return translate(N_("Comes from a zone of grade {grade}."), language, grade=note.removeprefix("from_zone_"))
    return translate(NOTE_TEXTS[note], language) if note in NOTE_TEXTS else note


def _birth_date(declared: Declared, registered: PartialDate) -> str:
    if declared.born_first is None or declared.born_last is None:
        return "differs"
    if declared.born_first == declared.born_last == registered.full:
        return "same"
    overlap = registered.first_day <= declared.born_last and declared.born_first <= registered.last_day
    return "compatible" if overlap else "differs"


def _notes(declared: Declared, facts: RegisterFacts) -> list[str]:
    found = []
    compared = ("male", "female")
    if declared.sex in compared and facts.sex in compared and declared.sex != facts.sex:
        found.append("sex_differs")
    if declared.card is not None and facts.card in ("unknown", "expired"):
        found.append(f"card_{facts.card}")
    if declared.commune is not None and not facts.in_commune:
        found.append("commune_differs")
    return found
