"""Lists that leave a page as files."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse

from khien.vaccination import sheets


def sheet_response(name: str, kind: str, rows: list[list[Any]]) -> HttpResponse:
    """Header and rows as a file of `kind` ('csv', 'xlsx') to download."""
    if kind not in sheets.MIME:
        raise Http404
    response = HttpResponse(sheets.written(kind, rows), content_type=sheets.MIME[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
