"""A list of people by personal number, as an employer or a commune hands it in: a text, or a CSV's first column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.population.rules.personal_number import is_well_formed

MOST = 200_000  # lines of one list


@dataclass(frozen=True, slots=True)
class Listed:
    """Each number with the line where it stands first, and what is wrong with the other lines."""

    numbers: dict[str, int]
    faults: tuple[Fault, ...]


def read_list(content: bytes) -> Listed:
    """Empty lines and a heading are passed over. Raises BadInput for what is no text at all."""
    numbers: dict[str, int] = {}
    faults: list[Fault] = []
    for line, text in enumerate(_text(content).splitlines(), 1):
        if line > MOST:
            faults.append(Fault("personal_number", N_("Lists have at most {most} lines."), line, {"most": MOST}))
            break
        # Spreadsheets write a number as text with an apostrophe before it, people with spaces or points in it.
        number = re.sub(r"[\s.'\u2019\"-]", "", re.split(r"[,;\t]", text, maxsplit=1)[0])
        if not number or (line == 1 and not any(c.isdigit() for c in number)):
            continue
        if re.fullmatch(r"\d{11}", number, re.ASCII):
            faults.append(Fault("personal_number", N_("11 digits: did the spreadsheet drop the first zero?"), line))
        elif not is_well_formed(number):
            faults.append(Fault("personal_number", N_("Not a personal number of 12 digits."), line))
        elif number in numbers:
            repeated = N_("Stands in line {first} already.")
            faults.append(Fault("personal_number", repeated, line, {"first": numbers[number]}))
        else:
            numbers[number] = line
    return Listed(numbers, tuple(faults))


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # Excel's "Unicode text"
        encoding = "utf-16"
    elif content[:4] == b"PK\x03\x04":
        raise _wrong(N_("This is an Excel workbook: save the sheet as CSV first."))
    else:
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise _wrong(N_("The file is no text in UTF-8.")) from None
    if "\0" in text:
        raise _wrong(N_("The file is no text in UTF-8."))
    return text


def _wrong(message: str) -> BadInput:
    return BadInput(message, faults=(Fault("file", message),))
