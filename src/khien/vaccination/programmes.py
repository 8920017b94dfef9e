"""Programmes where they lie: shipped with the product, in a TOML file, in a folder, or in a CDSi import."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from khien import rulebook
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.text import read_utf8
from khien.vaccination import cdsi
from khien.vaccination.programme_reader import ProgrammeReader
from khien.vaccination.rules.model import Programme
from khien.vaccination.toml_section import Faults, lines_of

_BROKEN = N_("The programme “{name}” has faults.")


@cache
def shipped() -> list[str]:
    """Names of the programmes that come with the product. Treat as read-only."""
    folder = files("khien.rulebook").joinpath("programmes")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def products() -> dict[str, dict[str, Any]]:
    """The vaccine products of `rulebook/vaccines/*.toml`, by product code. Treat as read-only."""
    return {row["product"]: row for row in rulebook.vaccines()}


def find(name: str) -> Programme:
    """A shipped programme by name, a TOML file, a folder of them (such as `import-cdsi` writes), or of CDSi XML.

    NotFound where there is none, BadInput with every fault by file and line where it breaks the form.
    """
    if name in shipped():
        return _shipped(name)
    path = Path(name)
    if path.is_dir():
        paths = sorted(path.glob("*.toml"), key=lambda p: (p.name != "programme.toml", p.name))
        if paths:
            return read_texts({p.name: read_utf8(p) for p in paths}, name)
        if cdsi.holds_data(path):
            return from_cdsi(path)
    elif path.is_file():
        return read_texts({path.name: read_utf8(path)}, name)
    raise NotFound(
        N_("No programme “{name}”: neither a shipped one ({choices}) nor a file nor a folder with TOML files."),
        name=name,
        choices=", ".join(shipped()),
    )


@cache
def _shipped(name: str) -> Programme:
    path = files("khien.rulebook").joinpath("programmes", f"{name}.toml")
    return read_texts({f"{name}.toml": path.read_text(encoding="utf-8")}, name)


def read_texts(texts: dict[str, str], name: str) -> Programme:
    """A programme from TOML texts by file name; the one with the documents and groups first."""
    parts: list[tuple[str, dict[str, Any], dict[str, int]]] = []
    for file, text in texts.items():
        try:
            parts.append((file, tomllib.loads(text), lines_of(text)))
        except tomllib.TOMLDecodeError as error:
            fault = Fault(file, N_("Not well-formed TOML: {reason}"), line=_line(error), params={"reason": str(error)})
            raise BadInput(_BROKEN, faults=(fault,), name=name) from error
    return _read(parts, name)


def from_cdsi(folder: Path, names: list[str] | None = None) -> Programme:
    """The CDSi supporting data of a folder as a programme, without writing it anywhere."""
    documents = cdsi.read_folder(folder, names)
    return _read([(file, values, {}) for file, values in documents.items()], str(folder))


def _read(parts: list[tuple[str, dict[str, Any], dict[str, int]]], name: str) -> Programme:
    reader = ProgrammeReader()
    found: list[Fault] = []
    for file, values, places in parts:
        faults = Faults(file, places)
        reader.add(values, faults)
        found.extend(faults.found)
    programme = reader.programme()
    if not found and not programme.antigens:
        found.append(Fault("antigen", N_("The programme describes no antigen.")))
    if found:
        raise BadInput(_BROKEN, faults=tuple(found), name=name)
    return programme


def _line(error: tomllib.TOMLDecodeError) -> int | None:
    """tomllib tells the place only in its sentence: "… (at line 3, column 7)"."""
    _, _, rest = str(error).partition("(at line ")
    number = rest.split(",")[0]
    return int(number) if number.isdigit() else None
