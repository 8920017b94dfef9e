"""Forms of tracing: reporting a case, moving it on, saying who infected whom."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField
from khien.core.text import MOST_NOTE
from khien.tracing.actions import CaseEntry
from khien.tracing.rules.cases import CASE_STATES, OPEN_CASE

_SOURCES = {
    "unknown": _("Not known"), "community": _("Community"), "contact": _("Contact of a case"),
    "imported": _("From abroad"),
    "isolation": _("In isolation"),
}  # fmt: skip


class CaseForm(forms.Form):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    state = forms.ChoiceField(label=_("State"), choices=[(s, _(CASE_STATES[s])) for s in OPEN_CASE])
    onset_on = DateField(label=_("First day of symptoms"), required=False, help_text=_("Leave empty without symptoms."))
    sampled_on = DateField(label=_("Day of the sample"), required=False)
    variant = forms.CharField(label=_("Variant"), required=False, max_length=40)
    source = forms.ChoiceField(label=_("Source"), choices=list(_SOURCES.items()))

    @staticmethod
    def first(today: dt.date) -> dict[str, Any]:
        return {"client_id": uuid4(), "state": "confirmed", "sampled_on": today, "source": "unknown"}

    def entry(self, person_id: int) -> CaseEntry:
        data = self.cleaned_data
        return CaseEntry(
            data["client_id"], person_id, data["state"], data["onset_on"], data["sampled_on"],
            variant=data["variant"] or None, source=data["source"],
        )  # fmt: skip


class StateForm(forms.Form):
    state = forms.ChoiceField(label=_("New state"), choices=[(s, _(text)) for s, text in CASE_STATES.items()])
    reason = forms.CharField(label=_("Reason"), required=False, max_length=MOST_NOTE)


class LinkForm(forms.Form):
    """`infector` is the number of a case; empty: from outside the known cases."""

    infector = forms.IntegerField(label=_("Number of the infector's case"), required=False, min_value=1)
    reason = forms.CharField(label=_("Reason"), max_length=MOST_NOTE)
