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


def rows(columns: Mapping[str, Any]) -> Iterator[memoryview]:
    """The rows, in parts. `columns` are those of the query `good` in pieces.sql."""
    seats = columns["seat"]
    told = None
    if seats.dtype == object:  # texts; masked where there is none
        none = np.ma.getmaskarray(seats)
        told = np.array(
            [b"" if n else seat.encode() for seat, n in zip(np.ma.getdata(seats), none, strict=True)], object
        )
        sizes = np.array([_NULL if n else len(seat) for seat, n in zip(told, none, strict=True)], np.int32)
    else:
        sizes = np.full(len(seats), _NULL, np.int32)
    kinds = (columns["left"].astype(np.int64) << 40) | (columns["source"].astype(np.int64) << 32) | (sizes - _NULL)
    for kind in kinds[:1] if (kinds == kinds[0]).all() else np.unique(kinds):
        same = np.flatnonzero(kinds == kind)
        source = SOURCES[(int(kind) >> 32 & 0xFF) - 1].encode()
        yield _alike(columns, same, bool(kind >> 40), source, int(kind & 0xFFFFFFFF) + _NULL, told)


def _alike(
    columns: Mapping[str, Any], same: np.ndarray[Any, Any], left: bool, source: bytes, size: int, seats: Any
) -> memoryview:
    """Rows that have the same fields, the same source and seats of the same length."""
    whole = len(same) == len(columns["person_id"])
    of = {n: columns[n] if whole else columns[n][same] for n in ("person_id", "place_id", "came_at", "left_at", "span")}
    form: list[tuple[str, str]] = [("fields", ">i2")]
    for name in ("person_id", "place_id", "came_at", "left_at"):
        form += [(f"{name}#", ">i4"), *([(name, ">i8")] if left or name != "left_at" else [])]
    form += [("span#", ">i4"), ("span", ">i2"), ("source#", ">i4"), ("source", f"S{len(source)}"), ("seat#", ">i4")]
    if size > 0:
        form.append(("seat", f"S{size}"))
    made = np.empty(len(same), np.dtype(form))
    made["fields"] = 7
    for name, _ in form:
        if name.endswith("#"):
            made[name] = {"span#": 2, "source#": len(source), "seat#": size}.get(name, 8)
    if not left:
        made["left_at#"] = _NULL
    for name, values in of.items():
        if name in (made.dtype.names or ()):
            made[name] = values
    made["source"] = source
    if size > 0:
        made["seat"] = seats[same].astype(f"S{size}")
    return made.view(np.uint8).reshape(-1).data
