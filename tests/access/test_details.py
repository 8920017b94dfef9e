"""Every detail that is written into the log has a name in both languages for the auditor."""

from __future__ import annotations

import ast
from pathlib import Path

import khien
from khien.access.roles import detail_title
from khien.population.load.merging import Counts


def written() -> set[str]:
    found = set(Counts.__dataclass_fields__)
    for path in Path(khien.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("session.log", "done"):
                found |= {k.arg for k in node.keywords if k.arg not in (None, "client_id")}  # type: ignore[misc]
    return found


def test_every_detail_of_the_log_is_told_in_both_languages() -> None:
    names = written()
    assert len(names) > 60
    assert {name for name in names if detail_title(name, "vi") == name} == set()
