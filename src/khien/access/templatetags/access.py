"""`{% load access %}`: what the actor may, in a template."""

from django import template

from khien.core.actor import Actor

register = template.Library()


@register.filter
def may(actor: Actor, permission: str) -> bool:
    """`{% if request.actor|may:"dose.record" %}`: hides what would not open; the gate is in the view."""
    return actor.may(permission)
