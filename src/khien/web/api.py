"""The JSON API under /api/, described at /api/openapi.json. A caller is an account in one of its roles."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.security import APIKeyCookie, HttpBearer

from khien.access.keys import actor_of_key
from khien.core.actor import Actor
from khien.vaccination.api import router as vaccination


class SignedIn(APIKeyCookie):
    """The session of somebody signed in; ninja checks the CSRF token of every write."""

    param_name = "sessionid"

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        actor: Actor | None = getattr(request, "actor", None)
        return actor if actor is not None and actor.account_id is not None else None


class Key(HttpBearer):
    """`Authorization: Bearer khien_…`: another system, in one post of an account (`khien user key`)."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        actor = actor_of_key(token)
        if actor is not None:
            request.actor = actor
        return actor


api = NinjaAPI(title="Khiên", version="1", auth=[Key(), SignedIn()], docs_url=None, urls_namespace="api")
api.add_router("", vaccination)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, failure: ValidationError) -> HttpResponse:
    """Name the fields that do not fit, never their values: they may be identifiers."""
    faults: list[dict[str, Any]] = [
        {"field": ".".join(str(part) for part in error["loc"][1:]), "message": error["msg"]} for error in failure.errors
    ]
    body = {"error": "bad_input", "message": "The message does not fit its description.", "faults": faults}
    return api.create_response(request, body, status=422)
