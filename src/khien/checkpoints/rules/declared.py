"""What somebody declares about themselves, read from JSON for comparison with the register.

Two kinds of faults: a message that breaks its form (BadInput, the sender's program is wrong) and content that no
register can hold (`malformed` names the fields; the verdict is "malformed" and is logged like every other).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import nfc
from khien.population.rules import partial_date

MAX_NAME = 200
SEXES = ("male", "female", "other", "unknown")
FIELDS = frozenset(("number", "name", "birth_date", "sex", "card_number", "card_issued_on", "commune"))
REQUIRED = ("number", "name", "birth_date")

_NUMBER = re.compile(r"[0-9]{12}|[0-9]{9}|KT[0-9]{12}")
_FILLING = re.compile(r"[\s.\-]+")
_CODE = re.compile(r"[0-9A-Za-z]{1,20}")
_BROKEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Declared(NamedTuple):
    """Normalised. `born_first`/`born_last` are the same day unless only the month or year is declared.

    A tuple, because a thousand are made a request: a frozen dataclass takes three times as long.
    """

    number: str  # "" where malformed
    name: str
    born_first: dt.date | None
    born_last: dt.date | None
    sex: str | None = None
    card: str | None = None
    card_issued: dt.date | None = None
    commune: str | None = None
    malformed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without what identifies somebody."""
        return f"Declared(sex={self.sex!r}, commune={self.commune!r}, malformed={self.malformed!r})"


def read(message: object, *, line: int | None = None) -> Declared:
    """One check of a message. Raises BadInput that names the first faulty fields and never repeats a value."""
    if not isinstance(message, dict):
        raise _bad_form("", N_("A check is an object with number, name and birth date."), line)
    if not message.keys() <= FIELDS:
        raise _bad_form("", N_("A check has a field that is not known."), line)
    for key in REQUIRED:
        if key not in message:
            raise _bad_form(key, N_("This field is required."), line)
    for key, value in message.items():
        if not isinstance(value, str) and (value is not None or key in REQUIRED):
            raise _bad_form(key, N_("This field must be text."), line)
    return _content(message)


def _content(message: Mapping[str, str | None]) -> Declared:
    wrong: list[str] = []
    number = _number(message["number"] or "", wrong)
    name = _name(message["name"] or "", wrong)
    first, last = _born(message["birth_date"] or "", wrong)
    sex = _one_of("sex", message.get("sex"), SEXES, wrong)
    card = _code("card_number", _FILLING.sub("", message.get("card_number") or "").upper(), wrong)
    issued = _day(message.get("card_issued_on"), wrong)
    commune = _code("commune", message.get("commune"), wrong)
    if wrong:  # logged as malformed; nothing is looked up, so nothing of it goes further
        return Declared("", "", None, None, malformed=tuple(wrong))
    return Declared(number, name, first, last, sex, card, issued, commune)


def _number(text: str, wrong: list[str]) -> str:
    if _NUMBER.fullmatch(text):
        return text
    bare = _FILLING.sub("", text).upper()
    if _NUMBER.fullmatch(bare):
        return bare
    wrong.append("number")
    return ""


def _name(text: str, wrong: list[str]) -> str:
    usual = " ".join(text.split()) == text and unicodedata.is_normalized("NFC", text)
    name = text if usual else nfc(text)
    if not name or len(name) > MAX_NAME or _BROKEN.search(name):
        wrong.append("name")
        return ""
    return name


def _born(text: str, wrong: list[str]) -> tuple[dt.date | None, dt.date | None]:
    try:
        if _DAY.fullmatch(text):
            day = dt.date.fromisoformat(text)
            if partial_date.FIRST_YEAR <= day.year <= partial_date.LAST_YEAR:
                return day, day
        declared = partial_date.parse_iso(text)
    except (ValueError, BadInput):
        wrong.append("birth_date")
        return None, None
    return declared.first_day, declared.last_day


def _day(text: str | None, wrong: list[str]) -> dt.date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    wrong.append("card_issued_on")
    return None


def _code(name: str, value: str | None, wrong: list[str]) -> str | None:
    if value and not _CODE.fullmatch(value):
        wrong.append(name)
    return value or None


def _one_of(name: str, value: str | None, known: tuple[str, ...], wrong: list[str]) -> str | None:
    if value and value not in known:
        wrong.append(name)
    return value or None


def _bad_form(name: str, message: str, line: int | None) -> BadInput:
    return BadInput(message, faults=(Fault(name, message, line),))
