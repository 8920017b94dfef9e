"""How coverage is written on a page."""

from django import template
from django.utils.formats import number_format

from khien.coverage.store import Coverage

register = template.Library()


@register.filter
def share(coverage: Coverage, of: str) -> str:
    """'71,4%' in Vietnamese, '71.4%' in English; a dash where nobody lives. Never rounded up to 100."""
    value = coverage.share(of)
    if value is None:
        return "–"
    tenths = int(value * 1000) / 10  # cut, not rounded: 99.97% is not "100%"
    return f"{number_format(tenths, decimal_pos=1)}%"
