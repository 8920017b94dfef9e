"""Forms of the register's pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class SearchForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("With or without accents; at least the given name.")
    )
    birth_year = forms.IntegerField(label=_("Year of birth"), required=False, min_value=1880, max_value=2100)
