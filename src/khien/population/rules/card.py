"""One door for every text that a person shows: card QR, machine-readable zone, personal QR, or a typed number."""

from __future__ import annotations

import re

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.population.rules import card_qr, documents, mrz, personal_number, personal_qr
from khien.population.rules.card_reading import CardReading, clean

_DASHED_DATE = re.compile(r"\s*[0-9]{4}-[0-9*]{2}-[0-9*]{2}\s*")
_DIGITS = re.compile(r"[0-9]+")
_INSURANCE = re.compile(r"[A-Z]{2}[0-9]{13}")


def parse_card(text: str) -> CardReading:
    """Recognise what `text` is and read it.

    Raises BadInput with one Fault for each field that is wrong (never repeating a value); anything else never.
    A number alone is read too, so that an officer can type what a damaged card shows: 12 digits, 9 digits, an
    insurance number, a provisional id.
    """
    text = clean(text)
    if "|" in text:
        return personal_qr.parse(text) if _is_personal_qr(text) else card_qr.parse(text)
    if mrz.looks_like(text):
        return mrz.reading(mrz.parse(text))
    return _bare(documents.normalise(text))


def _is_personal_qr(text: str) -> bool:
    # The two differ in the third field: a date with hyphens there, a name (or an unhyphened birth date) on a card.
    fields = text.split("|")
    return len(fields) > 2 and bool(_DASHED_DATE.fullmatch(fields[2]))


def _bare(value: str) -> CardReading:
    if not value:
        raise _unknown(N_("There is no text."))
    if value.startswith("KT"):
        documents.parse_provisional(value)
        return CardReading("provisional", provisional_id=value)
    if _DIGITS.fullmatch(value):
        if len(value) == 9:
            return CardReading("cmnd", old_number=value)
        if len(value) == 10:
            return CardReading("insurance", insurance_number=value)
        number = personal_number.parse(value)
        return CardReading("personal_number", personal_number=number.value, warnings=number.warnings)
    if _INSURANCE.fullmatch(value):
        return CardReading("insurance", insurance_number=value)
    raise _unknown(N_("This is neither a card code nor a number of a known kind."))


def _unknown(message: str) -> BadInput:
    return BadInput(message, faults=(Fault("text", message),))
