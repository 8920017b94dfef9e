"""The database server: PostgreSQL 18 embedded in KHIEN_HOME, or the one KHIEN_DATABASE_URL names.

`ensure_running()` is all that other parts need; `khien db` shows the rest.
"""

from khien.core.server.databases import create_database, drop_database, ensure_running
from khien.core.server.supervisor import start, stop

__all__ = ["create_database", "drop_database", "ensure_running", "start", "stop"]
