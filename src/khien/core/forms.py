"""Form fields that several capabilities use."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


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
            return dt.date(year, month, day)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(data) != initial
        except ValidationError:
            return True
