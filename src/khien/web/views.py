"""The start page, the choice of language, and the pages of errors."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from khien.web import api_errors

_YEAR = 365 * 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What can be done here: by this account in its role, and by everybody."""
    return render(request, "web/home.html")


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and go back to where the choice was made."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise Http404
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("home")
    response = HttpResponseRedirect(back)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=_YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


# Open to everybody: nothing about a person stands on them.
home.permissions = choose_language.permissions = ()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return api_errors.response(400)
    return render(request, "400.html", status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Also for what is forbidden: the two look the same (DESIGN §4.5)."""
    if _is_api(request):
        return api_errors.response(404)
    return render(request, "404.html", status=404)


def refused_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: sent from elsewhere, or from a page left open until its sign-in ended."""
    if _is_api(request):
        return api_errors.response(403)
    return render(request, "web/stale.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the request's context: whatever failed may fail again there."""
    if _is_api(request):
        return api_errors.response(500)
    return HttpResponse(_plain("500.html"), status=500)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _plain(template: str) -> str:
    from django.template.loader import render_to_string

    return render_to_string(template)
