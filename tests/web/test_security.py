"""What every answer carries, and what it never allows."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest, HttpResponse

from khien.web.build import BUNDLES, FRONTEND
from khien.web.security import ContentSecurityPolicy, allow_scanner


def headers(*, scanner: bool = False) -> HttpResponse:
    request = HttpRequest()

    def view(asked: HttpRequest) -> HttpResponse:
        if scanner:
            allow_scanner(asked)
        return HttpResponse("x")

    return ContentSecurityPolicy(view)(request)


def policy(response: HttpResponse) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: value for name, _space, value in parts}


@pytest.mark.parametrize("scanner", [False, True])
def test_nothing_inline_and_nothing_from_elsewhere(scanner: bool) -> None:
    response = headers(scanner=scanner)
    rules = policy(response)
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["form-action"] == "'self'"
    for value in rules.values():
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set(value.split())
    assert response["Cross-Origin-Opener-Policy"] == response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cache-Control"] == "no-store"


def test_camera_and_webassembly_are_for_the_scanner_alone() -> None:
    assert "'wasm-unsafe-eval'" in policy(headers(scanner=True))["script-src"]
    assert "camera=(self)" in headers(scanner=True)["Permissions-Policy"]
    assert "wasm" not in headers()["Content-Security-Policy"]
    assert "camera=()" in headers()["Permissions-Policy"]


def test_styles_fetch_nothing_from_elsewhere() -> None:
    css = (BUNDLES / "khien.css").read_text(encoding="utf-8")
    assert not re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)", css)
    assert "frutiger" not in css.lower()


def test_the_lock_of_the_front_end_names_packages_not_places() -> None:
    assert '"resolved"' not in (FRONTEND / "package-lock.json").read_text(encoding="utf-8")


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    package = BUNDLES.parents[2]
    wrong = re.compile(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    strays = [
        f"{template.relative_to(package)}: {found.group(0)}"
        for template in package.rglob("templates/**/*.html")
        for found in wrong.finditer(template.read_text(encoding="utf-8"))
    ]
    assert strays == []
