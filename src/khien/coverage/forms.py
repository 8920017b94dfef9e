"""The question of the coverage page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DayField
from khien.coverage.store import Question

# (code, label, youngest, oldest in completed years): the groups that the national figures of 2021-22 are given for.
AGE_GROUPS = (
    ("all", _("All ages"), 0, 150),
    ("18", _("18 and over"), 18, 150),
    ("12-17", _("12 to 17"), 12, 17),
    ("5-11", _("5 to 11"), 5, 11),
    ("50", _("50 and over"), 50, 150),
    ("65", _("65 and over"), 65, 150),
)
MEASURES = (
    ("dose1", _("At least one dose")),
    ("complete", _("Full primary series")),
    ("dose3", _("Three doses or more")),
)


class QuestionForm(forms.Form):
    unit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    on = DayField(label=_("On the day"))
    ages = forms.ChoiceField(label=_("Ages"), choices=[(code, label) for code, label, *_rest in AGE_GROUPS])
    measure = forms.ChoiceField(label=_("Show on the map"), choices=MEASURES)
    present = forms.ChoiceField(
        label=_("Count people"),
        choices=[("home", _("where they lived")), ("present", _("where they were"))],
    )

    def question(self) -> Question:
        """Only of a valid form."""
        data = self.cleaned_data
        youngest, oldest = next((low, high) for code, _label, low, high in AGE_GROUPS if code == data["ages"])
        return Question(on=data["on"], min_age=youngest, max_age=oldest, present=data["present"] == "present")
