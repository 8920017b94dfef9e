"""Agencies in Django's admin. Every change is in the access log.

Accounts, posts, agencies and keys have pages of their own, whose actions know the administrator's area.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from khien.access.models import Agency
from khien.access.writing import writing

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
        with writing(request.actor) as session:  # row-level security holds for these forms too
            super().save_model(request, obj, form, change)
            session.log("account.manage", kind=obj._meta.model_name, id=obj.pk, fields=sorted(form.changed_data))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Agency)
class AgencyAdmin(Logged):
    list_display: ClassVar = ["name", "code", "kind", "unit_id"]
    search_fields: ClassVar = ["name", "code"]
