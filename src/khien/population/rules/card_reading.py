"""What a scanned or typed text says about a person, whichever document it came from."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.population.rules.finding import Finding
from khien.population.rules.partial_date import PartialDate

MAX_LENGTH = 4096  # a QR code holds 2,953 bytes; anything longer is not a card
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_EDGE = "\ufeff\x00\x02\x03"  # byte-order mark and what some scanners put round a text


@dataclass(frozen=True, slots=True)
class CardReading:
    """One reading. Identifiers and personal facts are kept out of repr(), so that no log gets them.

    `kind`: cccd_chip, can_cuoc, mrz, personal_qr, or for a bare number personal_number, cmnd, insurance, provisional.
    `masked_number` is set where the document hides part of its number. `extras` are (name, value) pairs kept as read.
    Texts are NFC. The address is free text in units of the day of issue: shown, never trusted over the register.
    """

    kind: str
    personal_number: str | None = field(default=None, repr=False)
    masked_number: str | None = field(default=None, repr=False)
    old_number: str | None = field(default=None, repr=False)
    passport: str | None = field(default=None, repr=False)
    insurance_number: str | None = field(default=None, repr=False)
    provisional_id: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    birth_date: PartialDate | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    issued_on: dt.date | None = None
    expires_on: dt.date | None = None
    extras: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    warnings: tuple[Finding, ...] = ()

    def as_json(self, language: str = "en") -> dict[str, Any]:
        """Every field, dates as ISO text, warnings as rule, field and text."""
        facts: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "kind",
                "personal_number",
                "masked_number",
                "old_number",
                "passport",
                "insurance_number",
                "provisional_id",
                "name",
                "birth_date",
                "sex",
                "address",
                "issued_on",
                "expires_on",
            )
        }
        for name in ("birth_date", "issued_on", "expires_on"):
            facts[name] = str(facts[name]) if facts[name] else None
        facts["extras"] = dict(self.extras)
        facts["warnings"] = [{"rule": w.rule, "field": w.field, "text": w.text(language)} for w in self.warnings]
        return facts


class Faults:
    """Collects what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, field: str, message: str) -> None:
        self.found.append(Fault(field, message))

    def attempt(self, parse: Any, text: str, **options: Any) -> Any:
        """`parse(text)`, or None with its faults kept."""
        try:
            return parse(text, **options)
        except BadInput as failure:
            self.found.extend(failure.faults)
            return None

    def stop_if_any(self) -> None:
        if self.found:
            raise BadInput(N_("This text is not a valid card."), faults=tuple(self.found))


def clean(text: str) -> str:
    """NFC, without what readers put round a text. Raises BadInput for a text no card can hold."""
    if len(text) > MAX_LENGTH:
        raise _not_text(N_("This text is longer than any card."))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _not_text(N_("This text is not valid UTF-8.")) from None
    bare = unmangle(text).strip(_EDGE + " \t\r\n\v\f\u00a0").strip()
    if _CONTROL.search(bare):
        raise _not_text(N_("This text holds control characters: the scanner is set up wrongly."))
    return unicodedata.normalize("NFC", bare)


def unmangle(text: str) -> str:
    """Undo UTF-8 read as a Western code page, which USB scanners with a wrong setting produce ("Nguyá»…n")."""
    for code_page in ("latin-1", "cp1252"):
        try:
            repaired = text.encode(code_page).decode("utf-8")
        except UnicodeError:
            continue
        return repaired
    return text


def lost_letters(text: str) -> bool:
    """Whether a reader has replaced letters it did not know."""
    return "\ufffd" in text or "?" in text


def _not_text(message: str) -> BadInput:
    return BadInput(message, faults=(Fault("text", message),))
