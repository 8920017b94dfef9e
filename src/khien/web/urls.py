"""All addresses. A capability's pages are in its own `urls.py`; the API is one, under /api/."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from khien.core.config import CAPABILITIES
from khien.web import job_views, views
from khien.web.api import api

# The API first: its callers are many, and each address above theirs would be tried. Then the capabilities that have
# pages, in the order of the house.
urlpatterns: list[URLPattern | URLResolver] = [path("api/", api.urls)]
urlpatterns += [
    path("", include(f"khien.{name}.urls"))
    for name in CAPABILITIES
    if find_spec(f"khien.{name}.urls") and name != "web"
]
urlpatterns += [
    path("", views.home, name="home"),
    path("language", views.choose_language, name="language"),
    path("jobs/", job_views.overview, name="jobs"),
    path("jobs/<str:name>/run", job_views.run, name="run_job"),
]

handler400 = views.bad_request
handler403 = handler404 = views.not_found
handler500 = views.server_error
