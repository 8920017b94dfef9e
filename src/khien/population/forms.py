"""Forms of the register's pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khien.core.forms import DateField

RELATIONS = (
    ("head", _("head of household")), ("spouse", _("spouse")), ("child", _("child")), ("parent", _("parent")),
    ("sibling", _("sibling")), ("grandparent", _("grandparent")), ("grandchild", _("grandchild")),
    ("other", _("other member")),
)  # fmt: skip
_STAYS = ("", _("stays in the present household"))


class SearchForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("With or without accents; at least the given name.")
    )
    birth_year = forms.IntegerField(label=_("Year of birth"), required=False, min_value=1880, max_value=2100)


class HouseholdEventForm(forms.Form):
    on = DateField(label=_("First day"))
    client_id = forms.UUIDField(widget=forms.HiddenInput)


class JoinForm(HouseholdEventForm):
    """To another household, which is found by somebody who belongs to it."""

    number = forms.CharField(
        label=_("Personal number of somebody of that household"), max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )  # fmt: skip
    relation = forms.ChoiceField(label=_("Relation to the head of that household"), choices=RELATIONS[1:])
    field_order = ("number", "relation", "on")


class RelationsForm(HouseholdEventForm):
    """What everybody is to the head: of the present household, or of a new one, where others may stay behind."""

    def __init__(
        self, *args: Any, members: Iterable[Mapping[str, Any]], proposed: Mapping[int, str], may_stay: bool,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **options)
        choices = [_STAYS, *RELATIONS] if may_stay else list(RELATIONS)
        for member in members:
            self.fields[f"member_{member['person_id']}"] = forms.ChoiceField(
                label=f"{member['name']} ({member['birth_date']:%Y})", choices=choices, required=not may_stay,
                initial=proposed.get(member["person_id"], ""),
            )  # fmt: skip
        self.order_fields([*(name for name in self.fields if name.startswith("member_")), "on"])

    def relations(self) -> dict[int, str]:
        """By person, of those who do not stay behind."""
        given = self.cleaned_data.items()
        return {int(name[7:]): value for name, value in given if name.startswith("member_") and value}


class SplitForm(RelationsForm):
    commune = forms.CharField(label=_("Commune"), max_length=100, help_text=_("Code or name."))
    address = forms.CharField(label=_("Address"), max_length=200)
