"""Accounts, agencies and assignments in Django's admin. Every change is in the access log."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from khien.access.models import Account, Agency, Assignment
from khien.access.roles import purposes, roles
from khien.core.session import begin

admin.site.site_title = "Khiên"
admin.site.site_header = _("Accounts and agencies")
admin.site.index_title = _("Accounts, their posts, and agencies.")


def _ours(request: HttpRequest, app_label: str | None = None) -> list[Any]:
    """What an administrator works with: tables of libraries are nobody's business here, but for lost second factors."""
    shown = admin.AdminSite.get_app_list(admin.site, request, app_label)
    for app in shown:
        if app["app_label"] == "mfa":
            for model in app["models"]:
                model["name"] = _("Second factors")
    return [app for app in shown if app["app_label"] in ("access", "mfa")]


admin.site.get_app_list = _ours


class Logged(admin.ModelAdmin):
    """Writes a log row with every change; nothing is deleted, because the log names it."""

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        kind = obj._meta.model_name
        with begin(request.actor) as session:
            session.log("account.manage", kind=kind, id=obj.pk, fields=sorted(form.changed_data))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Agency)
class AgencyAdmin(Logged):
    list_display: ClassVar = ["name", "code", "kind", "unit_id"]
    search_fields: ClassVar = ["name", "code"]


@admin.register(Account)
class AccountAdmin(Logged):
    """New accounts are made with `khien user add`, which asks for the password."""

    fields: ClassVar = ["username", "name", "email", "language", "is_active"]
    list_display: ClassVar = ["username", "name", "is_active", "last_login"]
    search_fields: ClassVar = ["username", "name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class AssignmentForm(forms.ModelForm):
    class Meta:
        model = Assignment
        fields: ClassVar = ["account", "role", "agency", "unit_id", "purposes", "valid_from", "valid_until"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tongue = get_language() or "vi"
        day = dt.date.max  # what the newest rules offer; what holds is judged on the day itself
        self.fields["role"] = forms.ChoiceField(
            label=self.fields["role"].label, choices=[(r.id, r.title.text(tongue)) for r in roles(day).values()]
        )
        self.fields["purposes"] = forms.MultipleChoiceField(
            label=self.fields["purposes"].label, required=False,
            choices=[(p.id, p.title.text(tongue)) for p in purposes(day).values()],
        )  # fmt: skip


@admin.register(Assignment)
class AssignmentAdmin(Logged):
    form = AssignmentForm
    list_display: ClassVar = ["account", "role", "agency", "unit_id", "valid_from", "valid_until"]
    list_filter: ClassVar = ["role"]
    autocomplete_fields: ClassVar = ["account", "agency"]
