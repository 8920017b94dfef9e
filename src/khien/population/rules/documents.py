"""Identifiers other than the personal number: old identity card, passport, health insurance, provisional id.

Each `parse_*` gives the normalised value as `identifier.value` stores it (no spaces, upper case) and raises BadInput
naming its field, never repeating what was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

_FILLING = re.compile(r"[\s.\-\u2010-\u2015]+")
_CMND = re.compile(r"[0-9]{9}")
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{6,9}")
_INSURANCE = re.compile(r"(?:[A-Z]{2}[0-9]{3})?[0-9]{10}")
_PROVISIONAL = re.compile(r"KT([0-9]{10})([0-9]{2})")


@dataclass(frozen=True, slots=True)
class InsuranceNumber:
    """A health-insurance card number (2 letters, 13 digits) or the 10-digit code alone.

    `code` is the 10-digit part that stays with the person when the card's group or province changes, so it is the
    part to compare by.
    """

    value: str = field(repr=False)

    @property
    def code(self) -> str:
        return self.value[-10:]

    @property
    def group(self) -> str | None:
        """Letters for the group of insured people, where the whole card number is known."""
        return self.value[:2] if len(self.value) == 15 else None


def normalise(text: str) -> str:
    """Upper case, no spaces, dots or hyphens."""
    return _FILLING.sub("", text).upper()


def parse_cmnd(text: str, *, field: str = "old_number") -> str:
    """The 9-digit number of the identity card before 2016 (chứng minh nhân dân)."""
    return _matching(_CMND, text, field, N_("An old identity card number has exactly 9 digits."))


def parse_passport(text: str, *, field: str = "passport") -> str:
    """A passport number: 6 to 9 letters and digits, at least one digit (ICAO Doc 9303 allows nine places)."""
    message = N_("A passport number has 6 to 9 letters and digits, without accents.")
    return _matching(_PASSPORT, text, field, message)


def parse_insurance(text: str, *, field: str = "insurance_number") -> InsuranceNumber:
    """2 letters and 13 digits, or the 10-digit code."""
    message = N_("A health insurance number is 2 letters and 13 digits, or the 10-digit code.")
    return InsuranceNumber(_matching(_INSURANCE, text, field, message))


def format_provisional(serial: int) -> str:
    """The provisional id of a person without a personal number: KT, 10 digits, 2 check digits (ISO 7064 MOD 97-10).

    Digits only after the prefix, so it can be told by telephone; the check digits find every single wrong digit and
    every swap of neighbours. `serial` 0..9,999,999,999; raises ValueError outside. Same as SQL khien_provisional_id.
    """
    if not 0 <= serial <= 9_999_999_999:
        raise ValueError("serial out of range")
    return f"KT{serial:010}{98 - serial * 100 % 97:02}"


def parse_provisional(text: str, *, field: str = "provisional_id") -> int:
    """The serial in a provisional id."""
    found = _PROVISIONAL.fullmatch(normalise(text))
    if not found:
        raise _bad(field, N_("A provisional id is KT and 12 digits."))
    serial = int(found[1])
    if format_provisional(serial)[-2:] != found[2]:
        raise _bad(field, N_("The check digits of the provisional id do not fit: a digit is wrong."))
    return serial


def _matching(pattern: re.Pattern[str], text: str, field: str, message: str) -> str:
    value = normalise(text)
    if not pattern.fullmatch(value):
        raise _bad(field, message)
    return value


def _bad(field: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
