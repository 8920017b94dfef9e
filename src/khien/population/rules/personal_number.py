"""The 12-digit personal number (số định danh cá nhân): PPP C YY RRRRRR.

PPP place of birth registration, C century and sex, YY year of birth, R random; there is no check digit.
Decree 137/2015/ND-CP art. 13, Circular 07/2016/TT-BCA annex I, Circular 59/2021/TT-BCA art. 4. The table is data:
rulebook/population/personal_number.toml. PPP is read with the 63 provinces of before 2025 for ever and says
nothing about where a person lives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from khien import rulebook
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.population.rules.finding import Finding
from khien.population.rules.partial_date import PartialDate

_SPACES = re.compile(r"\s+")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class NumberTable:
    """What the digits mean. `provinces`: PPP to name; `centuries`: C to (first year, sex)."""

    provinces: Mapping[str, str]
    centuries: Mapping[str, tuple[int, str]]
    first_country_code: int
    document: str


@dataclass(frozen=True, slots=True)
class PersonalNumber:
    """A well-formed number, taken apart. `birth_place` is None for a place the table does not know (see `warnings`)."""

    value: str = field(repr=False)  # an identifier must not reach a log through repr()
    birth_place_code: str
    birth_place: str | None
    century: int  # first year: 1900, 2000, ...
    sex: str  # male | female
    birth_year: int
    warnings: tuple[Finding, ...] = ()

    @property
    def masked(self) -> str:
        """The first six digits starred, as the personal QR of Decision 1405 does."""
        return "******" + self.value[6:]


@cache
def number_table() -> NumberTable:
    """The table that ships with the product."""
    data = rulebook.load("population", "personal_number")
    return NumberTable(
        provinces=data["provinces"],
        centuries={c["digit"]: (c["first_year"], c["sex"]) for c in data["century"]},
        first_country_code=data["countries"]["first_code"],
        document=data["document"],
    )


def parse(text: str, table: NumberTable | None = None, *, field: str = "personal_number") -> PersonalNumber:
    """Read a number; spaces in it do not matter. Raises BadInput naming `field`, without repeating the number."""
    table = table or number_table()
    value = _SPACES.sub("", text)
    message = _malformed(value)
    if message:
        raise BadInput(message, faults=(Fault(field, message),))
    place = table.provinces.get(value[:3])
    century, sex = table.centuries[value[3]]
    return PersonalNumber(
        value=value,
        birth_place_code=value[:3],
        birth_place=place,
        century=century,
        sex=sex,
        birth_year=century + int(value[4:6]),
        warnings=() if place else (_unknown_place(value[:3], table),),
    )


def compose(place_code: str, sex: str, birth_year: int, serial: int, table: NumberTable | None = None) -> str:
    """The number with these parts. `serial` 0..999999. Raises ValueError for parts that no number can hold."""
    table = table or number_table()
    century = birth_year // 100 * 100
    digit = next((d for d, meaning in table.centuries.items() if meaning == (century, sex)), None)
    if digit is None or not 0 <= serial <= 999_999 or not (len(place_code) == 3 and _DIGITS.fullmatch(place_code)):
        raise ValueError("no personal number has these parts")
    return f"{place_code}{digit}{birth_year % 100:02}{serial:06}"


def is_well_formed(text: str) -> bool:
    """Whether `parse` would accept it."""
    return _malformed(_SPACES.sub("", text)) is None


def consistency(number: PersonalNumber, birth_date: PartialDate | None, sex: str | None) -> tuple[Finding, ...]:
    """Where a number and what is declared beside it do not agree.

    Findings, not errors: registers hold numbers given for a birth date that was corrected later.
    A sex of None, "other" or "unknown" is not compared.
    """
    found = []
    document = number_table().document
    if birth_date is not None and birth_date.year != number.birth_year:
        message = N_("The personal number belongs to another year of birth than the one stated.")
        found.append(Finding("number_birth_year", message, "birth_date", document))
    if sex in ("male", "female") and sex != number.sex:
        message = N_("The personal number belongs to the other sex than the one stated.")
        found.append(Finding("number_sex", message, "sex", document))
    return tuple(found)


def _malformed(value: str) -> str | None:
    if not value:
        return N_("The personal number is missing.")
    if not _DIGITS.fullmatch(value):
        return N_("A personal number has digits only.")
    if len(value) == 11:
        return N_("This has 11 digits. A personal number has 12: a spreadsheet may have dropped the leading zero.")
    if len(value) != 12:
        return N_("A personal number has exactly 12 digits.")
    return None


def _unknown_place(code: str, table: NumberTable) -> Finding:
    if int(code) >= table.first_country_code:
        message = N_("The birth was registered abroad, under a country code that is not in the table.")
    else:
        message = N_("The place of birth registration in the number is not in the table.")
    return Finding("number_birth_place", message, "personal_number", table.document)
