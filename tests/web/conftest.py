"""Django, set up once."""

from __future__ import annotations

import os

import django
import pytest


@pytest.fixture(autouse=True, scope="session")
def ready() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()
