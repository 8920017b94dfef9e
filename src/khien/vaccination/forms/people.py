"""Forms about a person: health, contact, priority."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField, one_of

_LARGEST = 5 * 1024 * 1024


class FactForm(forms.Form):
    """An infection, a condition, an allergy that the rules ask for."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    code = forms.ChoiceField(label=_("What is known"))
    since = DateField(label=_("Since"))
    until = DateField(label=_("No longer from"), required=False)

    def __init__(self, *args: Any, codes: Sequence[tuple[str, list[tuple[str, str]]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = one_of(codes)


class PriorityForm(forms.Form):
    """A list of people, into one priority group of the campaign's programme."""

    group_number = forms.TypedChoiceField(label=_("Priority group"), coerce=int)
    source = forms.CharField(
        label=_("Whose list it is"),
        max_length=200,
        help_text=_("For example: People's Hospital 115, list of 10/09/2021."),
    )
    file = forms.FileField(
        label=_("File"), help_text=_("CSV or text, one personal number a line; of a table the first column is read."),
        max_length=255,
    )  # fmt: skip

    def __init__(self, *args: Any, groups: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group_number"].choices = one_of(groups)

    def clean_file(self) -> Any:
        sent = self.cleaned_data["file"]
        if sent.size > _LARGEST:
            raise forms.ValidationError(_("The file is larger than 5 MB."))
        return sent


class ContactForm(forms.Form):
    """Where invitations go. Without either they go by letter to the address of the household."""

    phone = forms.CharField(
        label=_("Phone"), max_length=30, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )
    email = forms.CharField(label=_("E-mail"), max_length=320, required=False)
