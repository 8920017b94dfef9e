"""A page that asks for something: one form, one action, back to where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from khien import rulebook
from khien.core.errors import BadInput, Refused


def language() -> str:
    return get_language() or "vi"


def told(refusal: BadInput) -> str:
    """A refusal as one sentence, with the document of its rule."""
    if refusal.faults and not isinstance(refusal, Refused):
        return refusal.faults[0].text(language())
    document = rulebook.document(getattr(refusal, "document", ""), language())
    return f"{refusal.text(language())} ({document})" if document else refusal.text(language())


def done(request: HttpRequest, form: forms.Form, work: Callable[[dict[str, Any]], object]) -> bool:
    """Whether the form was sent and the action did what it says; else its faults stand in the form, at their fields."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        work(form.cleaned_data)
    except BadInput as refusal:
        faults = () if isinstance(refusal, Refused) else refusal.faults
        for fault in faults:
            form.add_error(fault.field if fault.field in form.fields else None, fault.text(language()))
        if not faults:
            form.add_error(None, told(refusal))
        return False
    return True


def ask(
    request: HttpRequest, form: forms.Form, *, title: str, button: str, back: str, caption: str = "", note: str = ""
) -> HttpResponse:
    """The page with the form; status 422 where it comes back with faults."""
    shown = {"form": form, "title": title, "button": button, "back": back, "caption": caption, "note": note}
    return render(request, "vaccination/form_page.html", shown, status=422 if request.method == "POST" else 200)
