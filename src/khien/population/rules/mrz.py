"""Machine-readable zone of the Vietnamese card: TD1, three lines of 30 (ICAO Doc 9303 part 5).

    IDVNM + last 9 digits of the number + check + 12 digits + << + check of those 14
    birth yyMMdd + check + sex + expiry yyMMdd + check + VNM + 11 < + composite check
    FAMILY<<GIVEN<NAMES

Check digits: weights 7, 3, 1 over 0-9 = 0-9, A-Z = 10-35, < = 0, modulo 10.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from khien import rulebook
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.population.rules import personal_number
from khien.population.rules.card_reading import CardReading, Faults
from khien.population.rules.finding import Finding
from khien.population.rules.partial_date import PartialDate
from khien.population.rules.personal_number import PersonalNumber

_SPACES = re.compile(r"\s+")
_LAYOUT = re.compile(
    r"IDVNM(?P<document>[0-9]{9})(?P<document_check>[0-9])(?P<number>[0-9]{12})<<(?P<number_check>[0-9])"
    r"(?P<birth>[0-9<]{6})(?P<birth_check>[0-9])(?P<sex>[MF<])(?P<expiry>[0-9<]{6})(?P<expiry_check>[0-9])"
    r"VNM<{11}(?P<composite>[0-9])(?P<names>[A-Z<]{30})"
)
_SEXES = {"M": "male", "F": "female", "<": "unknown"}
_LETTERS = {word: letter for letter, word in _SEXES.items()}


@dataclass(frozen=True, slots=True)
class MrzCard:
    """What the zone holds. `family` and `given` are upper case without accents; no expiry is None."""

    number: str = field(repr=False)
    birth_date: PartialDate = field(repr=False)
    sex: str
    expires_on: dt.date | None
    family: str = field(repr=False)
    given: str = field(repr=False)


def check_digit(text: str) -> str:
    """The check digit of ICAO Doc 9303 part 3. Raises ValueError for a character outside 0-9, A-Z, <."""
    total = 0
    for place, character in enumerate(text):
        value = 0 if character == "<" else int(character, 36)
        total += value * (7, 3, 1)[place % 3]
    return str(total % 10)


def looks_like(text: str) -> bool:
    """Whether a cleaned text is meant to be a machine-readable zone."""
    return "<" in text and _SPACES.sub("", text).upper().startswith("ID")


def parse(text: str) -> MrzCard:
    """Read a zone; spaces, line breaks and lower case do not matter, the third line may lack its last fillers.

    Raises BadInput with one fault for each check digit or field that does not fit.
    """
    zone = _SPACES.sub("", text).upper()
    found = _LAYOUT.fullmatch(zone.ljust(90, "<"))
    if not found or len(zone) <= 60:
        message = N_("This is not the machine-readable zone of a Vietnamese card: three lines of 30 characters.")
        raise BadInput(message, faults=(Fault("text", message),))
    part = found.groupdict()
    faults = Faults()
    _check_digits(zone.ljust(90, "<"), part, faults)
    number: PersonalNumber = faults.attempt(personal_number.parse, part["number"])
    expires_on = faults.attempt(_expiry, part["expiry"])
    birth_date = faults.attempt(_birth, part["birth"], number=number)
    family, _, given = part["names"].rstrip("<").partition("<<")
    if not family:
        faults.add("name", N_("The name is missing."))
    if part["document"] != part["number"][3:]:
        faults.add("document_number", N_("The two numbers of the zone are not of one card."))
    faults.stop_if_any()
    return MrzCard(
        number=part["number"],
        birth_date=birth_date,
        sex=_SEXES[part["sex"]],
        expires_on=expires_on,
        family=_words(family),
        given=_words(given),
    )


def format(card: MrzCard) -> str:  # noqa: A001 - parse and format are the pair that every document has
    """The three lines, joined by line breaks; a name that does not fit is cut at 30 characters.

    `family` and `given` must hold A-Z and spaces only (names.mrz_name makes them so). Raises ValueError otherwise.
    """
    if not re.fullmatch("[A-Z ]+", card.family) or not re.fullmatch("[A-Z ]*", card.given):
        raise ValueError("names in the zone have the letters A to Z only")
    no_expiry = rulebook.load("population", "card")["mrz"]["no_expiry"]
    date = card.birth_date
    birth = f"{date.year % 100:02}" + "".join(f"{p:02}" if p else "<<" for p in (date.month, date.day))
    expiry = f"{card.expires_on:%y%m%d}" if card.expires_on else no_expiry
    document, number = card.number[3:], card.number + "<<"
    first = f"IDVNM{document}{check_digit(document)}{number}{check_digit(number)}"
    second = f"{birth}{check_digit(birth)}{_LETTERS[card.sex]}{expiry}{check_digit(expiry)}VNM" + "<" * 11
    names = f"{card.family}<<{card.given}".replace(" ", "<")
    return "\n".join((first, second + check_digit(_composite(first, second)), names[:30].ljust(30, "<")))


def reading(card: MrzCard) -> CardReading:
    """The common form; the name in its Vietnamese order, family name first."""
    number = personal_number.parse(card.number)
    warnings = number.warnings + personal_number.consistency(number, card.birth_date, card.sex)
    if len(f"{card.family}<<{card.given}") >= 30:
        warnings += (Finding("name_cut", N_("The name fills the line and may be cut off."), "name"),)
    return CardReading(
        kind="mrz",
        personal_number=card.number,
        name=f"{card.family} {card.given}".strip(),
        birth_date=card.birth_date,
        sex=card.sex,
        expires_on=card.expires_on,
        warnings=warnings,
    )


def _composite(first: str, second: str) -> str:
    """What the last check digit covers: line 1 from place 6, then birth and expiry with their digits, then options."""
    return first[5:30] + second[0:7] + second[8:15] + second[18:29]


def _check_digits(zone: str, part: dict[str, str], faults: Faults) -> None:
    message = N_("A check digit does not fit: a character was misread.")
    checks = (
        ("document_number", part["document"], part["document_check"]),
        ("personal_number", part["number"] + "<<", part["number_check"]),
        ("birth_date", part["birth"], part["birth_check"]),
        ("expires_on", part["expiry"], part["expiry_check"]),
        ("text", _composite(zone[:30], zone[30:60]), part["composite"]),
    )
    for name, covered, digit in checks:
        if check_digit(covered) != digit:
            faults.add(name, message)


def _words(text: str) -> str:
    return " ".join(text.replace("<", " ").split())


def _expiry(text: str) -> dt.date | None:
    # These cards are issued since 2021, so the century of the expiry is certain.
    if text in (rulebook.load("population", "card")["mrz"]["no_expiry"], "<<<<<<"):
        return None
    try:
        return dt.date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise _not_a_date("expires_on") from None


def _birth(text: str, number: PersonalNumber | None) -> PartialDate:
    """The century comes from the personal number; where its year differs, the nearer century is taken."""
    month, day = (None if p == "<<" else p for p in (text[2:4], text[4:]))
    try:
        year = int(text[:2])
        known = number.birth_year if number else 1900 + year
        century = min((known // 100 + shift for shift in (0, -1, 1)), key=lambda c: abs(c * 100 + year - known))
        return PartialDate(century * 100 + year, month and int(month), day and int(day))  # type: ignore[arg-type]
    except ValueError:
        raise _not_a_date("birth_date") from None


def _not_a_date(field: str) -> BadInput:
    message = N_("This is not a date of the calendar.")
    return BadInput(message, faults=(Fault(field, message),))
