"""Rules as data: dated TOML files with their legal source, one folder a topic.

Every entry names its document; `verified = false` marks what no public source confirmed and an agency should check.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(topic: str, name: str) -> dict[str, Any]:
    """The packaged file `<topic>/<name>.toml`, read once. Treat the answer as read-only.

    Raises FileNotFoundError for a file that does not ship, tomllib.TOMLDecodeError for a broken one.
    """
    path = files("khien.rulebook").joinpath(topic, f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def in_force(entries: Iterable[Mapping[str, Any]], on: dt.date) -> list[Mapping[str, Any]]:
    """The entries whose days (`valid_from` to `valid_until`, both included; absent = unlimited) hold `on`."""
    return [e for e in entries if e.get("valid_from", dt.date.min) <= on <= e.get("valid_until", dt.date.max)]


_NUMBERED = re.compile(r"(?P<kind>[A-Z][a-z ]+?) (?P<number>[0-9]\S*)(?: \((?P<day>[0-9/]+)\))?")


@cache
def document(title: str, language: str) -> str:
    """A document's title as its readers know it: for "vi" the official name by documents.toml, else as it stands."""
    names = _documents()
    if language != "vi" or title in names["names"]:
        return title if language != "vi" else str(names["names"][title])
    found = _NUMBERED.fullmatch(title)
    if found is None or found["kind"] not in names["kinds"]:
        return title
    return f"{names['kinds'][found['kind']]} {found['number']}" + (f" ngày {found['day']}" if found["day"] else "")


def named(name: str, language: str) -> str:
    """What a series, a vaccine group or a kind of dose is called: for "vi" by names.toml, else as it stands."""
    return str(_names().get(name, name)) if language == "vi" else name


@cache
def _names() -> dict[str, str]:
    return tomllib.loads(files("khien.rulebook").joinpath("names.toml").read_text(encoding="utf-8"))["names"]


@cache
def _documents() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("khien.rulebook").joinpath("documents.toml").read_text(encoding="utf-8"))


_VACCINE_FIELDS = ("product", "name", "disease", "cvx", "atc", "eu_code", "licensed_on", "primary_doses")


@cache
def vaccines() -> list[dict[str, Any]]:
    """The vaccine products of every `vaccines/*.toml`; a field that a product lacks is None. Treat as read-only."""
    folder = files("khien.rulebook").joinpath("vaccines")
    texts = [e.read_text(encoding="utf-8") for e in sorted(folder.iterdir(), key=lambda e: e.name) if ".toml" in e.name]
    return [dict.fromkeys(_VACCINE_FIELDS) | row for text in texts for row in tomllib.loads(text)["product"]]
