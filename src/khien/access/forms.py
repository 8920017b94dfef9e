"""The forms of the access log and of accounts, and allauth's where their labels have no words of their own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from khien.access.models import Account
from khien.access.roles import action_titles, purposes, roles
from khien.core.errors import BadInput, NotFound
from khien.core.forms import DayField
from khien.core.session import Session
from khien.territory import store as territory


def _tongue() -> str:
    return "vi" if (get_language() or "vi").startswith("vi") else "en"


class LogForm(forms.Form):
    """Days, and what else narrows the log."""

    first = DayField(label=_("From"))
    last = DayField(label=_("To"))
    action = forms.ChoiceField(label=_("What"), required=False)
    purpose = forms.ChoiceField(label=_("For what purpose"), required=False)
    username = forms.CharField(label=_("Account"), required=False, max_length=150)
    person = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        tongue = _tongue()
        every = [("", _("everything"))]
        named = sorted(action_titles(tongue).items(), key=lambda pair: pair[1].casefold())
        known = [(p.id, p.title.text(tongue)) for p in purposes(dt.date.max).values()]
        for field, choices in (("action", named), ("purpose", known)):
            self.fields[field].choices = [*every, *choices]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", _("The last day lies before the first."))
        return data


class SoughtForm(forms.Form):
    """What narrows the list of accounts."""

    q = forms.CharField(label=_("Name or user name"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=(("", _("everything")), ("active", _("may sign in")), ("suspended", _("suspended"))),
    )  # fmt: skip
    role = forms.ChoiceField(label=_("Role"), required=False)
    unit = forms.CharField(label=_("Area (code or name)"), required=False, max_length=100)

    def __init__(self, *args: Any, today: dt.date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = [("", _("everything")), *_roles(today)]


class PostForm(forms.Form):
    """Role, area, agency, purposes and days of a post. The area is named outright: nothing typed is not the nation."""

    role = forms.ChoiceField(label=_("Role"))
    unit = forms.CharField(
        label=_("Area"),
        required=False,
        max_length=100,
        help_text=_("A commune, district or province, by code or name."),
    )
    nation = forms.BooleanField(label=_("The whole country"), required=False)
    agency = forms.ChoiceField(label=_("Agency"), required=False)
    purposes = forms.MultipleChoiceField(
        label=_("Narrowed to these purposes"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all purposes of the role."),
    )  # fmt: skip
    valid_from = DayField(label=_("First day"), required=False)
    valid_until = DayField(label=_("Last day"), required=False)

    def __init__(self, *args: Any, today: dt.date, agencies: list[dict[str, Any]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = _roles(today)
        self.fields["agency"].choices = [("", _("none")), *((a["code"], a["name"]) for a in agencies)]
        self.fields["purposes"].choices = [(p.id, p.title.text(_tongue())) for p in purposes(today).values()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("unit")) == bool(data.get("nation")):
            self.add_error("unit", _("Enter a unit, or tick the whole country; not both."))
        return data

    def post(self, session: Session) -> dict[str, Any] | None:
        """The arguments of the action; None with an error at the field where there is no such unit."""
        data, unit_id = self.cleaned_data, None
        if not data["nation"]:
            try:
                unit_id = int(territory.find(session, data["unit"], session.today)["unit_id"])
            except NotFound as absent:
                self.add_error("unit", absent.text(_tongue()))
                return None
        given = {name: value for name, value in data.items() if name not in ("unit", "nation")}
        return {**given, "unit_id": unit_id, "agency": data["agency"] or None}

    def take(self, wrong: BadInput) -> None:
        """Show what an action found wrong at its fields."""
        for fault in wrong.faults:
            self.add_error(fault.field if fault.field in self.fields else None, fault.text(_tongue()))
        if not wrong.faults:
            self.add_error(None, wrong.text(_tongue()))


class AccountForm(PostForm):
    """A new account and its first post."""

    username = forms.CharField(label=_("User name"), max_length=60, help_text=_("Letters, digits and @ . + - _"))
    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=Account.Language.choices)
    field_order = ("username", "name", "email", "language")


class LastDayForm(forms.Form):
    last_day = DayField(label=_("Last day"))


def _roles(on: dt.date) -> list[tuple[str, str]]:
    return [(r.id, r.title.text(_tongue())) for r in roles(on).values()]


class AddPasskeyForm(AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key or device")


class EditPasskeyForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key or device")
