"""Django's settings. Everything that differs between installations comes from the environment (see core.config)."""

from __future__ import annotations

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from khien.access import settings as access
from khien.core import config
from khien.core.i18n import N_

SECRET_KEY = config.secret_key()
DEBUG = False
ALLOWED_HOSTS = os.environ.get("KHIEN_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

# Ours first: their templates take the place of those of the same name further down.
INSTALLED_APPS = [
    *(f"khien.{name}" for name in config.CAPABILITIES),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    *access.APPS,
    "procrastinate.contrib.django",
]
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "khien.web.security.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "khien.web.language.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    *access.MIDDLEWARE,
    "khien.web.errors.ErrorPages",
]

ROOT_URLCONF = "khien.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "khien.web.context.shell",
            ],
        },
    }
]


def _database(role: str) -> dict[str, object]:
    given = conninfo_to_dict(config.database_dsn(role))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname", ""),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": given,
    }


# "default" serves people under row-level security; "owner" is used by migrations alone.
DATABASES = {"default": _database("khien_app"), "owner": _database("khien_owner")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LANGUAGE_CODE = "vi"
FORMAT_MODULE_PATH = "khien.web.formats"
USE_TZ = True
TIME_ZONE = "Asia/Ho_Chi_Minh"

STATIC_URL = "static/"
STATIC_ROOT = Path(__file__).resolve().parent.parent / "web" / "collected"  # filled by khien.web.build
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # one shift
CSRF_COOKIE_SAMESITE = "Lax"
# Behind TLS (KHIEN_HTTPS=1) cookies travel encrypted only; a laptop demonstration on localhost has no TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = config.https()
SECURE_HSTS_SECONDS = 31536000 if config.https() else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if config.https() else None
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "khien.web.views.refused_form"
FORM_RENDERER = "khien.web.forms.Renderer"

# Requests and errors go to the log without paths' query strings and without local variables.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "CRITICAL"}, "django.security": {"level": "CRITICAL"}},
}

KHIEN_TITLE = N_("Vaccination and epidemic zones")

for _name in access.EXPORTED:
    globals()[_name] = getattr(access, _name)
