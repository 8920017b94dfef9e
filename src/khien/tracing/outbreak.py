"""Line list and contacts as CSV: the two tables that epidemiology packages (outbreaks, epicontacts) read and write."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

# Names under which published line lists have a column; the first one is ours.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "case_id", "case", "caseid", "patient_id", "patient", "person_id"),
    "onset": ("date_onset", "dt_onset", "onset", "onset_on", "date_of_onset", "onset_date", "date_symptom_onset",
              "symptom_onset"),
    "reported": ("date_report", "dt_report", "reported_on", "date_reported", "date_of_report", "report_date",
                 "date_notification", "date_confirmation"),
    "diagnosed": ("date_diagnosis", "dt_diag", "sampled_on", "date_sample", "date_of_sample", "date_test",
                  "date_hospitalisation", "date_of_hospitalisation"),
    "exposed_from": ("date_exposure_start", "dt_start_exp", "exposure_start"),
    "exposed_until": ("date_exposure_end", "dt_end_exp", "exposure_end"),
    "infector": ("infector", "infector_id", "source_case", "infected_by"),
}  # fmt: skip
_LINK_NAMES: Mapping[str, tuple[str, ...]] = {
    "infector": ("from", "infector", "infector_id", "source", "case_id"),
    "infected": ("to", "infectee", "infected", "infected_id", "contact_id", "contact"),
    "exposure": ("exposure", "location", "setting", "place", "type"),
}
_EMPTY = ("", "na", "n/a", "nan", "null", "none", "unknown", "?")
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


def _table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Names of columns, in lower case, and rows by line; separated by comma, semicolon or tab. Raises BadInput."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as failure:
        raise BadInput(N_("The file is not UTF-8. Save it as CSV UTF-8.")) from failure
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [name.strip().lower() for name in next(reader, [])]
    rows, faults = [], []
    for row in reader:
        if len(row) == len(names):
            rows.append((reader.line_num, dict(zip(names, (_value(v) for v in row), strict=True))))
        elif row:
            faults.append(Fault("row", N_("This row cannot be read."), reader.line_num))
    _raise(faults)
    return names, rows


def _value(text: str) -> str:
    return "" if text.strip().lower() in _EMPTY else text.strip()


def _raise(faults: Sequence[Fault]) -> None:
    if faults:
        raise BadInput(N_("{count} lines cannot be read."), faults=tuple(faults), count=len(faults))


def _columns(names: Sequence[str], known: Mapping[str, tuple[str, ...]], *needed: str) -> dict[str, str]:
    """Our names to those of the file. Raises BadInput where one lacks."""
    has = {field: found for field, other in known.items() if (found := next((n for n in other if n in names), ""))}
    faults = tuple(Fault(known[name][0], N_("This column is missing."), 1) for name in needed if name not in has)
    if faults:
        raise BadInput(N_("The file does not have the columns it should."), faults=faults)
    return has


def read_linelist(path: Path) -> list[Patient]:
    """Columns under any of their usual names; days as YYYY-MM-DD. Raises BadInput that names every line with a wrong
    day, without an id or with an id that was there already."""
    names, rows = _table(path)
    has = _columns(names, _NAMES, "id")
    faults: list[Fault] = []
    seen: set[str] = set()
    patients = []
    for line, row in rows:
        key = row[has["id"]]
        if not key or key in seen:
            faults.append(Fault("id", N_("This id stands twice.") if key else N_("There is no id."), line))
        seen.add(key)
        days = {f: _day(row, has, f, line, faults) for f in _NAMES if f not in ("id", "infector")}
        patients.append(Patient(key, **days))
    _raise(faults)
    return patients


def _day(row: Mapping[str, str], has: Mapping[str, str], field: str, line: int, faults: list[Fault]) -> dt.date | None:
    text = row[has[field]] if field in has else ""
    try:
        return dt.date.fromisoformat(text[:10]) if text else None
    except ValueError:
        faults.append(Fault(has[field], N_("This is no day: write YYYY-MM-DD."), line))
        return None


def read_contacts(path: Path) -> list[Link]:
    """Columns from and to (or infector and infectee) and, if there is one, exposure. A line list with a column infector
    does too. Rows without one of the two are left out. Raises BadInput."""
    names, rows = _table(path)
    if "infector" in names and not any(n in names for n in _LINK_NAMES["infected"]):
        has = _columns(names, _NAMES, "id", "infector")
        return [Link(row[has["infector"]], row[has["id"]], "") for _, row in rows if row[has["infector"]]]
    has = _columns(names, _LINK_NAMES, "infector", "infected")
    where = has.get("exposure")
    return [
        Link(row[has["infector"]], row[has["infected"]], row[where] if where else "")
        for _, row in rows if row[has["infector"]] and row[has["infected"]]
    ]  # fmt: skip


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
