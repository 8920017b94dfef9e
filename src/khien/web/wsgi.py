"""The pages as a WSGI application, for granian: `khien.web.wsgi:application`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
application = get_wsgi_application()
