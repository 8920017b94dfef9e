"""Realistic faults in an extract, with the truth beside: for the loader's checks and for reconciliation.

Kinds follow what cleaning the vaccination data found: names misspelt or without accents, day and month or digits
exchanged, the same person twice, decomposed Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from khien.core.errors import WrongUsage
from khien.core.i18n import N_
from khien.core.text import fold
from khien.simulation.extract import write
from khien.simulation.nation import Block

_NOT_ENTERED = (
    "personal_number", "insurance_number", "card_kind", "card_issued_on", "card_expires_on", "household", "relation",
)  # fmt: skip
TRUTH_COLUMNS = ("row", "fault", "column", "truth")
Maker = Callable[[str, np.random.Generator], str]

# Letters that are heard or typed for each other; from the misspellings reported in 2021 and the Telex keyboard.
_CONFUSED = {
    "ử": "ữ", "ị": "i", "ễ": "ể", "ả": "ã", "ỹ": "ỷ", "ỳ": "ì", "ươ": "ư", "ê": "e", "ô": "o", "â": "a", "ă": "a",
    "ch": "tr", "tr": "ch", "s": "x", "x": "s", "d": "gi", "gi": "d", "n": "l", "l": "n", "i": "y", "y": "i",
    "g": "gh", "h": "", "a": "â",
}  # fmt: skip


def _misspelt(name: str, rng: np.random.Generator) -> str:
    """One sound of the middle or given name written as another."""
    start = name.find(" ") + 1
    places = [(i, old) for old in _CONFUSED for i in range(start, len(name)) if name.startswith(old, i)]
    if not places:
        return name + name[-1]
    place, old = places[int(rng.integers(len(places)))]
    return name[:place] + _CONFUSED[old] + name[place + len(old) :]


def _without_accents(name: str, rng: np.random.Generator) -> str:
    return fold(name).title() if rng.random() < 0.5 else fold(name).upper()


def _decomposed(name: str, rng: np.random.Generator) -> str:
    return unicodedata.normalize("NFD", name)


def _day_as_month(date: str, rng: np.random.Generator) -> str:
    """Day and month exchanged; where that is no date, the day is mistyped by one."""
    parts = date.split("-")
    if len(parts) != 3:
        return date
    year, month, day = parts
    if int(day) <= 12 and day != month:
        return f"{year}-{day}-{month}"
    return f"{year}-{month}-{int(day) - 1:02d}" if int(day) > 1 else f"{year}-{month}-02"


def _exchanged(number: str, rng: np.random.Generator) -> str:
    """Two neighbouring digits exchanged."""
    places = [i for i in range(len(number) - 1) if number[i] != number[i + 1]]
    if not places:
        return number
    i = places[int(rng.integers(len(places)))]
    return number[:i] + number[i + 1] + number[i] + number[i + 2 :]


# Fault, column, how often among the faults. "duplicate" repeats the whole row, its name misspelt and without number.
FAULTS: tuple[tuple[str, str, float, Maker], ...] = (
    ("misspelt_name", "name", 0.30, _misspelt),
    ("no_accents", "name", 0.22, _without_accents),
    ("decomposed", "name", 0.10, _decomposed),
    ("day_month", "birth_date", 0.14, _day_as_month),
    ("digits", "personal_number", 0.14, _exchanged),
    ("duplicate", "", 0.10, _misspelt),
)


class Faulty:
    """Blocks with a share of faulty rows; collects the truth while they pass through.

    `truth` rows: number of the data row in the file (from 1), fault, column, true value; for a duplicate the column is
    "row" and the true value the number of the row it repeats. Duplicates stand at the end of their block.
    """

    def __init__(self, share: float, seed: int) -> None:
        if not 0 <= share <= 1:
            raise WrongUsage(N_("The share of faulty rows must lie between 0 and 1."))
        self.truth: list[tuple[str, str, str, str]] = []
        self._share = share
        self._rng = np.random.default_rng(np.random.SeedSequence([seed, 0xFA017]))

    def of(self, blocks: Iterator[Block]) -> Iterator[Block]:
        passed = 0
        for block in blocks:
            spoiled = self._spoil(block, passed)
            passed += len(spoiled["name"])
            yield spoiled

    def _spoil(self, block: Block, passed: int) -> Block:
        rng, rows = self._rng, len(block["name"])
        chance = np.array([f[2] for f in FAULTS])
        hit = np.flatnonzero(rng.random(rows) < self._share)
        kind = rng.choice(len(FAULTS), size=len(hit), p=chance / chance.sum())
        copied: list[int] = []
        for row, k in zip(hit.tolist(), kind.tolist(), strict=True):
            fault, column, _, make = FAULTS[k]
            if fault == "duplicate":
                copied.append(row)
            elif (true := block[column][row]) is not None and (false := make(true, rng)) != true:
                block[column][row] = false
                self.truth.append((str(passed + row + 1), fault, column, true))
        return self._with_copies(block, np.array(copied, dtype=np.int64), passed)

    def _with_copies(self, block: Block, copied: NDArray[np.int64], passed: int) -> Block:
        rows = len(block["name"])
        whole: Block = {name: np.append(values, values[copied]) for name, values in block.items()}
        for n, row in enumerate(copied.tolist()):
            whole["name"][rows + n] = _misspelt(block["name"][row], self._rng)
            # The double was entered by hand: outside any household, from the old card or from no paper at all.
            for name in _NOT_ENTERED:
                whole[name][rows + n] = None
            if n % 2:
                whole["old_number"][rows + n] = None
            whole["provisional_id"][rows + n] = f"D{passed + rows + n + 1:09d}"
            self.truth.append((str(passed + rows + n + 1), "duplicate", "row", str(passed + row + 1)))
        return whole

    def write(self, path: Path) -> int:
        """Write the truth (TRUTH_COLUMNS) to a CSV or Parquet file; returns the number of faults."""
        ordered = sorted(self.truth, key=lambda t: int(t[0]))
        columns = [np.array(c, dtype=object) for c in zip(*ordered, strict=True)] or [np.array([], dtype=object)] * 4
        return write([dict(zip(TRUTH_COLUMNS, columns, strict=True))], path, TRUTH_COLUMNS)


def truth_path(path: Path) -> Path:
    """Where the truth of an extract's faults stands: FILE.csv → FILE.faults.csv."""
    return path.with_name(f"{path.stem}.faults{path.suffix}")
