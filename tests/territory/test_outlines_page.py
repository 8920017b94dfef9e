"""The address that pages fetch a map from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import django
import pytest

from khien.core.session import Session
from khien.territory import maps


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))


def test_map_of_the_country(loaded: Session) -> None:
    from django.test import RequestFactory
    from django.urls import reverse

    from khien.territory.views import outlines

    if not maps.WORLD.exists():
        pytest.skip("the front end is not built")
    address = reverse("territory:outlines", args=[2_000_000])
    answer = outlines(RequestFactory().get(address), 2_000_000)
    assert answer["Content-Type"] == "application/geo+json"
    assert len(json.loads(answer.content)["features"]) > 34


def test_a_unit_that_is_not_there(loaded: Session) -> None:
    from django.http import Http404
    from django.test import RequestFactory

    from khien.territory.views import outlines

    with pytest.raises(Http404):
        outlines(RequestFactory().get("/units/7/outlines"), 7)
