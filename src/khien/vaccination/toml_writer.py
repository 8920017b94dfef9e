"""Write a programme document as TOML that a person can read: a table a dose, one line a rule."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

# Lists of tables that get headers of their own; all others are written as one line a row.
_HEADED = {
    "document", "vaccine_group", "conflict", "antigen", "contraindication", "series", "dose", "skip", "priority_group",
}  # fmt: skip


def to_toml(values: dict[str, Any]) -> str:
    """The document. Keys keep their order; None is left out."""
    lines: list[str] = []
    _table(values, "", lines)
    return "\n".join(lines).strip() + "\n"


def _table(values: dict[str, Any], path: str, lines: list[str]) -> None:
    later: list[tuple[str, list[dict[str, Any]]]] = []
    for key, value in values.items():
        if value is None:
            continue
        if key in _HEADED and _is_tables(value):
            later.append((key, value))
        elif _is_tables(value):
            lines.append(f"{key} = [")
            lines.extend(f"  {_value(row)}," for row in value)
            lines.append("]")
        else:
            lines.append(f"{key} = {_value(value)}")
    for key, rows in later:
        for row in rows:
            name = f"{path}.{key}".lstrip(".")
            lines.extend(["", f"[[{name}]]"])
            _table(row, name, lines)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items() if v is not None) + " }"
    return str(value)
