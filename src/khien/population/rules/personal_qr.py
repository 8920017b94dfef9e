"""Personal QR of Decision 1405/QD-BTTTT (11/09/2021), shown by the health apps of that time.

    number|NAME WITHOUT ACCENTS|YYYY-MM-DD|0 self or 1 declared by another|national QR id|extras

The number's first six characters, and day and month of birth, may be starred. The extras are separated by `<`; their
order is not in a text at hand (rulebook/population/card.toml says what was seen), so they are kept as read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from khien import rulebook
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import nfc
from khien.population.rules import documents, partial_date, personal_number
from khien.population.rules.card_reading import CardReading, Faults
from khien.population.rules.finding import Finding
from khien.population.rules.personal_number import PersonalNumber

_MASKED = re.compile(r"\*{6}[A-Z0-9]{0,6}")
_DECLARED_BY = {"0": "self", "1": "other"}
_DIGIT_OF = {word: digit for digit, word in _DECLARED_BY.items()}


def parse(text: str, rule: Mapping[str, Any] | None = None) -> CardReading:
    """Read a cleaned text; `rule` is the part [personal_qr] of card.toml. Raises BadInput with one fault a field."""
    rule = rule or rulebook.load("population", "card")["personal_qr"]
    fields = [nfc(f) for f in text.split("|", 5)]
    if len(fields) < 4:
        raise _bad("text", N_("A personal QR has at least four fields."))
    fields += [""] * (6 - len(fields))
    faults = Faults()
    identifiers = faults.attempt(_number, fields[0]) or {}
    birth_date = faults.attempt(partial_date.parse_iso, fields[2])
    if not fields[1]:
        faults.add("name", N_("The name is missing."))
    if fields[3] not in _DECLARED_BY:
        faults.add("declared_by", N_("The fourth field must be 0 (declared by the person) or 1 (by another)."))
    faults.stop_if_any()
    extras = _extras(fields[5], rule)
    sex = rule["sex"].get(extras.get("sex", ""))
    known: PersonalNumber | None = identifiers.pop("known", None)
    warnings: tuple[Finding, ...] = ()
    if known:
        warnings = known.warnings + personal_number.consistency(known, birth_date, sex)
    return CardReading(
        kind="personal_qr",
        name=fields[1],
        birth_date=birth_date,
        sex=sex,
        extras=(("declared_by", _DECLARED_BY[fields[3]]), ("qid", fields[4]), *extras.items()),
        warnings=warnings,
        **identifiers,
    )


def format(card: CardReading, rule: Mapping[str, Any] | None = None) -> str:  # noqa: A001
    """The QR text of a reading of kind personal_qr. Raises ValueError where a field it needs is missing."""
    rule = rule or rulebook.load("population", "card")["personal_qr"]
    number = card.personal_number or card.masked_number or card.old_number or card.passport
    extras = dict(card.extras)
    if not (number and card.name and card.birth_date and extras.get("declared_by") in _DIGIT_OF):
        raise ValueError("a personal QR needs number, name, birth date and who declared")
    date = card.birth_date
    month, day = (f"{part:02}" if part else "**" for part in (date.month, date.day))
    rest = _places(extras, rule)
    fields = [number, card.name, f"{date.year:04}-{month}-{day}", _DIGIT_OF[extras["declared_by"]]]
    fields += [extras.get("qid", ""), "<".join(rest)]
    if any("|" in f for f in fields) or any("<" in value for value in rest):
        raise ValueError("a field must not hold a separator")
    return "|".join(fields)


def _extras(text: str, rule: Mapping[str, Any]) -> dict[str, str]:
    """The extras by name; those beyond the known ones are ext_6, ext_7, ..."""
    names = rule["extras"]
    values = [v.strip() for v in text.split("<")]
    named = {names[i] if i < len(names) else f"ext_{i + 1}": value for i, value in enumerate(values)}
    return {name: value for name, value in named.items() if value}


def _places(extras: Mapping[str, str], rule: Mapping[str, Any]) -> list[str]:
    """The extras in their places, as `_extras` names them; the empty tail cut."""
    names = rule["extras"]
    last = max([len(names), *(int(n[4:]) for n in extras if re.fullmatch("ext_[0-9]{1,4}", n))])
    values = [extras.get(names[i] if i < len(names) else f"ext_{i + 1}", "") for i in range(last)]
    while values and not values[-1]:
        values.pop()
    return values


def _number(text: str) -> dict[str, Any]:
    """What the first field is: the complete or starred number, an old one, a passport."""
    value = documents.normalise(text)
    if _MASKED.fullmatch(value):
        return {"masked_number": value}
    if value.isdecimal() and len(value) == 9:
        return {"old_number": documents.parse_cmnd(value)}
    if not value.isdecimal() and value:
        return {"passport": documents.parse_passport(value, field="document_number")}
    known = personal_number.parse(value)
    return {"personal_number": known.value, "known": known}


def _bad(field: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
