"""Django for a command of the terminal: settings read, apps loaded, in the terminal's language."""

from __future__ import annotations

import os


def ready(language: str) -> None:
    """Call before models are used outside a web server. Safe to call again."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    import django
    from django.utils import translation

    django.setup()
    translation.activate(language)
