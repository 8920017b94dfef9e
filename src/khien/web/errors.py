"""A KhienError that leaves a view becomes a page (or JSON under /api/) with its status."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
from allauth.core.exceptions import ReauthenticationRequired
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from khien import rulebook
from khien.core.errors import BadInput, KhienError, Refused
from khien.core.i18n import N_
from khien.web import api_errors

_log = logging.getLogger("khien.web")
# Raised on purpose, to be answered with a page of their own: nothing to mend.
_ANSWERS = (Http404, PermissionDenied, SuspiciousOperation, ReauthenticationRequired)


def _note(request: HttpRequest, exception: Exception) -> None:
    """Where our code failed, for whoever mends it. No message and no values: they may name a person."""
    where = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(exception.__traceback__)]
    route = request.resolver_match.route if request.resolver_match else "?"
    _log.error("%s at %s: %s", type(exception).__name__, route, " < ".join(reversed(where[-12:])))


class ErrorPages:
    """Middleware. Not allowed and not found give the same page (DESIGN §4.5)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, psycopg.DataError):
            exception = BadInput(N_("A number or a text is outside what the database can hold."))
        if not isinstance(exception, KhienError):
            if not isinstance(exception, _ANSWERS):
                _note(request, exception)
            return None
        tongue = get_language() or "vi"
        status = exception.http_status
        message = "" if status == 404 else exception.text(tongue)
        if isinstance(exception, Refused) and exception.document:
            message = f"{message} ({rulebook.document(exception.document, tongue)})"
        if request.path.startswith("/api/"):
            faults = exception.faults if isinstance(exception, BadInput) else ()
            told = [{"field": f.field, "line": f.line, "message": f.text(tongue)} for f in faults]
            return JsonResponse(api_errors.body(exception.code, message, told), status=status)
        return render(request, "404.html" if status == 404 else "web/error.html", {"message": message}, status=status)
