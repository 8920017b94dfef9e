"""Forms of the fridge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField, one_of
from khien.core.text import MOST_NOTE
from khien.vaccination.forms.vaccines import vaccine_choices


class ReceiptForm(forms.Form):
    """Doses of a lot arrive at a site. The days are those of the lot; a lot that is known already keeps its own."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    site = forms.ChoiceField(label=_("Vaccination site"))
    product = forms.ChoiceField(label=_("Vaccine"))
    lot_number = forms.CharField(label=_("Lot"), max_length=100)
    doses = forms.IntegerField(label=_("Number of doses"), min_value=1, max_value=100_000_000)
    arrived_on = DateField(label=_("Arrived in the country on"))
    expires_on = DateField(label=_("Expires on"))
    doses_per_vial = forms.IntegerField(label=_("Doses a vial"), min_value=1, max_value=100, required=False)
    open_vial_hours = forms.IntegerField(
        label=_("Hours an opened vial may be used"), min_value=1, max_value=1000, required=False
    )

    def __init__(
        self, *args: Any, sites: Sequence[dict[str, Any]], products: Sequence[dict[str, Any]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = one_of((site["code"], site["name"]) for site in sites)
        self.fields["product"].choices = one_of(vaccine_choices(products))


class MoveForm(forms.Form):
    """Doses leave a site. `held` is "site|product|lot"."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    held = forms.ChoiceField(label=_("From which fridge, which lot"))
    doses = forms.IntegerField(label=_("Number of doses"), min_value=1, max_value=100_000_000)
    kind = forms.ChoiceField(
        label=_("What happens to them"),
        choices=[("transfer_out", _("Sent to another site")), ("waste", _("Thrown away"))], widget=forms.RadioSelect,
    )  # fmt: skip
    to_site = forms.ChoiceField(label=_("To which site"), required=False)
    reason = forms.CharField(label=_("Why thrown away"), max_length=MOST_NOTE, required=False)

    def __init__(
        self, *args: Any, held: Sequence[tuple[str, str]], sites: Sequence[dict[str, Any]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["held"].choices = one_of(held)
        self.fields["to_site"].choices = [("", "–"), *((site["code"], site["name"]) for site in sites)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == "transfer_out" and not data.get("to_site"):
            self.add_error("to_site", _("Name the site."))
        return data


class ExcursionForm(forms.Form):
    """A lot got too warm or too cold at a site."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    held = forms.ChoiceField(label=_("Which fridge, which lot"))
    since = DateField(label=_("Since when"), required=False)
    reason = forms.CharField(label=_("What happened"), max_length=MOST_NOTE)

    def __init__(self, *args: Any, held: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["held"].choices = one_of(held)


class LotReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=MOST_NOTE)
