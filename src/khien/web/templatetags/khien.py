"""`{% load khien %}`: form fields in the house style, translated data, the scanner's leave to use the camera."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.forms import BoundField
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from khien import rulebook
from khien.core.forms import DateInput
from khien.web.security import allow_scanner

register = template.Library()

# What each kind of field is drawn with, the most particular first.
_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (DateInput, "date"),
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radios"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Textarea, "textarea"),
    (forms.Select, "select"),
    (forms.ClearableFileInput, "file"),
)
_CLASSES = {"textarea": "nhsuk-textarea", "select": "nhsuk-select", "file": "nhsuk-file-upload__input"}


@register.filter
def field_kind(field: BoundField) -> str:
    """date, checkboxes, radios, checkbox, textarea, select, file or input."""
    return next((kind for widget, kind in _KINDS if isinstance(field.field.widget, widget)), "input")


@register.simple_tag
def widget(field: BoundField) -> SafeString:
    """The bare control, with the classes of its kind, bound to its hint and error for screen readers."""
    kind = field_kind(field)
    css = _CLASSES.get(kind, "nhsuk-input")
    attributes: dict[str, Any] = {"class": f"{field.field.widget.attrs.get('class', '')} {css}".strip()}
    described = [f"{field.auto_id}-hint"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}-error")
        attributes["class"] += f" {css.removesuffix('__input')}--error"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attributes)


@register.simple_tag
def focus_id(field: BoundField) -> str:
    """The id that a link to this field's error jumps to: of several controls, the first."""
    kind = field_kind(field)
    if kind == "date":
        return f"{field.auto_id}_0"
    return f"{field.auto_id}_0" if kind in ("radios", "checkboxes") else str(field.id_for_label or field.auto_id)


@register.filter
def translated(message: str) -> str:
    """A text marked with N_ elsewhere, in the page's language."""
    return gettext(message) if message else ""


@register.filter
def titled(title: Any) -> str:
    """A title of the rulebook, `{"en": …, "vi": …}` or an object with both, in the page's language."""
    language = get_language() or "vi"
    return str(title[language] if isinstance(title, dict) else getattr(title, language))


@register.filter
def named(name: str) -> str:
    """What a vaccine, a series or a group of the rulebook is called in the page's language; brands stay."""
    return rulebook.named(name, get_language() or "vi") if name else ""


@register.filter
def share(value: Any, digits: int = 1) -> str:
    """0.634 as 63,4% (Vietnamese) or 63.4% (English); nothing for None."""
    if value is None:
        return ""
    number = f"{float(value) * 100:.{digits}f}"
    return f"{number.replace('.', ',')}%" if (get_language() or "vi").startswith("vi") else f"{number}%"


@register.simple_tag(takes_context=True)
def scanner_page(context: Context) -> str:
    """Open this page's security policy for the camera and the code reader. web/scanner.html calls it."""
    allow_scanner(context["request"])
    return ""
