"""Form fields that several capabilities use."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_YEARS = range(1850, 2400)  # as for birth dates (population.rules.partial_date), which this room may not import


def one_of(choices: Iterable[Any]) -> list[Any]:
    """The choices of a select that decides something: nobody presses past the first of several by accident."""
    found = list(choices)
    return found if len(found) == 1 and not isinstance(found[0][1], list | tuple) else [("", _("choose one")), *found]


class DateInput(forms.MultiWidget):
    """Three boxes, day month year: quicker to type than a calendar, and never read as month before day."""

    template_name = "web/date_input.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        number = {"inputmode": "numeric", "autocomplete": "off"}
        boxes = [forms.TextInput({**number, "maxlength": size}) for size in (2, 2, 4)]
        super().__init__(boxes, attrs)

    def decompress(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            value = dt.date.fromisoformat(value)
        return [value.day, value.month, value.year] if value else ["", "", ""]


class DayInput(forms.TextInput):
    """One box, day/month/year, whatever the language of the browser: its own calendar might put the month first."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        usual = {"inputmode": "numeric", "autocomplete": "off", "maxlength": 12, "class": "nhsuk-input--width-10"}
        super().__init__(usual | (attrs or {}))

    def format_value(self, value: Any) -> str | None:
        day = _day(value) if isinstance(value, str) else value
        return f"{day:%d/%m/%Y}" if isinstance(day, dt.date) else value


class DayField(forms.DateField):
    """A calendar day in one box, for filters: 15/9/2021, 15.9.2021, 15092021; in an address also 2021-09-15."""

    widget = DayInput
    default_error_messages = {"invalid": _("Enter a real date as day, month and year, for example 27/3/2021.")}  # noqa: RUF012

    def to_python(self, value: Any) -> dt.date | None:
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        day = _day(value)
        if day is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return day


def _day(text: str) -> dt.date | None:
    text = text.strip()
    written = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII)
    year, month, day = written.groups() if written else (None, None, None)
    if written is None:
        typed = re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})|(\d{2})(\d{2})(\d{4})", text, re.ASCII)
        if typed is None:
            return None
        day, month, year = (part for part in typed.groups() if part)
    try:
        return _in_calendar(int(year or 0), int(month or 0), int(day or 0))
    except ValueError:
        return None


def _in_calendar(year: int, month: int, day: int) -> dt.date:
    """No day so far off that the one before or after it, or a hundred years of them, cannot be reckoned with."""
    if year not in _YEARS:
        raise ValueError("no year of ours")
    return dt.date(year, month, day)


class DateField(forms.MultiValueField):
    """A calendar day from three boxes; `datetime.date`, or None where it is not required and empty."""

    widget = DateInput
    default_error_messages = {  # noqa: RUF012 - Django's own way
        "invalid": _("Enter a real date as day, month and year, for example 27 3 2021."),
        "incomplete": _("Enter the day, the month and the year."),
    }

    def __init__(self, **options: Any) -> None:
        boxes = [forms.CharField(required=False) for _box in range(3)]
        super().__init__(boxes, require_all_fields=False, **options)

    def clean(self, value: Any) -> dt.date | None:
        parts = [str(part or "").strip() for part in (value or ["", "", ""])]
        if not any(parts):
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        return self.compress(parts)

    def compress(self, parts: list[str]) -> dt.date | None:
        if not all(parts):
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        if len(parts[2]) != 4:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            day, month, year = (int(part) for part in parts)
            return _in_calendar(year, month, day)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(data) != initial
        except ValidationError:
            return True
