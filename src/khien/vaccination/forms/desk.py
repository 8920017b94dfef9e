"""Forms of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.text import MOST_NOTE
from khien.vaccination.rules.screening import Criterion


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
    reason = forms.CharField(label=_("Reason"), max_length=MOST_NOTE)
