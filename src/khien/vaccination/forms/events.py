"""Forms of reactions after vaccination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField
from khien.core.text import MOST_REPORT


class EventForm(forms.Form):
    """A reaction after a dose. Days and hours are those of the wall clock in Viet Nam."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    symptoms = forms.CharField(
        label=_("What happened"), max_length=MOST_REPORT, widget=forms.Textarea(attrs={"rows": 3})
    )
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
    conclusion = forms.CharField(
        label=_("Conclusion"), max_length=MOST_REPORT, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, categories: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["causality"].choices = list(categories)


class LearnedForm(forms.Form):
    """What was learned of a reaction since it was reported."""

    symptoms = forms.CharField(
        label=_("What happened"), max_length=MOST_REPORT, widget=forms.Textarea(attrs={"rows": 3})
    )
    seriousness = forms.MultipleChoiceField(
        label=_("Serious, because of"), required=False, widget=forms.CheckboxSelectMultiple
    )
    close = forms.BooleanField(label=_("The reaction is over, nothing more to do"), required=False)

    def __init__(self, *args: Any, seriousness: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seriousness"].choices = list(seriousness)
