"""PostgreSQL's binary form of one-dimensional arrays: cheaper to make and to read than text, and nothing to escape."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Sequence

TEXT, INTEGER, DATE, JSONB = 25, 23, 1082, 3802
TEXTS, INTEGERS, DATES = 1009, 1007, 1182  # OIDs of their arrays (pg_type.dat)

_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_FOUR = struct.Struct("!ii")
_NULL = b"\xff\xff\xff\xff"
_EPOCH = dt.date(2000, 1, 1).toordinal()


def jsonb(text: str) -> bytes:
    """jsonb: a version and the text."""
    return b"\x01" + text.encode()


def texts(values: Sequence[str | None]) -> bytes:
    """text[]; an empty text stays one."""
    pack = _LENGTH.pack
    encoded = [None if v is None else v.encode() for v in values]
    return _array(TEXT, [_NULL if v is None else pack(len(v)) + v for v in encoded])


def integers(values: Sequence[int | None]) -> bytes:
    """int4[]."""
    pack = _FOUR.pack
    return _array(INTEGER, [_NULL if v is None else pack(4, v) for v in values])


def dates(values: Sequence[dt.date | None]) -> bytes:
    """date[]: days since 2000-01-01."""
    pack = _FOUR.pack
    return _array(DATE, [_NULL if v is None else pack(4, v.toordinal() - _EPOCH) for v in values])


def _array(element: int, items: list[bytes]) -> bytes:
    return _HEAD.pack(1, 1, element, len(items), 1) + b"".join(items)
