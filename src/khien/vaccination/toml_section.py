"""Reading a TOML document piece by piece: every fault is named by line and field, and all of them are found at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from khien.core.errors import Fault
from khien.core.i18n import N_
from khien.vaccination.expected import expected
from khien.vaccination.rules.periods import Period, period

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]+\")\s*=")


def lines_of(text: str) -> dict[str, int]:
    """Where each table and key of a TOML text stands: "antigen[0].series[2].name" -> line, counted from 1."""
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            prefix = _table_path(header[2], header[1] == "[[", counts)
            places.setdefault(prefix, number)
        elif key := _KEY.match(line):
            places.setdefault(f"{prefix}.{key[1].strip(chr(34))}".lstrip("."), number)
    return places


def _table_path(name: str, is_array: bool, counts: dict[str, int]) -> str:
    """The full path of a header: the last entry of each array it lies in, a new one of its own."""
    path = ""
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for i, part in enumerate(parts):
        path = f"{path}.{part}".lstrip(".")
        if i == len(parts) - 1 and is_array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path


class Faults:
    """Collects what is wrong with one file."""

    def __init__(self, file: str, places: Mapping[str, int]) -> None:
        self.file, self.places = file, places
        self.found: list[Fault] = []

    def add(self, path: str, message: str, **params: Any) -> None:
        self.found.append(Fault(f"{self.file}: {path}", message, line=self.line(path), params=params))

    def line(self, path: str) -> int | None:
        """The line of the path, or of the nearest table or key around it."""
        while path:
            if path in self.places:
                return self.places[path]
            cut = re.sub(r"(\[\d+\]|\.?[^.\[\]]+)$", "", path)
            path = cut if cut != path else ""
        return 1


class Section:
    """One table. Keys that nobody asked for are faults, so that a misspelt rule is not silently ignored."""

    def __init__(self, values: Mapping[str, Any], path: str, faults: Faults) -> None:
        self.values, self.path, self.faults = values, path, faults
        self.asked: set[str] = set()

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}".lstrip(".")

    def _get(self, key: str, kinds: tuple[type, ...], form: str, required: bool) -> Any:
        self.asked.add(key)
        value = self.values.get(key)
        if value is None:
            if required:
                self.faults.add(self._at(key), N_("This field is missing."))
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.faults.add(self._at(key), N_("Expected {expected}."), expected=expected(form))
            return None
        return value

    def text(self, key: str, default: str = "", *, required: bool = False, among: tuple[str, ...] = ()) -> str:
        value = self._get(key, (str,), "text", required)
        if value is not None and among and value not in among:
            self.faults.add(self._at(key), N_("Expected one of: {choices}."), choices=", ".join(among))
        return default if value is None else value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._get(key, (bool,), "true or false", False)
        return default if value is None else value

    def whole(self, key: str, default: int = 0, *, required: bool = False) -> int:
        value = self._get(key, (int,), "a whole number", required)
        return default if value is None else value

    def amount(self, key: str) -> float | None:
        value = self._get(key, (int, float), "a number", False)
        return None if value is None else float(value)

    def day(self, key: str, default: int) -> int:
        """A date, as an ordinal."""
        value = self._get(key, (dt.date,), "a date (2021-12-17)", False)
        return default if value is None else value.toordinal()

    def length(self, key: str) -> Period | None:
        value = self._get(key, (str,), "a length of time", False)
        if value is None:
            return None
        try:
            return period(value)
        except ValueError:
            self.faults.add(
                self._at(key), N_("“{value}” is not a length of time such as “6 weeks - 4 days”."), value=value
            )
            return None

    def words(self, key: str) -> tuple[str, ...]:
        value = self._get(key, (list,), "a list of texts", False)
        if value is None:
            return ()
        if not all(isinstance(item, str) for item in value):
            self.faults.add(self._at(key), N_("Expected {expected}."), expected=expected("a list of texts"))
            return ()
        return tuple(value)

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts, such as `{en = "…", vi = "…"}`."""
        value = self._get(key, (dict,), "a table of texts", False)
        if value is None:
            return {}
        if not all(isinstance(item, str) for item in value.values()):
            self.faults.add(self._at(key), N_("Expected {expected}."), expected=expected("a table of texts"))
            return {}
        return dict(value)

    def rows(self, key: str) -> Iterator[Section]:
        value = self._get(key, (list,), "a list of tables", False)
        for i, item in enumerate(value or ()):
            if not isinstance(item, dict):
                self.faults.add(f"{self._at(key)}[{i}]", N_("Expected {expected}."), expected=expected("a table"))
                continue
            part = Section(item, f"{self._at(key)}[{i}]", self.faults)
            yield part
            part.close()

    def close(self) -> None:
        for key in self.values.keys() - self.asked:
            self.faults.add(self._at(key), N_("There is no field of this name here."))

    def fault(self, key: str, message: str, **params: Any) -> None:
        self.faults.add(self._at(key), message, **params)
