"""Forms of doses: one recorded at a site, one from elsewhere, a correction, a proof."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField, one_of
from khien.core.text import MOST_NOTE
from khien.vaccination.forms.vaccines import lot_choices, vaccine_choices
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
        self.fields["vaccine"].choices = one_of(lot_choices(lots, names))
        self.fields["site"].choices = one_of((site["code"], site["name"]) for site in sites)

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
    """Correct the day, the vaccine or the lot of a dose, or mark it as entered in error. The old entry stays."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    what = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=[
            ("date", _("The date")), ("vaccine", _("The vaccine or the lot")),
            ("error", _("This dose was never given to this person")),
        ],
        widget=forms.RadioSelect,
    )  # fmt: skip
    given_on = DateField(label=_("Right date"), required=False)
    vaccine = forms.ChoiceField(label=_("Right vaccine and lot"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=MOST_NOTE, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, lots: Sequence[dict[str, Any]], names: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["vaccine"].choices = [("", "–"), *lot_choices(lots, names)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("what") == "date" and not data.get("given_on"):
            self.add_error("given_on", _("Give the right date."))
        if data.get("what") == "vaccine" and not data.get("vaccine"):
            self.add_error("vaccine", _("Choose the right vaccine and lot."))
        return data

    def changes(self) -> dict[str, Any] | None:
        """What `correct_dose` is told: None, the dose was entered in error."""
        data = self.cleaned_data
        product, _bar, lot_number = data["vaccine"].partition("|")
        return {
            "date": {"given_on": data["given_on"]}, "vaccine": {"product": product, "lot_number": lot_number},
            "error": None,
        }[data["what"]]  # fmt: skip


class ElsewhereForm(forms.Form):
    """A dose that was given somewhere else, or before: what proves it is asked, not what we would have allowed."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    product = forms.ChoiceField(label=_("Vaccine"))
    given_on = DateField(label=_("Date given"))
    lot_number = forms.CharField(label=_("Lot"), max_length=100, required=False)
    evidence = forms.ChoiceField(
        label=_("What proves it"),
        choices=[
            ("paper", _("A paper or certificate of this country")), ("abroad", _("A certificate of another country")),
            ("declared", _("Nothing yet: the person says so")),
        ],
        widget=forms.RadioSelect,
    )  # fmt: skip

    def __init__(self, *args: Any, products: Sequence[dict[str, Any]], declares: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].choices = one_of(vaccine_choices(products))
        if declares:
            del self.fields["evidence"]


class ProofForm(forms.Form):
    """A declared dose is proved. What the proof says of the day is right."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    evidence = forms.ChoiceField(
        label=_("What proves it"),
        choices=[
            ("paper", _("A paper or certificate of this country")), ("abroad", _("A certificate of another country")),
            ("site", _("The records of the site that gave it")),
        ],
        widget=forms.RadioSelect,
    )  # fmt: skip
    given_on = DateField(label=_("Date given, as the proof says"))
    lot_number = forms.CharField(label=_("Lot"), max_length=100, required=False)
    site = forms.ChoiceField(label=_("Vaccination site"), required=False)
    reason = forms.CharField(label=_("Number and issuer of the proof"), max_length=MOST_NOTE)

    def __init__(self, *args: Any, sites: Sequence[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = [("", "–"), *((site["code"], site["name"]) for site in sites)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("evidence") == "site" and not data.get("site"):
            self.add_error("site", _("Name the site."))
        return data
