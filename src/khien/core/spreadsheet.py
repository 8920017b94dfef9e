"""What every list that is opened in a spreadsheet needs."""

from __future__ import annotations

from typing import Any


def plain(cell: Any) -> Any:
    """A cell of a CSV file that no spreadsheet takes for a formula: names come from files of others."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell
