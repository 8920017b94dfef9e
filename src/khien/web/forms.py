"""How Django draws forms here: `{{ form }}` and `{{ form.name.as_field_group }}` come out in the house style."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    form_template_name = "web/form.html"
    field_template_name = "web/field.html"
