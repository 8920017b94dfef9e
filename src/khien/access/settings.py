"""What accounts need in Django's settings; core.settings takes it over."""

APPS: list[str] = []
MIDDLEWARE: list[str] = []
EXPORTED: list[str] = []
