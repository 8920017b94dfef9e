"""The form of the access log, and allauth's forms where their labels have no words of their own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from khien.access.roles import action_titles, purposes
from khien.core.forms import DayField


class LogForm(forms.Form):
    """Days, and what else narrows the log."""

    first = DayField(label=_("From"))
    last = DayField(label=_("To"))
    action = forms.ChoiceField(label=_("What"), required=False)
    purpose = forms.ChoiceField(label=_("For what purpose"), required=False)
    username = forms.CharField(label=_("Account"), required=False, max_length=150)
    person = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        tongue = "vi" if (get_language() or "vi").startswith("vi") else "en"
        every = [("", _("everything"))]
        named = sorted(action_titles(tongue).items(), key=lambda pair: pair[1].casefold())
        known = [(p.id, p.title.text(tongue)) for p in purposes(dt.date.max).values()]
        for field, choices in (("action", named), ("purpose", known)):
            self.fields[field].choices = [*every, *choices]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", _("The last day lies before the first."))
        return data


class AddPasskeyForm(AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key or device")


class EditPasskeyForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key or device")
