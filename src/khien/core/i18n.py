"""Vietnamese and English for texts outside Django's templates (errors, command line, rules).

English is the source language. Each capability keeps its catalogue in
`<capability>/locale/vi/LC_MESSAGES/django.po`, which Django reads too; `khien.web.messages` compiles them.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("vi", "en")

# A marked English source text, or a sentence that the rulebook keeps in both languages: {"en": ..., "vi": ...}.
Message = str | Mapping[str, str]
_PACKAGE = Path(__file__).resolve().parent.parent


def N_(message: str) -> str:  # noqa: N802 - the customary name of the gettext marker
    """Mark a message for translation without translating it here."""
    return message


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    merged: gettext.NullTranslations = gettext.NullTranslations()
    for compiled in sorted(_PACKAGE.glob(f"*/locale/{language}/LC_MESSAGES/django.mo")):
        with compiled.open("rb") as stream:
            translations = gettext.GNUTranslations(stream)
        translations.add_fallback(merged)
        merged = translations
    return merged


def translate(message: Message, language: str, **params: Any) -> str:
    """`message` in `language`, filled with `params`; the English source where no translation exists."""
    if isinstance(message, str):
        text = message if language == "en" else _catalogue(language).gettext(message)
    else:
        text = message.get(language) or message["en"]
    if not params:
        return text
    # A parameter may be a sentence in both languages itself.
    params = {
        name: translate(value, language) if isinstance(value, Mapping) else value for name, value in params.items()
    }
    if language == "vi":  # as everything official in Viet Nam writes days
        params = {name: _day(value) for name, value in params.items()}
    return text.format(**params)


def _day(value: Any) -> Any:
    return f"{value:%d/%m/%Y}" if isinstance(value, date) and not isinstance(value, datetime) else value
