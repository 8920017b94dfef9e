"""Cases in files: a list of numbers to trace, reports of many cases at once (CSV or Parquet)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid5

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, KhienError
from khien.core.i18n import N_
from khien.core.session import begin
from khien.tracing import store
from khien.tracing.actions import CaseEntry, report_case
from khien.tracing.rules.window import midnight
from khien.tracing.tabular import rows_of

_KNOWN = (
    "personal_number",
    "onset_on",
    "sampled_on",
    "reported_on",
    "status",
    "hospital",
    "died_on",
    "variant",
    "source",
)
_SHOWN = 100
_NAMESPACE = UUID("6f4c1d0a-54c5-4d39-9d0f-3a8b6b1d7c52")


def numbers_in(path: Path) -> list[str]:
    """The column personal_number of a file, in its order. Raises BadInput."""
    return [row["personal_number"] for row in _rows(path)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    return rows_of(path, ("personal_number",), _KNOWN)


def _entry(row: dict[str, str], person_id: int) -> CaseEntry:
    def day(name: str) -> dt.date | None:
        return dt.date.fromisoformat(row[name][:10]) if row.get(name) else None

    reported = day("reported_on")
    # The same line of the same list again is the same message.
    key = "|".join([str(person_id), row.get("onset_on", ""), row.get("sampled_on", ""), row.get("reported_on", "")])
    return CaseEntry(
        uuid5(_NAMESPACE, key), person_id, row.get("status") or "confirmed", day("onset_on"), day("sampled_on"),
        reported,
        midnight(reported) if reported else None, row.get("variant") or None, row.get("source") or "unknown",
    )  # fmt: skip


def load_cases(path: Path, *, by: Actor) -> dict[str, int]:
    """Report the cases of a file: personal_number, onset_on, sampled_on, reported_on, status. Counts by result.

    Safe to run again. All or nothing: raises BadInput that names every wrong line. A reported case is isolated from the
    beginning of that day on.
    """
    by.must("case.report")
    rows = list(_rows(path))
    faults: list[Fault] = []
    counts: Counter[str] = Counter()
    with begin(by) as session:
        persons = store.people_of(session, [row["personal_number"] for row in rows])
        for line, (row, person) in enumerate(zip(rows, persons, strict=True), 2):
            if person is None:
                faults.append(Fault("personal_number", N_("Nobody in the register has this number."), line))
                continue
            try:
                counts[report_case(by=by, entry=_entry(row, person), retrace=False).result] += 1
            except ValueError:
                faults.append(Fault("onset_on", N_("This is no day."), line))
            except KhienError as refusal:
                faults.append(Fault("case", refusal.message, line, refusal.params))
        if faults:
            raise BadInput(
                N_("{count} cases cannot be reported; nothing was."), faults=tuple(faults[:_SHOWN]), count=len(faults)
            )
    return dict(counts)
