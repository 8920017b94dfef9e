"""The product's settings, with a few pages more that show the components of the shell by themselves."""

from pathlib import Path

from khien.core.settings import *  # noqa: F403
from khien.core.settings import TEMPLATES
from tests import passwords

passwords.cheap()
ROOT_URLCONF = "tests.browser.urls"
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]

# A journey that breaks shows where; the product itself keeps what a request held out of its log.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["stderr"], "level": "ERROR"}},
}
