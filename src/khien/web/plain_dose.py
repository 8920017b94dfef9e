"""One dose a message, from a program with a key: the one request that comes by the thousand, without the framework.

Finding the view, the middleware of browsers and the schema of the answer took a third of the processor time of a
recorded dose. Whatever is not plain (a cookie, a language asked for, another host, a key or a message that does not
fit, any error) goes the whole way and is answered there; what was recorded here already changes nothing there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from http.client import responses
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.request import split_domain_port, validate_host
from django.utils import translation

from khien.access.keys import actor_of_key
from khien.vaccination.api import DoseIn, answer_dose
from khien.web.security import ContentSecurityPolicy

_log = logging.getLogger("khien.api")
_PATH, _BEARER = "/api/doses", "Bearer "
_MOST = 10_000  # bytes

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PlainDose:
    """In front of the whole application."""

    def __init__(self, whole: Wsgi) -> None:
        self._whole = whole
        self._headers = _headers()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not _plain(environ):
            return self._whole(environ, start_response)
        message = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        answer = _answer(environ["HTTP_AUTHORIZATION"].removeprefix(_BEARER), message)
        if answer is None:
            environ["wsgi.input"] = BytesIO(message)
            return self._whole(environ, start_response)
        status, body = answer
        start_response(f"{status} {responses[status]}", [*self._headers, ("Content-Length", str(len(body)))])
        return [body]


def _plain(environ: dict[str, Any]) -> bool:
    length = environ.get("CONTENT_LENGTH", "")
    return (
        environ["PATH_INFO"] == _PATH
        and environ["REQUEST_METHOD"] == "POST"
        and environ.get("HTTP_AUTHORIZATION", "").startswith(_BEARER)
        and length.isdecimal()
        and int(length) <= _MOST
        and not environ.get("HTTP_COOKIE")
        and "HTTP_ACCEPT_LANGUAGE" not in environ
        and _known(environ.get("HTTP_HOST", ""))
    )


@lru_cache(maxsize=100)
def _known(host: str) -> bool:
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def _answer(key: str, message: bytes) -> tuple[int, bytes] | None:
    try:
        actor = actor_of_key(key)
        if actor is None:
            return None
        with translation.override(settings.LANGUAGE_CODE):  # whatever this thread speaks
            status, body = answer_dose(actor, DoseIn.model_validate(json.loads(message)))
    except Exception as failure:  # the whole way meets it again and says what it is; what goes well there is noted here
        _log.warning("a plain dose goes the whole way: %s", type(failure).__name__)  # its text may name a person
        return None
    return status, json.dumps(body).encode()


def _headers() -> list[tuple[str, str]]:
    """Of every answer of the API, as the middleware puts them."""
    response = ContentSecurityPolicy(lambda _request: JsonResponse({}))(HttpRequest())
    response["Content-Type"] = "application/json; charset=utf-8"
    response["Content-Language"] = settings.LANGUAGE_CODE
    response["Vary"] = "Cookie"
    return [(name, value) for name, value in response.items() if name != "Content-Length"]
