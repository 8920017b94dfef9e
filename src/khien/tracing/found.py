"""The answer of a trace by columns: ten thousand contacts are put together, ordered and made in a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np
from psycopg import Cursor

from khien.tracing.contact import Contact

Array = np.ndarray[Any, Any]
_COLUMNS = (">i8", ">i8", ">f8", ">i8", ">f8", ">f8")  # through whom, who, score, seconds, first, last
_BETWEEN = "\x1f"  # exposures of one and of the next: no character of JSON
_HALVED = "[]"  # in place of what was cut: half of the first degree was followed
_HEAD = 20  # bytes of a binary array before its first value
_contact = partial(tuple.__new__, Contact)  # half the time of Contact._make, which counts the fields


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one degree for one case. Rows without a person (0) say what was cut."""

    degree: int
    case_person_id: int
    columns: tuple[Array, ...]
    texts: list[str]

    def contacts(self) -> list[Contact]:
        """One contact for each person, through whom the score is highest: the highest scores first, then by number."""
        via, person, score = self.columns[:3]
        order = np.argsort(person, kind="stable")
        twice = np.flatnonzero(np.diff(person[order]) == 0)  # one of each half
        one, other = order[twice], order[twice + 1]
        better = (score[one] > score[other]) | ((score[one] == score[other]) & (via[one] < via[other]))
        kept = person != 0
        kept[np.where(better, other, one)] = False
        order = order[kept[order]]
        return list(self._rows(order[np.argsort(-score[order], kind="stable")]))

    def cuts(self) -> list[Contact]:
        """The rows that say what was cut."""
        return list(self._rows(np.flatnonzero(self.columns[1] == 0)))

    def _rows(self, order: Array) -> Iterator[Contact]:
        via, *others = (column[order].tolist() for column in self.columns)
        rows = order.tolist()
        texts = itemgetter(*rows)(self.texts) if len(rows) > 1 else [self.texts[row] for row in rows]
        through = via if self.degree > 1 else repeat(None)
        return map(_contact, zip(repeat(self.degree), repeat(self.case_person_id), through, *others, texts))


def read(cursor: Cursor[Any]) -> list[Found]:
    """The rows of the query `trace`, as its cursor received them in binary form."""
    result = cursor.pgresult
    assert result is not None
    found = []
    for row in range(result.ntuples):
        degree, case, *arrays, texts = (result.get_value(row, column) or b"" for column in range(result.nfields))
        columns = (
            np.frombuffer(array, [("size", ">i4"), ("value", kind)], offset=_HEAD)["value"].astype(kind[1:])
            for array, kind in zip(arrays, _COLUMNS, strict=True)
        )
        found.append(
            Found(int.from_bytes(degree), int.from_bytes(case), tuple(columns), texts.decode().split(_BETWEEN))
        )
    return found


def whole(first: list[Found], second: list[Found]) -> list[Found] | None:
    """What two sessions found, of which the second followed one half of the first degree, if the first followed the
    other only. None if one half is missing, or was more than its share of the work: what is cut then only one search
    can say."""
    if not _halved(first):
        return first
    if not _halved(second) or any(cut["cut"] == "work" for row in _cuts((*first, *second)) for cut in row.cuts):
        return None
    together: dict[tuple[int, int], Found] = {}
    for one in (*first, *second):
        key = (one.degree, one.case_person_id)
        together[key] = _joined(together[key], one) if key in together else one
    return list(together.values())


def _joined(one: Found, other: Found) -> Found:
    columns = tuple(np.concatenate(pair) for pair in zip(one.columns, other.columns, strict=True))
    return Found(one.degree, one.case_person_id, columns, one.texts + other.texts)


def _halved(found: list[Found]) -> bool:
    return any(row.found == _HALVED for row in _cuts(found))


def _cuts(found: Iterable[Found]) -> Iterator[Contact]:
    for one in found:
        yield from one.cuts()
