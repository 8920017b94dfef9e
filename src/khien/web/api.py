"""The JSON API under /api/, described at /api/openapi.json. A caller is an account in one of its roles."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.security import APIKeyCookie, HttpBearer

from khien.access.keys import actor_of_key
from khien.core.actor import Actor
from khien.vaccination.api import router as vaccination
from khien.web import api_errors


class SignedIn(APIKeyCookie):
    """The session of somebody signed in; ninja checks the CSRF token of every write."""

    param_name = "sessionid"

    def _get_key(self, request: HttpRequest) -> str | None:
        """Without a session nothing can be forged in its name: the answer is 401, not 403."""
        return super()._get_key(request) if self.param_name in request.COOKIES else None

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


class Described(NinjaAPI):
    """With the errors that every operation may answer in its description."""

    def get_openapi_schema(self, **options: Any) -> Any:
        return api_errors.documented(super().get_openapi_schema(**options))


api = Described(title="Khiên", version="1", auth=[Key(), SignedIn()], docs_url=None, urls_namespace="api")
api.add_router("", vaccination)
api_errors.install(api)
