"""The form of the day and a filled-in declaration."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from khien import rulebook
from khien.checkpoints.rules.declared import Declared
from khien.checkpoints.rules.passages import plate
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import nfc

CHANNELS = ("self", "proxy", "paper")
MAX_TEXT = 300
_PHONE = re.compile(r"\+?[0-9]{8,15}")
_FILLING = re.compile(r"[\s.\-()]+")


@dataclass(frozen=True, slots=True)
class FormField:
    id: str
    kind: str
    section: str
    required: bool
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    id: str
    pass_hours: int
    fields: tuple[FormField, ...]
    document: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """`who` as for an identity check; `birth_date` is its ISO text as declared. Units are unit ids."""

    client_id: UUID
    who: Declared
    birth_date: str = field(repr=False)
    answers: Mapping[str, str | bool] = field(repr=False)
    from_unit: int | None = None
    to_unit: int | None = None
    party: UUID | None = None


def form_on(day: dt.date) -> Form:
    """The form in force; before the first one the first one."""
    entries = rulebook.load("checkpoints", "declaration")["form"]
    found = (rulebook.in_force(entries, day) or entries[:1])[-1]
    fields = tuple(FormField(**f) for f in found["field"])
    return Form(found["id"], found["pass_hours"], fields, found["document"])


def answers(form: Form, told: Mapping[str, Any]) -> dict[str, str | bool]:
    """Normalised answers by field id; empty ones are left out. Raises BadInput that names the fields.

    Communes stay as they are: they were looked up before.
    """
    found: dict[str, str | bool] = {}
    wrong: list[Fault] = []
    for asked in form.fields:
        value = told.get(asked.id)
        if value is None or value == "":
            if asked.required:
                wrong.append(Fault(asked.id, N_("This field is required.")))
            continue
        try:
            found[asked.id] = _normal(asked.kind, value)
        except ValueError:
            wrong.append(Fault(asked.id, _WRONG.get(asked.kind, N_("This answer does not fit."))))
    if wrong:
        raise BadInput(N_("The declaration is not complete."), faults=tuple(wrong))
    return found


_WRONG = {
    "phone": N_("This is not a telephone number."),
    "plate": N_("This is not a number plate."),
    "date": N_("This is not a date."),
    "yes_no": N_("Answer yes or no."),
}


def _normal(kind: str, value: Any) -> str | bool:
    if kind == "yes_no":
        if isinstance(value, bool):
            return value
        if value in ("yes", "no"):
            return bool(value == "yes")
        raise ValueError("neither yes nor no")
    if kind == "date":
        return value.isoformat() if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)).isoformat()
    text = nfc(str(value)).strip()
    if len(text) > MAX_TEXT or any(ord(letter) < 32 for letter in text):
        raise ValueError("too long or not printable")
    if kind == "phone":
        text = _FILLING.sub("", text)
        if not _PHONE.fullmatch(text):
            raise ValueError("not a telephone number")
    if kind == "plate":
        return plate(text) or ""
    return text
