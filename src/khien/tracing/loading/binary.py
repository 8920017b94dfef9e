"""Visits as PostgreSQL's binary COPY wants them, made from columns of numbers: a row of it has the same length wherever
the same fields are null, so that many rows are one array."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
COLUMNS = "person_id, place_id, came_at, left_at, span, source, seat"
SOURCES = ("guest", "keeper", "roster", "ticket", "host", "vaccination", "passage", "interview", "other")  # the enum's
_NULL = -1
_ROWS = 1 << 14  # written at a time: what the processor keeps at hand
_2000 = 946_684_800_000_000  # PostgreSQL counts from then
_HOUR = 3_600_000_000
Array = np.ndarray[Any, Any]


def rows(visits: Mapping[str, Any]) -> Iterator[memoryview]:
    """The rows, in parts; each is to be used before the next is asked for. `visits`: columns of the query `good` in
    pieces.sql."""
    came = visits["came"]
    left = ~np.ma.getmaskarray(visits["gone"])
    gone = np.where(left, np.ma.getdata(visits["gone"]), came)
    lasted = gone - came
    span = np.where(left, (lasted > 2 * _HOUR).astype(np.int8) + (lasted > 24 * _HOUR), 1)  # visit_class in SQL
    told, sizes = _seats(visits["seat"])
    values = {
        "person_id": visits["person_id"], "place_id": visits["place_id"], "came_at": came - _2000,
        "left_at": gone - _2000, "span": span,
    }  # fmt: skip
    kinds = (left.astype(np.int64) << 40) | (visits["source"].astype(np.int64) << 32) | (sizes - _NULL)
    alike = (kinds == kinds[0]).all()
    for kind in kinds[:1] if alike else np.unique(kinds):
        source = SOURCES[(int(kind) >> 32 & 0xFF) - 1].encode()
        block = np.repeat(_model(bool(kind >> 40), source, int(kind & 0xFFFFFFFF) + _NULL), _ROWS)
        same = np.flatnonzero(kinds == kind)
        for at in range(0, len(same), _ROWS):
            some = slice(at, at + _ROWS) if alike else same[at : at + _ROWS]
            part = block[: len(same) - at]
            names = part.dtype.names or ()
            for name in values.keys() & set(names):
                part[name] = values[name][some]
            if told is not None and "seat" in names:
                part["seat"] = told[some]
            yield part.view(np.uint8).data


def _model(left: bool, source: bytes, seat: int) -> Array:
    """A row with what all rows have that have the same fields, the same source and seats of the same length."""
    form: list[tuple[str, str]] = [("fields", ">i2")]
    for name in ("person_id", "place_id", "came_at", "left_at"):
        form += [(f"{name}#", ">i4"), *([(name, ">i8")] if left or name != "left_at" else [])]
    form += [("span#", ">i4"), ("span", ">i2"), ("source#", ">i4"), ("source", f"S{len(source)}"), ("seat#", ">i4")]
    if seat > 0:
        form.append(("seat", f"S{seat}"))
    row = np.zeros(1, np.dtype(form))
    row["fields"] = 7
    for name, _ in form:
        if name.endswith("#"):
            row[name] = {"span#": 2, "source#": len(source), "seat#": seat}.get(name, 8)
    if not left:
        row["left_at#"] = _NULL
    row["source"] = source
    return row


def _seats(seats: Array) -> tuple[Array | None, Array]:
    """Texts as bytes and their lengths; masked where there is none."""
    if seats.dtype != object:
        return None, np.full(len(seats), _NULL, np.int32)
    none = np.ma.getmaskarray(seats)
    told = np.array([b"" if n else seat.encode() for seat, n in zip(np.ma.getdata(seats), none, strict=True)], object)
    return told, np.array([_NULL if n else len(seat) for seat, n in zip(told, none, strict=True)], np.int32)
