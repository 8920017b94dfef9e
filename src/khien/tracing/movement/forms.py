"""Forms of check-ins, places and diaries."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from khien.checkpoints.forms import WhoForm
from khien.checkpoints.rules import declared
from khien.core.forms import one_of
from khien.core.text import MOST_NOTE
from khien.tracing.movement.places import AIR, KINDS, Guest


class GuestForm(WhoForm):
    """Who comes, typed on the own phone."""

    message = forms.UUIDField(widget=forms.HiddenInput)
    remember = forms.BooleanField(label=_("Remember me on this phone"), required=False)
    field_order = ("message", "name", "number", "birth_date", "remember")

    def clean(self) -> dict[str, Any] | None:
        if not self.errors:
            who = declared.read(self.told())
            for name in who.malformed:
                self.add_error(
                    name, ValidationError(_("This cannot be right: a digit or letter is missing or too many."))
                )
            if not who.malformed:
                self.guest = Guest(who.number, "", who.name, who.born_first, who.born_last)
        return self.cleaned_data


class PlaceForm(forms.Form):
    client_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    name = forms.CharField(label=_("Name of the place"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=one_of((k, _(text)) for k, text in KINDS.items()))
    commune = forms.CharField(
        label=_("Commune"), max_length=300, help_text=_("Type the name, then choose. For example: Phường 1, Quận 10."),
        widget=forms.TextInput(attrs={
            "autocomplete": "off", "list": "communes", "hx-get": "/declare/communes",
            "hx-trigger": "keyup changed delay:300ms", "hx-target": "#communes", "hx-params": "commune",
        }),
    )  # fmt: skip
    address = forms.CharField(label=_("House, street, hamlet"), max_length=300, required=False)
    floor_area = forms.IntegerField(label=_("Floor area in m²"), min_value=1, max_value=1_000_000, required=False)
    ventilation = forms.ChoiceField(label=_("Air"), choices=[(k, _(text)) for k, text in AIR.items()])


class AliasForm(forms.Form):
    code = forms.CharField(label=_("Code on the other poster"), max_length=200)


class DiaryForm(forms.Form):
    """One entry; the symptoms come from the rule of the day."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    symptoms = forms.MultipleChoiceField(
        label=_("What do you feel today?"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose all that apply. Choose nothing if you feel well."),
    )  # fmt: skip
    temperature = forms.DecimalField(
        label=_("Temperature in °C"), required=False, min_value=30, max_value=45, max_digits=3, decimal_places=1,
        localize=True, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    remark = forms.CharField(
        label=_("Anything else"), required=False, max_length=MOST_NOTE, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, asked: dict[str, dict[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tongue = get_language() or "vi"
        self.fields["symptoms"].choices = [(code, text[tongue]) for code, text in asked.items()]
