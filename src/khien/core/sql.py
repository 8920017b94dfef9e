"""SQL lives in `.sql` files beside the code; this loads it by name.

A file holds blocks that start with `-- name: some_name`; comment lines after it say what the block is for.
Parameters are psycopg's `%(name)s`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString

_BLOCK = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


class Queries:
    """Named SQL of one capability: `Queries("khien.population").find_person` is its text.

    Raises AttributeError for a name the file does not hold.
    """

    def __init__(self, package: str, filename: str = "queries.sql") -> None:
        self._package, self._filename = package, filename
        self._blocks = _load(package, filename)

    def __getattr__(self, name: str) -> LiteralString:
        try:
            return self._blocks[name]
        except KeyError:
            raise AttributeError(f"{self._package}/{self._filename} has no query named {name}") from None

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._blocks)


@cache
def _load(package: str, filename: str) -> dict[str, LiteralString]:
    text = read_sql(package, filename)
    parts = _BLOCK.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}/{filename} names a query twice")
    return {n: b.strip() for n, b in zip(names, bodies, strict=True)}


def read_sql(package: str, filename: str) -> LiteralString:
    """The whole text of an SQL file that ships with the package (ours, hence trusted)."""
    return files(package).joinpath(filename).read_text(encoding="utf-8")
