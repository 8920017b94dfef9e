"""Forms of the checkpoint pages. They check the form of what was typed; the rules decide the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from khien.checkpoints.rules import declared
from khien.checkpoints.rules.declaration import Form, FormField
from khien.core.forms import DateField
from khien.population.rules.card_reading import CardReading

SEXES = [("male", _("Male")), ("female", _("Female"))]
_YES_NO = [("no", _("No")), ("yes", _("Yes"))]
_AUTOCOMPLETE = {"phone": "tel", "permanent": "street-address"}


class WhoForm(forms.Form):
    """Who somebody is, typed because no code could be scanned."""

    number = forms.CharField(label=_("Number on the card"), max_length=30, help_text=_("12 digits; 9 on an old card."))
    name = forms.CharField(label=_("Name"), max_length=declared.MAX_NAME)
    birth_date = DateField(label=_("Birth date"))

    def told(self) -> dict[str, str]:
        """As a message of an identity check."""
        data = self.cleaned_data
        born: dt.date = data["birth_date"]
        return {"number": data["number"], "name": data["name"], "birth_date": born.isoformat()}


class DeclarationForm(WhoForm):
    """The declaration of the day: the person first, then the fields of rulebook/checkpoints/declaration.toml."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    party = forms.UUIDField(widget=forms.HiddenInput, required=False)
    earlier = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20000)
    for_whom = forms.ChoiceField(
        label=_("Whom do you declare for?"),
        choices=[("self", _("Myself")), ("proxy", _("Somebody of my family"))],
        widget=forms.RadioSelect,
        initial="self",
    )
    sex = forms.ChoiceField(label=_("Sex"), choices=SEXES, widget=forms.RadioSelect)
    field_order = ("client_id", "party", "earlier", "for_whom", "name", "number", "birth_date", "sex")

    def __init__(self, *args: Any, form: Form, on_paper: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = form
        for asked in form.fields:
            self.fields[f"q_{asked.id}"] = _field(asked, get_language() or "vi")
        if on_paper:
            del self.fields["for_whom"]

    def answers(self) -> dict[str, Any]:
        return {asked.id: self.cleaned_data.get(f"q_{asked.id}") for asked in self.asked.fields}

    def told(self) -> dict[str, str]:
        return {**super().told(), "sex": self.cleaned_data["sex"]}


def first(today: dt.date, **more: Any) -> dict[str, Any]:
    """What a fresh declaration starts with: a new message number, the journey today."""
    return {"client_id": uuid4(), "for_whom": "self", "q_travel_on": today, **more}


def from_card(reading: CardReading) -> dict[str, Any]:
    """What a scanned card fills in; a starred number stays open."""
    number = reading.personal_number or reading.old_number or reading.passport or reading.provisional_id
    born = reading.birth_date.full if reading.birth_date else None
    found = {
        "number": number,
        "name": reading.name,
        "birth_date": born,
        "sex": reading.sex,
        "q_permanent": reading.address,
        "q_phone": dict(reading.extras).get("phone"),
    }
    return {key: value for key, value in found.items() if value}


class PassageForm(forms.Form):
    """What an officer adds to a check: the vehicle and how many travel along."""

    plate = forms.CharField(label=_("Number plate"), max_length=20, required=False)
    companions = forms.IntegerField(label=_("Companions"), min_value=0, max_value=200, required=False)


class ShiftForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=_("Hours back"), choices=[(8, "8"), (12, "12"), (24, "24"), (72, "72")], coerce=int, initial=12
    )
    plate = forms.CharField(label=_("Number plate"), max_length=20, required=False)
    name = forms.CharField(label=_("Name"), max_length=100, required=False)


def _field(asked: FormField, language: str) -> forms.Field:
    common: dict[str, Any] = {"label": asked.title[language], "required": asked.required}
    if asked.kind == "yes_no":
        return forms.ChoiceField(choices=_YES_NO, widget=forms.RadioSelect, **common)
    if asked.kind == "date":
        return DateField(**common)
    attrs = {"autocomplete": _AUTOCOMPLETE.get(asked.id, "off")}
    if asked.kind == "phone":
        attrs["inputmode"] = "tel"
    if asked.kind == "commune":
        attrs |= {"list": "communes", "hx-get": "/declare/communes", "hx-trigger": "keyup changed delay:300ms",
                  "hx-target": "#communes", "hx-params": f"q_{asked.id}"}  # fmt: skip
        common["help_text"] = _("Type the name, then choose. For example: Phường 1, Quận 10.")
    return forms.CharField(max_length=300, widget=forms.TextInput(attrs=attrs), **common)
