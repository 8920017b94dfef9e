"""Line list and contacts as CSV: the two tables that epidemiology packages (outbreaks, epicontacts) read and write."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

# Names under which published line lists have a column; the first one is ours.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "case_id", "case"),
    "onset": ("date_onset", "dt_onset", "onset", "onset_on"),
    "reported": ("date_report", "dt_report", "reported_on", "date_reported"),
    "diagnosed": ("date_diagnosis", "dt_diag", "sampled_on", "date_sample"),
    "exposed_from": ("date_exposure_start", "dt_start_exp"),
    "exposed_until": ("date_exposure_end", "dt_end_exp"),
}
LINELIST = ("id", "date_onset", "date_sample", "date_report", "state", "source", "sex", "age", "unit")
CONTACTS = ("from", "to", "exposure", "certainty", "source")


@dataclass(frozen=True, slots=True)
class Patient:
    """One line of a line list; what the file does not tell is None."""

    id: str
    onset: dt.date | None
    reported: dt.date | None
    diagnosed: dt.date | None
    exposed_from: dt.date | None
    exposed_until: dt.date | None


@dataclass(frozen=True, slots=True)
class Link:
    """Who met whom: `infector` and `infected` are ids of the line list, `exposure` where."""

    infector: str
    infected: str
    exposure: str


def read_linelist(path: Path) -> list[Patient]:
    """Raises BadInput that names every line with a wrong day or without an id."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        has = {
            field: next((n for n in names if n in (reader.fieldnames or ())), None) for field, names in _NAMES.items()
        }
        if has["id"] is None:
            fault = Fault("id", N_("This column is missing."), 1)
            raise BadInput(N_("The file does not have the columns it should."), faults=(fault,))
        faults: list[Fault] = []
        patients = [_patient(row, has, line, faults) for line, row in enumerate(reader, 2)]
    if faults:
        raise BadInput(N_("{count} lines cannot be read."), faults=tuple(faults), count=len(faults))
    return patients


def _patient(row: Mapping[str, str], has: Mapping[str, str | None], line: int, faults: list[Fault]) -> Patient:
    def day(field: str) -> dt.date | None:
        text = (row[column] or "").strip() if (column := has[field]) else ""
        try:
            return dt.date.fromisoformat(text[:10]) if text and text != "NA" else None
        except ValueError:
            faults.append(Fault(field, N_("This is no day."), line))
            return None

    key = (row[has["id"] or "id"] or "").strip()
    if not key:
        faults.append(Fault("id", N_("There is no id."), line))
    return Patient(key, day("onset"), day("reported"), day("diagnosed"), day("exposed_from"), day("exposed_until"))


def read_contacts(path: Path) -> list[Link]:
    """Columns from, to and, if there is one, exposure. Raises BadInput."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in ("from", "to") if name not in (reader.fieldnames or ())]
        if missing:
            faults = tuple(Fault(name, N_("This column is missing."), 1) for name in missing)
            raise BadInput(N_("The file does not have the columns it should."), faults=faults)
        return [Link(row["from"].strip(), row["to"].strip(), (row.get("exposure") or "").strip()) for row in reader]


def linelist(cases: Iterable[Mapping[str, Any]], today: dt.date) -> list[list[Any]]:
    """Header and cases (rows of `store.known_cases`) by number of case, without names or numbers of persons; days as
    ISO text."""
    rows: list[list[Any]] = [list(LINELIST)]
    for c in cases:
        born = c["birth_date"]
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        days = [c[name].isoformat() if c[name] else None for name in ("onset_on", "sampled_on", "reported_on")]
        rows.append([c["case_id"], *days, c["state"], c["source"], c["sex"], age, c["unit_code"]])
    return rows


def contacts(links: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Header and links (infector, infected, exposure, certainty, source: estimated or decided) by number of case."""
    return [list(CONTACTS), *(list(link) for link in links)]
