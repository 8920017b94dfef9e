"""The pages as a WSGI application, for granian: `khien.web.wsgi:application`."""

from __future__ import annotations

import atexit
import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
_whole = get_wsgi_application()
application = import_module("khien.web.plain_dose").PlainDose(_whole)

# All code is loaded before the first request, and what it is made of is never looked at by the garbage collector again:
# walking those 140,000 objects held every request of the process up for some 100 ms, every few seconds.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
atexit.register(gc.unfreeze)  # extension modules count their own objects when the process ends
