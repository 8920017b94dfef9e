"""The outlines of maps, for the pages that draw them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from khien.core.actor import machine
from khien.core.errors import NotFound
from khien.core.session import begin
from khien.territory import maps


@require_GET
def outlines(request: HttpRequest, unit_id: int) -> HttpResponse:
    """GeoJSON of the units below one. Open to everybody: names and outlines of units are public."""
    try:
        with begin(machine("map")) as session:
            text = maps.outlines(session, unit_id)
    except NotFound as absent:
        raise Http404 from absent
    # Drawn anew only when lists or boundaries are loaded: an hour is soon enough.
    return HttpResponse(text, content_type="application/geo+json", headers={"Cache-Control": "private, max-age=3600"})


outlines.permissions = ()  # needs none, as said above
