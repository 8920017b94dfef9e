"""What every page shows: navigation, who acts, the day of the demonstration, the version."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from khien.core.errors import KhienError
from khien.web import navigation, store


def shell(request: HttpRequest) -> dict[str, Any]:
    # A request that failed before the actor was known still gets a page.
    if not hasattr(request, "actor"):
        return {"version": _version(), "navigation": [], "demo_day": None}
    return {
        "version": _version(),
        "navigation": SimpleLazyObject(lambda: list(navigation.links(request, public=False))),
        "public_navigation": SimpleLazyObject(lambda: list(navigation.links(request, public=True))),
        "demo_day": _demo_day(),
        "role_title": _role_title(request),
        "post": getattr(request, "post", None),
        "page_token": SimpleLazyObject(lambda: get_token(request)),
    }


@cache
def _version() -> str:
    return version("khien")


def _demo_day() -> Any:
    """The day the demonstration plays on, or None. A page about a database that is down must not need the database."""
    try:
        return store.demo_day()
    except KhienError:
        return None


def _role_title(request: HttpRequest) -> str:
    post = getattr(request, "post", None)
    return post.role.title.text(get_language() or "vi") if post else ""
