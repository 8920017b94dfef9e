"""Forms about a person: health, contact, priority."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField


class FactForm(forms.Form):
    """An infection, a condition, an allergy that the rules ask for."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    code = forms.ChoiceField(label=_("What is known"))
    since = DateField(label=_("Since"))
    until = DateField(label=_("No longer from"), required=False)

    def __init__(self, *args: Any, codes: Sequence[tuple[str, list[tuple[str, str]]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = list(codes)


class ContactForm(forms.Form):
    """Where invitations go. Without either they go by letter to the address of the household."""

    phone = forms.CharField(
        label=_("Phone"), max_length=30, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )
    email = forms.CharField(label=_("E-mail"), max_length=320, required=False)
