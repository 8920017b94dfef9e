"""Why a row was not loaded, in words. The keys are those of checks.sql, merge.sql and reading.py."""

from __future__ import annotations

from typing import Any

from khien.core.i18n import N_

REASONS = {
    # Rows that cannot be read.
    "not_utf8": N_(
        "The row is not UTF-8: its letters are of an older encoding, like TCVN3, VNI or Windows-1258."
        " Save it as CSV UTF-8."
    ),
    "nul_byte": N_("The row holds a NUL byte."),
    "column_count": N_("The row has more or fewer fields than the header."),
    "unbalanced_quote": N_("A quotation mark is opened and not closed."),
    "too_long": N_("The value is longer than the register keeps."),
    # Values.
    "missing": N_("The value is missing."),
    "digits_only": N_("A personal number has digits only."),
    "eleven_digits": N_(
        "This has 11 digits. A personal number has 12: a spreadsheet may have dropped the leading zero."
    ),
    "twelve_digits": N_("A personal number has exactly 12 digits."),
    "no_letter": N_("A name has letters."),
    "no_date": N_("This is not a date of the calendar, written as year-month-day like 2021-09-15."),
    "too_late": N_("The day lies too far ahead. Leave it empty where there is no last day."),
    "future": N_("The date lies after the day of the extract."),
    "before_birth": N_("The death lies before the birth."),
    "reversed": N_("The last day lies before the first."),
    "unknown_value": N_("This value is not one of those the column may have."),
    "nine_digits": N_("An old identity card number has exactly 9 digits."),
    "insurance_form": N_("A health insurance number is 2 letters and 13 digits, or the 10-digit code."),
    "card_without_number": N_("A card needs the number that is printed on it."),
    "no_commune": N_("No commune had this code on the day of the extract."),
    # Rows that contradict each other or the register.
    "duplicate": N_("Another row of the file has this number with other data."),
    "two_heads": N_("The household has two heads."),
    "conflict": N_("In the register this number belongs to another person. To be reconciled."),
    "overlap": N_("A residence of this kind that begins later is already in the register."),
}

# What a column may hold, where that is a short list.
_VALUES = {
    "sex": "male, female, other, unknown",
    "card_kind": "cmnd, cccd, cccd_chip, can_cuoc",
    "relation": "head, spouse, child, parent, sibling, grandparent, grandchild, other",
}


def reason_of(key: str, field: str) -> tuple[str, dict[str, Any]]:
    """The message of a refusal of a field, and what fills it."""
    if key == "unknown_value" and field in _VALUES:
        return N_("This value is not one of those the column may have: {values}."), {"values": _VALUES[field]}
    return REASONS[key], {}
