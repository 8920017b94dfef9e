"""Folding of names and words for comparison, the same in SQL as khien_fold; and text files as people send them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

# The marks of Vietnamese and of Latin names near it; other marks stay, as in the SQL function.
_MARKS = dict.fromkeys(map(ord, "\u0300\u0301\u0302\u0303\u0306\u0308\u0309\u030a\u030c\u0323\u0327\u031b"))
_MARKS[ord("đ")] = "d"
_SPACES = re.compile(r"\s+")


def nfc(value: str) -> str:
    """NFC, outer spaces off, inner runs of spaces to one: how every name is stored."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", value)).strip()


# The longest words that people write freely: a reason or a note, and a report of what happened.
MOST_NOTE, MOST_REPORT = 500, 2000


def free_text(value: str, field: str = "reason", most: int = MOST_NOTE) -> str:
    """A reason or a note as it is stored, outer spaces off. Raises BadInput where it is longer than a note."""
    kept = value.strip()
    if len(kept) > most:
        message = N_("This text has {length} characters; at most {most} are kept.")
        told: dict[str, Any] = {"length": len(kept), "most": most}
        raise BadInput(message, faults=(Fault(field, message, params=told),), **told)
    return kept


def fold(value: str) -> str:
    """Lower case, no accents, đ → d, single spaces: how every name is compared."""
    bare = unicodedata.normalize("NFD", value).lower().translate(_MARKS)
    return _SPACES.sub(" ", bare).strip()


def read_utf8(path: Path) -> str:
    """The text of a file, without the mark that some programs put in front. Raises BadInput naming the line."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        fault = Fault(path.name, N_("This is not UTF-8 text."), content.count(b"\n", 0, failure.start) + 1)
        raise BadInput(N_("The file {file} is not UTF-8. Save it as UTF-8."), faults=(fault,), file=path.name) from None
