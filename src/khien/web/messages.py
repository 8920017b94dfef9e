"""Vietnamese catalogues: `python -m khien.web.messages compile` and `python -m khien.web.messages check`.

English stands in the source; each capability keeps its Vietnamese in `locale/vi/LC_MESSAGES/django.po`. The compiled
files are not committed. `check` lists every text in templates and Python without a Vietnamese translation.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from khien.core import config

PACKAGE = Path(__file__).resolve().parent.parent

# What marks a text in Python: gettext and its kin, the usual `_`, and N_ of core.i18n.
_MARKERS: dict[str, None] = dict.fromkeys(
    (
        "N_",
        "_",
        "gettext",
        "gettext_lazy",
        "gettext_noop",
        "ngettext",
        "ngettext_lazy",
        "pgettext",
        "pgettext_lazy",
    )
)


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """An English text and where it is written first. `context` tells apart what English writes alike."""

    message: str
    context: str | None
    where: str


def catalogues() -> list[Path]:
    return sorted(PACKAGE.glob("*/locale/vi/LC_MESSAGES/django.po"))


def compile_all() -> list[Path]:
    """Write each catalogue's .mo beside it, if it changed. Raises ValueError for one that does not parse."""
    written = []
    for source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        packed = io.BytesIO()
        write_mo(packed, _read(source))
        fresh = target.with_suffix(".mo.new")
        fresh.write_bytes(packed.getvalue())
        fresh.replace(target)
        written.append(target)
    return written


def _read(source: Path) -> Catalog:
    with source.open("rb") as stream:
        try:
            return read_po(stream, locale="vi", charset="utf-8", abort_invalid=True)
        except PoFileError as fault:
            raise ValueError(f"{source}: {fault}") from fault


def texts(package: Path = PACKAGE) -> Iterator[Text]:
    """Every text marked for translation in templates and Python below `package`."""
    from django.utils.translation.template import templatize

    for template in sorted([*package.rglob("templates/**/*.html"), *package.rglob("templates/**/*.txt")]):
        # Django's own road: what is not a translation becomes X's, the rest becomes calls of gettext.
        code = templatize(template.read_text(encoding="utf-8"), origin=str(template))
        yield from _of_python(code.encode(), template)
    for source in sorted(package.rglob("*.py")):
        yield from _of_python(source.read_bytes(), source)


def _of_python(code: bytes, source: Path) -> Iterator[Text]:
    where = source.relative_to(PACKAGE.parent).as_posix()
    for line, function, found, _ in extract_python(io.BytesIO(code), _MARKERS, (), {"encoding": "utf-8"}):
        parts = list(_strings(found))
        with_context = str(function).startswith("pgettext") and len(parts) > 1
        message = parts[1] if with_context else "".join(parts[:1])
        if message:
            yield Text(message, parts[0] if with_context else None, f"{where}:{line}")


def _strings(found: object) -> Iterator[str]:
    """The extractor gives one text, or a tuple of the call's arguments with None for what is not a text."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, tuple | list):
        for part in found:
            yield from _strings(part)


def missing() -> list[Text]:
    """Texts without a Vietnamese translation where they are shown: those of the command line in any catalogue, all
    others in one that the pages read too. Django's and allauth's own do not count as ours."""
    known = translated()
    of_pages = {key for key, by in known.items() for told in by.values() if set(told) & set(config.CAPABILITIES)}
    first: dict[tuple[str, str | None, bool], Text] = {}
    for text_ in texts():
        typed = text_.where.startswith("khien/cli/")
        first.setdefault((text_.message, text_.context, typed), text_)
    return sorted(text_ for (*key, typed), text_ in first.items() if tuple(key) not in (known if typed else of_pages))


def translated() -> dict[tuple[str, str | None], dict[str, list[str]]]:
    """Of each text, by its context: how it is translated, and in whose catalogues so."""
    found: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    for source in catalogues():
        for entry in _read(source):
            message = entry.id[0] if isinstance(entry.id, tuple | list) else entry.id
            text = entry.string if isinstance(entry.string, str) else "".join(entry.string or ())
            if message and text and not entry.fuzzy:
                found.setdefault((message, entry.context), {}).setdefault(text, []).append(source.parts[-5])
    return found


def ambiguous() -> list[str]:
    """Texts that two catalogues translate differently: which one is shown hangs on their order, not on the page."""
    return [f"{message!r}: {by}" for (message, _context), by in sorted(translated().items(), key=str) if len(by) > 1]


_NAMED = re.compile(r"%\((\w+)\)[sd]|\{(\w+)[^{}]*\}")


def mismatched() -> list[str]:
    """Translations that lost or invented a parameter: they would break where they are shown."""
    faults = []
    for source in catalogues():
        for entry in _read(source):
            forms = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
            wanted = {name for form in forms for pair in _NAMED.findall(form) for name in pair if name}
            strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
            for string in strings:
                given = {name for pair in _NAMED.findall(string or "") for name in pair if name}
                if string and given - wanted or (string and len(forms) == 1 and wanted - given):
                    faults.append(f"{source.relative_to(PACKAGE.parent).as_posix()}:{entry.lineno}: {forms[0]}")
    return faults


def main(words: list[str]) -> int:
    if words == ["compile"]:
        compile_all()
        return 0
    if words == ["check"]:
        for text_ in missing():
            print(f"{text_.where}: {text_.message!r}")  # noqa: T201
        for fault in mismatched():
            print(f"{fault}: parameters differ")  # noqa: T201
        for text in ambiguous():
            print(text)  # noqa: T201
        return 1 if missing() or mismatched() or ambiguous() else 0
    print("usage: python -m khien.web.messages compile|check", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
