"""The forms of the access log and of accounts, and allauth's where their labels have no words of their own."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from khien.access.models import Account, Agency
from khien.access.roles import action_titles, purposes, roles
from khien.access.store import Sought
from khien.core.errors import BadInput, NotFound
from khien.core.forms import DayField, one_of
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


class NarrowedForm(forms.Form):
    """What narrows a list of the administrator's area."""

    unit = forms.CharField(label=_("Area (code or name)"), required=False, max_length=100)
    kind_field: ClassVar[str]

    def sought(self, session: Session) -> Sought | None:
        """What is asked for; None where that is wrong, which stands at its field."""
        unit_id = None
        if not self.is_valid() or (self.cleaned_data["unit"] and (unit_id := unit_named(session, self)) is None):
            return None
        data = self.cleaned_data
        return Sought(data["q"], data["state"], data[self.kind_field], unit_id)


class SoughtForm(NarrowedForm):
    """What narrows the list of accounts."""

    q = forms.CharField(label=_("Name or user name"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=(("", _("everything")), ("active", _("may sign in")), ("suspended", _("suspended"))),
    )  # fmt: skip
    role = forms.ChoiceField(label=_("Role"), required=False)
    kind_field = "role"
    field_order = ("q", "state", "role", "unit")

    def __init__(self, *args: Any, today: dt.date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = [("", _("everything")), *_roles(today)]


class AreaForm(forms.Form):
    """An area that is named outright: nothing typed is not the nation."""

    unit = forms.CharField(
        label=pgettext_lazy("of an account or an agency", "Area"),
        required=False,
        max_length=100,
        help_text=_("A commune, district or province, by code or name."),
    )
    nation = forms.BooleanField(label=_("The whole country"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["unit"].one_of_two = True  # not an optional one

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("unit")) == bool(data.get("nation")):
            self.add_error("unit", _("Enter a unit, or tick the whole country; not both."))
        return data

    def values(self, session: Session) -> dict[str, Any] | None:
        """The arguments of the action; None with an error at the field where there is no such unit."""
        data, unit_id = self.cleaned_data, None
        if not data["nation"]:
            unit_id = unit_named(session, self)
            if unit_id is None:
                return None
        return {name: value for name, value in data.items() if name not in ("unit", "nation")} | {"unit_id": unit_id}


class PostForm(AreaForm):
    """Role, area, agency, purposes and days of a post."""

    role = forms.ChoiceField(label=_("Role"))
    agency = forms.ChoiceField(label=_("Agency"), required=False)
    purposes = forms.MultipleChoiceField(
        label=_("Narrowed to these purposes"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all purposes of the role."),
    )  # fmt: skip
    valid_from = DayField(label=_("First day"), required=False)
    valid_until = DayField(label=_("Last day"), required=False)
    field_order: tuple[str, ...] = ("role", "unit", "nation")

    def __init__(self, *args: Any, today: dt.date, agencies: list[dict[str, Any]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = one_of(_roles(today))
        self.fields["agency"].choices = [("", _("none")), *((a["code"], a["name"]) for a in agencies)]
        self.fields["purposes"].choices = [(p.id, p.title.text(_tongue())) for p in purposes(today).values()]

    def values(self, session: Session) -> dict[str, Any] | None:
        given = super().values(session)
        return given and {**given, "agency": given["agency"] or None}


class AccountForm(PostForm):
    """A new account and its first post."""

    username = forms.CharField(label=_("User name"), max_length=60, help_text=_("Letters, digits and @ . + - _"))
    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=Account.Language.choices)
    field_order: tuple[str, ...] = ("username", "name", "email", "language", "role", "unit", "nation")


class DaysForm(forms.Form):
    """From when and until when a post holds; empty is open. And the days that the page showed before."""

    first_day = DayField(label=_("First day"), required=False)
    last_day = DayField(label=_("Last day"), required=False)
    first_was = DayField(required=False, widget=forms.HiddenInput)
    last_was = DayField(required=False, widget=forms.HiddenInput)


class LastDayForm(forms.Form):
    last_day = DayField(label=_("Last day"))


class SoughtAgencyForm(NarrowedForm):
    """What narrows the list of agencies."""

    q = forms.CharField(label=_("Name or code"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=(("", _("everything")), ("open", _("working")), ("closed", _("closed"))),
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=(("", _("everything")), *Agency.Kind.choices))
    kind_field = "kind"
    field_order = ("q", "state", "kind", "unit")


class ChangeAgencyForm(AreaForm):
    """Name, kind and area of an agency."""

    name = forms.CharField(label=_("Name of the agency"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=one_of(Agency.Kind.choices))
    field_order: tuple[str, ...] = ("name", "kind")


class AgencyForm(ChangeAgencyForm):
    """A new agency."""

    code = forms.CharField(
        label=_("Code"),
        max_length=50,
        help_text=_("Letters, digits, - and _, as files and other systems name it. It stays."),
    )
    field_order: tuple[str, ...] = ("code", "name", "kind")


class SoughtKeyForm(forms.Form):
    """What narrows the list of keys."""

    q = forms.CharField(label=_("System, account or agency"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"), required=False,
        choices=(
            ("", _("everything")), ("open", _("opens")), ("not-begun", _("not begun")), ("over", _("over")),
            ("revoked", _("revoked")), ("suspended", _("its account is suspended")),
            ("no-post", _("its post does not hold today")), ("no-purpose", _("its post no longer serves the purpose")),
        ),
    )  # fmt: skip


class KeyForm(forms.Form):
    """A key for another system: the post it acts in, for what, and its days. `posts` are those of the account."""

    name = forms.CharField(
        label=_("Which system it is for"), max_length=200, help_text=_("For example: system of the district hospital.")
    )
    post = forms.ChoiceField(label=_("Post in which it acts"))
    purpose = forms.ChoiceField(label=_("For what purpose"))
    valid_from = DayField(label=_("First day"), required=False)
    expires_on = DayField(label=_("Last day"))

    def __init__(
        self, *args: Any, posts: list[tuple[str, str]], served: list[str], today: dt.date, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fields["post"].choices = one_of(posts)
        known = purposes(today)
        named = [(p, known[p].title.text(_tongue()) if p in known else p) for p in served]
        self.fields["purpose"].choices = one_of(named)


def unit_named(session: Session, form: forms.Form) -> int | None:
    """The unit that stands in the form's field; None, with an error at it, where there is no such unit."""
    try:
        return int(territory.find(session, form.cleaned_data["unit"], session.today)["unit_id"])
    except NotFound as absent:
        form.add_error("unit", absent.text(_tongue()))
        return None


def take(form: forms.Form, wrong: BadInput) -> None:
    """Show what an action found wrong at its fields."""
    for fault in wrong.faults:
        form.add_error(fault.field if fault.field in form.fields else None, fault.text(_tongue()))
    if not wrong.faults:
        form.add_error(None, wrong.text(_tongue()))


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
