"""Agencies in Django's admin. Every change is in the access log.

Accounts and their posts have pages of their own (account_views.py), whose actions know the administrator's area.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from khien.access.models import Agency
from khien.core.session import begin

admin.site.site_title = "Khiên"
admin.site.site_header = _("Accounts and agencies")
admin.site.index_title = _("Accounts, their posts, and agencies.")


def _ours(request: HttpRequest, app_label: str | None = None) -> list[Any]:
    """What an administrator works with: tables of libraries are nobody's business here."""
    shown = admin.AdminSite.get_app_list(admin.site, request, app_label)
    return [app for app in shown if app["app_label"] == "access"]


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
