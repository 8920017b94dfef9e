"""The gate in front of every page: a permission, or a declared reason why none is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from khien.access.middleware import AccessRequest

View = TypeVar("View", bound=Callable[..., HttpResponse])


def permission_required(*permissions: str) -> Callable[[View], View]:
    """Only for an actor with all of `permissions`. Others get what they would get where nothing is (DESIGN §4.5).

    Who has not signed in is sent to do so; who has a one-time password or no second factor, to mend that.
    """

    def gate(view: View) -> View:
        @wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            asked = cast(AccessRequest, request)
            if not all(asked.actor.may(p) for p in permissions):
                return _turned_away(asked)
            return view(request, *args, **kwargs)

        gated.permissions = permissions  # type: ignore[attr-defined]  # tests/access sweeps all addresses
        return cast(View, gated)

    return gate


def account_required(view: View) -> View:
    """Only for somebody signed in, whatever their role: pages about the account itself."""

    @wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        return view(request, *args, **kwargs)

    gated.permissions = ()  # type: ignore[attr-defined]
    return cast(View, gated)


def _turned_away(request: AccessRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        raise Http404
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    if request.needs_password:
        return redirect("account_change_password")
    if request.needs_second_factor:
        return redirect("access:second_factor")
    raise Http404


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return redirect_to_login(request.get_full_path(), reverse("account_login"))
