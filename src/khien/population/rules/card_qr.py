"""QR of the chip card (2021) and of the card of 2024: fields separated by `|`, UTF-8.

    number|old number|name|birth ddMMyyyy|Nam or Nữ|permanent address|issued ddMMyyyy[|more ...]

The first seven fields keep their places on both; what follows on the card of 2024 is kept as it is. Which form is from
when stands in rulebook/population/card.toml.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from khien import rulebook
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import fold, nfc
from khien.population.rules import documents, partial_date, personal_number
from khien.population.rules.card_reading import CardReading, Faults, lost_letters
from khien.population.rules.finding import Finding
from khien.population.rules.partial_date import PartialDate

_SEXES = {"nam": "male", "nu": "female"}
_SEX_WORDS = {"male": "Nam", "female": "Nữ"}
_LETTER = re.compile(r"[^\W\d_]")
_TWELVE = re.compile(r"[0-9]{12}")


def parse(text: str) -> CardReading:
    """Read a cleaned text. Accepts six fields (no place for the old number) and trailing empty fields.

    Raises BadInput with one fault a field. Doubts (unknown birth place, number and birth date disagree, letters lost by
    the reader) are warnings of the reading.
    """
    fields = _in_places([nfc(f) for f in text.split("|")])
    faults = Faults()
    number = faults.attempt(personal_number.parse, fields[0])
    old_number = faults.attempt(_old_number, fields[1])
    name = faults.attempt(_name, fields[2])
    birth_date = faults.attempt(partial_date.parse_ddmmyyyy, fields[3])
    sex = faults.attempt(_sex, fields[4])
    issued_on = faults.attempt(_full_date, fields[6])
    faults.stop_if_any()
    extras = tuple((f"field_{place}", value) for place, value in enumerate(fields[7:], 8))
    kind, warnings = _kind(issued_on, extras)
    warnings += number.warnings + personal_number.consistency(number, birth_date, sex)
    if lost_letters(name):
        warnings += (Finding("letters_lost", N_("The reader lost letters of the name. Type the name."), "name"),)
    if issued_on < birth_date.first_day:
        warnings += (Finding("issued_before_birth", N_("The card was issued before the birth."), "issued_on"),)
    return CardReading(
        kind=kind,
        personal_number=number.value,
        old_number=old_number or None,
        name=name,
        birth_date=birth_date,
        sex=sex,
        address=fields[5] or None,
        issued_on=issued_on,
        extras=extras,
        warnings=warnings,
    )


def format(card: CardReading) -> str:  # noqa: A001 - parse and format are the pair that every document has
    """The QR text of a reading of kind cccd_chip or can_cuoc. Raises ValueError where a field it needs is missing."""
    if not (card.personal_number and card.name and card.birth_date and card.sex in _SEX_WORDS and card.issued_on):
        raise ValueError("a card needs number, name, birth date, sex and day of issue")
    fields = [
        card.personal_number,
        card.old_number or "",
        card.name,
        partial_date.format_ddmmyyyy(card.birth_date),
        _SEX_WORDS[card.sex],
        card.address or "",
        f"{card.issued_on:%d%m}{card.issued_on.year:04}",
        *(value for _, value in card.extras),
    ]
    if any("|" in f for f in fields):
        raise ValueError("a field must not hold the separator")
    return "|".join(fields)


def _in_places(fields: list[str]) -> list[str]:
    """The fields in their seven places and more: the old number's place inserted where it is missing, the tail cut."""
    # A name never consists of digits: so the second field tells whether the old number has a place.
    if len(fields) > 1 and _LETTER.search(fields[1]):
        fields.insert(1, "")
    while len(fields) > 7 and not fields[-1]:
        fields.pop()
    if len(fields) < 7:
        message = N_("The text has too few fields for a card: the scan was cut off.")
        raise BadInput(message, faults=(Fault("text", message),))
    return fields


def _kind(issued_on: dt.date, extras: tuple[Any, ...]) -> tuple[str, tuple[Finding, ...]]:
    forms = rulebook.load("population", "card")["format"]
    current = rulebook.in_force(forms, issued_on)
    if not current:
        message = N_("No card with this code was issued on that day.")
        return forms[0]["id"], (Finding("card_not_yet_issued", message, "issued_on", forms[0]["document"]),)
    kind = current[-1]["id"]
    if kind == forms[0]["id"] and extras:
        message = N_("The code holds more fields than cards of that day.")
        return kind, (Finding("unexpected_fields", message, "extras", current[-1]["document"]),)
    return kind, ()


def _old_number(text: str) -> str:
    # A few cards repeat a 12-digit number here, of the card they replaced.
    if not text or _TWELVE.fullmatch(text):
        return text
    return documents.parse_cmnd(text)


def _name(text: str) -> str:
    if not _LETTER.search(text):
        message = N_("The name is missing.")
        raise BadInput(message, faults=(Fault("name", message),))
    return text


def _sex(text: str) -> str:
    sex = _SEXES.get(fold(text))
    if sex is None:
        message = N_('The sex must be "Nam" or "Nữ".')
        raise BadInput(message, faults=(Fault("sex", message),))
    return sex


def _full_date(text: str) -> dt.date:
    date: PartialDate = partial_date.parse_ddmmyyyy(text, field="issued_on")
    if date.full is None:
        message = N_("The day of issue must be complete.")
        raise BadInput(message, faults=(Fault("issued_on", message),))
    return date.full
