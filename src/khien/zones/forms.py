"""Forms of zones: an order, its end, the days of a question, a residence event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from khien.core.errors import Ambiguous, NotFound
from khien.core.forms import DateField, DayField, one_of
from khien.core.session import Session
from khien.core.text import MOST_NOTE
from khien.population import store as register
from khien.territory import store as territory
from khien.zones import store
from khien.zones.rules.area import Area, Place

GRADES = ((1, _("1 green")), (2, _("2 yellow")), (3, _("3 orange")), (4, _("4 red")))
REGIMES = (("", _("none")), ("directive-15", _("Directive 15")), ("directive-16", _("Directive 16")),
           ("directive-19", _("Directive 19")))  # fmt: skip


class SignedForm(forms.Form):
    document = forms.CharField(label=_("Document"), max_length=200, help_text=_("Number and date."))
    signed_by = forms.CharField(label=_("Signed by"), max_length=200, help_text=_("Name and office."))


class OrderForm(SignedForm):
    name = forms.CharField(label=_("Name of the zone"), max_length=200)
    units = forms.CharField(
        label=_("Area"), required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "A commune, district or province a line, by code or name. For a part of a commune, a colon and the words of"
            " its addresses: 26734: Tổ 3"
        ),
    )  # fmt: skip
    homes = forms.CharField(
        label=_("Single households"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The personal number of anybody who belongs to the household, one a line."),
    )  # fmt: skip
    grade = forms.TypedChoiceField(label=_("Grade"), choices=GRADES, coerce=int, widget=forms.RadioSelect)
    regime = forms.ChoiceField(label=_("Directive"), choices=REGIMES, required=False)
    from_day = DateField(label=_("First day"))
    until_day = DateField(label=_("First day on which it no longer holds"), required=False)
    field_order = ("name", "units", "homes", "keep", "grade", "regime", "from_day", "until_day", "state", "document",
                   "signed_by")  # fmt: skip

    def area(self, session: Session) -> Area | None:
        """The area that was typed; None with an error at the field where a line is no unit or nobody's number."""
        whole, places = [], []
        for line in filter(None, map(str.strip, self.cleaned_data["units"].splitlines())):
            code, _colon, words = line.partition(":")
            try:
                unit = self._unit(session, code.strip(), self.cleaned_data["from_day"])
            except NotFound as absent:
                self.add_error("units", absent.text(get_language() or "vi"))
                return None
            places.append(Place(unit, words.strip())) if words.strip() else whole.append(unit)
        homes = self._homes(session)
        if homes is None:
            return None
        if not (whole or places or homes or self.cleaned_data.get("keep")):
            self.add_error("units", _("Enter a unit, a place or a household."))
            return None
        return Area(store.area_of_units(session, whole).units if whole else "{}", homes, tuple(places))

    def _homes(self, session: Session) -> tuple[int, ...] | None:
        found = []
        for number in filter(None, map(str.strip, self.cleaned_data["homes"].splitlines())):
            person = register.find_by_identifier(session, number)
            home = register.household_of(session, person) if person is not None else None
            if home is None:
                self.add_error("homes", _("One of these numbers belongs to nobody with a household in your area."))
                return None
            found.append(home["household_id"])
        return tuple(dict.fromkeys(found))

    def _unit(self, session: Session, code: str, on: dt.date) -> int:
        try:
            return int(territory.find(session, code, on)["unit_id"])
        except Ambiguous:
            raise
        except NotFound:  # an order may speak of a commune that is gone: that is a finding, not a fault
            return int(territory.find(session, code)["unit_id"])


class NewForm(OrderForm):
    state = forms.ChoiceField(
        label=_("The order is"), widget=forms.RadioSelect,
        choices=(("in_force", _("signed, and in force")), ("proposed", _("a proposal, to be signed later"))),
    )  # fmt: skip


class ChangeForm(OrderForm):
    """As an order, under the zone's name; the households that it holds already may be kept."""

    def __init__(self, *args: Any, households: Iterable[Mapping[str, Any]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["name"]
        kept = [(str(h["household_id"]), f"{h['address']}, {h['unit_name']}") for h in households]
        if kept:
            self.fields["keep"] = forms.MultipleChoiceField(
                label=_("Households that stay in the area"), choices=kept, required=False,
                widget=forms.CheckboxSelectMultiple,
            )  # fmt: skip
            self.order_fields(self.field_order)


class SignForm(SignedForm):
    from_day = DateField(label=_("First day"))
    field_order = ("from_day", "document", "signed_by")


class WithdrawForm(SignedForm):
    """The paper by which a proposal is given up."""


class CloseForm(SignedForm):
    on = DateField(label=_("First day on which it no longer holds"))
    field_order = ("on", "document", "signed_by")


class DayForm(forms.Form):
    on = DayField(label=_("On the day"))


class BetweenForm(forms.Form):
    """Two days, both of them included."""

    first = DayField(label=_("From"))
    last = DayField(label=_("To"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", _("The last day lies before the first."))
        return data


class FlowForm(BetweenForm):
    level = forms.ChoiceField(
        label=_("Between"),
        choices=(("province", _("provinces")), ("district", _("districts")), ("commune", _("communes"))),
    )


class CapacityForm(forms.Form):
    """What a commune can treat."""

    commune = forms.ChoiceField(label=_("Commune"))
    sufficient = forms.ChoiceField(
        label=_("Its patients can be treated"), widget=forms.RadioSelect,
        choices=(("yes", _("Yes: beds, oxygen and mobile stations are ready")), ("no", _("No"))),
    )  # fmt: skip
    on = DateField(label=_("On the day"))
    note = forms.CharField(label=_("Note"), max_length=MOST_NOTE, required=False)

    def __init__(self, *args: Any, communes: Iterable[Mapping[str, Any]], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = one_of((str(c["unit_id"]), c["name"]) for c in communes)
        cast(forms.ChoiceField, self.fields["commune"]).choices = choices


class NeedForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Need"), widget=forms.RadioSelect,
        choices=(
            ("dialysis", _("Dialysis")), ("oxygen", _("Oxygen at home")), ("pregnant", _("Pregnancy")),
            ("chronic", _("Chronic disease with daily medicine")), ("disabled", _("Disability, needs care")),
        ),
    )  # fmt: skip
    from_day = DateField(label=_("First day"))
    until_day = DateField(label=_("First day on which it no longer holds"), required=False)


class ResidenceForm(forms.Form):
    """Arrival, departure, stay: what the Law on Residence calls permanent, temporary, stay and absence."""

    kind = forms.ChoiceField(
        label=_("Event"), widget=forms.RadioSelect,
        choices=(
            ("stay", _("Stay (under 30 days; notified before 23:00)")), ("temporary", _("Temporary residence")),
            ("permanent", _("Permanent residence")), ("absence", _("Absence")), ("end", _("Left: end what runs")),
        ),
    )  # fmt: skip
    commune = forms.CharField(
        label=_("Commune"), max_length=100, required=False,
        help_text=_("Code or name. For an absence, the commune the person is absent from."),
    )  # fmt: skip
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    ends = forms.ChoiceField(
        label=_("What ends"), required=False,
        choices=(("stay", _("Stay")), ("temporary", _("Temporary residence")), ("absence", _("Absence"))),
    )  # fmt: skip
    from_day = DateField(label=_("First day"))
    until_day = DateField(label=_("Day of leaving"), required=False)
    told_by = forms.ChoiceField(
        label=_("Told by"),
        choices=(
            ("police", _("police")),
            ("host", _("host: household, hotel, hospital")),
            ("citizen", _("the person")),
        ),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") != "end" and not data.get("commune"):
            self.add_error("commune", _("Enter the commune."))
        if data.get("kind") == "end" and not data.get("ends"):
            self.add_error("ends", _("Choose what ends."))
        return data
