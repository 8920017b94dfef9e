"""Forms of campaigns and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField, one_of
from khien.core.text import MOST_NOTE
from khien.vaccination.forms.vaccines import lot_choices, vaccine_choices


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
        self.fields["site"].choices = one_of((site["code"], site["name"]) for site in sites)
        self.fields["vaccine"].choices = one_of(lot_choices(lots, names))


class CloseForm(forms.Form):
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    used = forms.IntegerField(label=_("Doses used"), min_value=0, initial=0)
    wasted = forms.IntegerField(label=_("Doses thrown away"), min_value=0, initial=0)
    reason = forms.CharField(label=_("Why thrown away"), max_length=MOST_NOTE, required=False)


class AllocationForm(forms.Form):
    """Doses promised to a unit or, out of what its unit was given, to a site. `place` is "unit|ID" or "site|CODE"."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    place = forms.ChoiceField(label=_("Unit or site"))
    product = forms.ChoiceField(label=_("Vaccine"))
    doses = forms.IntegerField(label=_("Number of doses"), min_value=1, max_value=100_000_000)
    document = forms.CharField(label=_("Decision (number and date)"), max_length=200, required=False)

    def __init__(
        self, *args: Any, units: Sequence[tuple[int, str]], sites: Sequence[dict[str, Any]],
        products: Sequence[dict[str, Any]], **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = one_of(
            [
                (_("Units"), [(f"unit|{unit_id}", name) for unit_id, name in units]),
                (_("Vaccination sites"), [(f"site|{site['code']}", site["name"]) for site in sites]),
            ]
        )
        self.fields["product"].choices = one_of(vaccine_choices(products))
