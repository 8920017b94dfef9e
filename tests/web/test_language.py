"""Which language a page speaks."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from khien.web.language import Language


def spoken(path: str, *, cookie: str = "", accepts: str = "") -> str:
    request = HttpRequest()
    request.path = request.path_info = path
    request.META["HTTP_ACCEPT_LANGUAGE"] = accepts
    if cookie:
        request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = cookie
    return Language(lambda _asked: HttpResponse(get_language()))(request).content.decode()


@pytest.mark.parametrize(
    ("path", "cookie", "accepts", "expected"),
    [
        ("/", "", "", "vi"),
        ("/", "", "en-US,en;q=0.9", "vi"),  # the browser's setting is nobody's choice
        ("/", "en", "vi", "en"),
        ("/", "vi", "en", "vi"),
        ("/", "xx", "en", "vi"),
        ("/api/x", "", "en", "en"),
        ("/api/x", "", "", "vi"),
    ],
)
def test_the_chosen_language_else_vietnamese(path: str, cookie: str, accepts: str, expected: str) -> None:
    assert spoken(path, cookie=cookie, accepts=accepts) == expected
