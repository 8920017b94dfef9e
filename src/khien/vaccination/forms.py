"""Forms of the vaccination pages. They check the form of what was typed; the rules decide the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField
from khien.vaccination.rules.dose_checks import DoseEntry


class DoseForm(forms.Form):
    """One dose. `vaccine` is "product|lot", so that a lot can never be chosen with another vaccine's name."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    vaccine = forms.ChoiceField(label=_("Vaccine and lot"))
    site = forms.ChoiceField(label=_("Vaccination site"))
    given_on = DateField(label=_("Date given"))
    already_given = forms.BooleanField(
        label=_("The dose has already been given: record it even if a rule is broken"), required=False
    )

    def __init__(
        self, *args: Any, lots: list[dict[str, Any]], names: dict[str, str], sites: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["vaccine"].choices = [
            (
                f"{lot['product']}|{lot['lot_number']}",
                f"{names.get(lot['product'], lot['product'])} · {lot['lot_number']}",
            )
            for lot in lots
        ]
        self.fields["site"].choices = [(site["code"], site["name"]) for site in sites]

    @staticmethod
    def first(today: dt.date, site: str | None = None) -> dict[str, Any]:
        """What a fresh form starts with: a new message number and today."""
        return {"client_id": uuid4(), "given_on": today, "site": site}

    def entry(self, person_id: int) -> DoseEntry:
        data = self.cleaned_data
        product, _bar, lot = data["vaccine"].partition("|")
        return DoseEntry(
            client_id=data["client_id"],
            person_id=person_id,
            product=product,
            lot_number=lot,
            site=data["site"],
            given_on=data["given_on"],
            already_given=data["already_given"],
        )


class CorrectionForm(forms.Form):
    """Correct the day of a dose, or mark it as entered in error. The old entry stays in the history."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    what = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=[("date", _("The date")), ("error", _("This dose was never given to this person"))],
        widget=forms.RadioSelect,
    )
    given_on = DateField(label=_("Right date"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("what") == "date" and not data.get("given_on"):
            self.add_error("given_on", _("Give the right date."))
        return data
