"""Forms of the vaccination pages. They check the form of what was typed; the rules decide the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField
from khien.vaccination.rules.dose_checks import DoseEntry
from khien.vaccination.rules.screening import Criterion


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


class ScreeningForm(forms.Form):
    """The questions and measurements of one form. Nothing ticked and nothing measured is a plain case."""

    def __init__(self, *args: Any, criteria: Sequence[Criterion], language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._measured = [c for c in criteria if c.measured]
        asked = [(c.id, c.title[language]) for c in criteria if not c.measured]
        self.fields["yes"] = forms.MultipleChoiceField(
            label=_("Tick what applies"), choices=asked, required=False, widget=forms.CheckboxSelectMultiple
        )
        for criterion in self._measured:
            label = f"{criterion.title[language]} ({criterion.unit})"
            self.fields[criterion.id] = forms.FloatField(
                label=label, required=False, localize=True,
                widget=forms.TextInput({"inputmode": "decimal", "class": "nhsuk-input--width-4"}),
            )  # fmt: skip

    def answers(self) -> dict[str, bool | float | None]:
        data = self.cleaned_data
        measured = {c.id: data[c.id] for c in self._measured if data.get(c.id) is not None}
        return {**dict.fromkeys(data["yes"], True), **measured}


class GiveForm(forms.Form):
    """Consent and dose in one step: the button says both. `guardian` is asked of minors."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    lot = forms.ChoiceField(label=_("Lot"))
    guardian = forms.CharField(label=_("Name of the guardian who signed the consent"), max_length=200)
    already_given = forms.BooleanField(
        label=_("The dose has already been given: record it even if a rule is broken"), required=False
    )

    def __init__(self, *args: Any, lots: Sequence[str], minor: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lot"].choices = [(lot, lot) for lot in lots]
        if not minor:
            del self.fields["guardian"]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500)


class CampaignForm(forms.Form):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name of the campaign"), max_length=200)
    group = forms.ChoiceField(label=_("Programme and vaccine group"))
    starts_on = DateField(label=_("First day"))
    ends_on = DateField(label=_("Last day"))
    document = forms.CharField(label=_("Order (number and date)"), max_length=200, required=False)

    def __init__(self, *args: Any, groups: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].choices = list(groups)


class SessionForm(forms.Form):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    site = forms.ChoiceField(label=_("Vaccination site"))
    day = DateField(label=_("Day"))
    kind = forms.ChoiceField(
        label=_("Kind of session"),
        choices=[
            ("site", _("At the site")), ("mobile", _("Mobile team to the old and bedridden")),
            ("door", _("From door to door")),
        ],
    )  # fmt: skip
    vaccine = forms.ChoiceField(label=_("Vaccine and lot"))
    places = forms.IntegerField(label=_("Places"), min_value=1, max_value=100_000)

    def __init__(
        self, *args: Any, sites: Sequence[dict[str, Any]], lots: Sequence[dict[str, Any]], names: dict[str, str],
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = [(site["code"], site["name"]) for site in sites]
        self.fields["vaccine"].choices = [
            (f"{lot['product']}|{lot['lot_number']}", f"{names.get(lot['product'], '')} · {lot['lot_number']}")
            for lot in lots
        ]


class CloseForm(forms.Form):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    used = forms.IntegerField(label=_("Doses used"), min_value=0, initial=0)
    wasted = forms.IntegerField(label=_("Doses thrown away"), min_value=0, initial=0)
    reason = forms.CharField(label=_("Why thrown away"), max_length=500, required=False)


class EventForm(forms.Form):
    """A reaction after a dose. Days and hours are those of the wall clock in Viet Nam."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    symptoms = forms.CharField(label=_("What happened"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    day = DateField(label=_("Day it began"))
    hour = forms.TimeField(
        label=_("Hour it began (for example 14:30)"), widget=forms.TextInput({"class": "nhsuk-input--width-5"})
    )
    seriousness = forms.MultipleChoiceField(
        label=_("Serious, because of"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, seriousness: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seriousness"].choices = list(seriousness)


class ConclusionForm(forms.Form):
    causality = forms.ChoiceField(label=_("Category of the cause (WHO)"), widget=forms.RadioSelect)
    conclusion = forms.CharField(label=_("Conclusion"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, categories: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["causality"].choices = list(categories)
