"""The CDC's table of CDSi test cases (CSV, one person a row): as lines of `evaluation`, and scored against our answers.

Columns are found by their names, whatever their order and case; a row may have any number of doses.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import read_utf8
from khien.vaccination import evaluation
from khien.vaccination.rules.facts import Person
from khien.vaccination.rules.model import Programme

_NEEDED = ("cdctestid", "dob", "vaccinegroup", "assessmentdate", "seriesstatus")
_DAYS = {"earliest": "earliestdate", "recommended": "recommendeddate", "past_due": "pastduedate"}
# Vaccine groups by the short names that such tables use; any other name is one of the programme's.
_SHORT = {
    "dtap": "diphtheria", "tdap": "diphtheria", "td": "diphtheria", "pol": "polio", "ipv": "polio", "flu": "influenza",
    "rota": "rotavirus", "rv": "rotavirus", "var": "varicella", "vzv": "varicella", "pcv": "pneumococcal",
    "ppsv": "pneumococcal", "mcv": "meningococcal", "menacwy": "meningococcal", "menb": "meningococcalb",
    "zos": "zoster", "rzv": "zoster", "mpox": "orthopoxvirus",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """`line` is the person, as `khien vaccination evaluate` reads it; the rest is what the table expects of them."""

    id: str
    line: dict[str, Any]
    group: str
    doses: tuple[str, ...]  # status of each dose; empty: the table does not say
    forecast: Mapping[str, str | None]  # status, earliest, recommended, past_due
    dose_number: str  # empty: the table does not say


@dataclass(frozen=True, slots=True)
class Difference:
    case: str
    group: str
    part: str  # 'dose 2', 'status', 'earliest', …
    expected: str | None
    found: str | None
    why: tuple[str, ...] = ()  # codes of our reasons


@dataclass(slots=True)
class Score:
    cases: int = 0
    doses: int = 0
    doses_right: int = 0
    forecasts: int = 0
    forecasts_right: int = 0
    dose_numbers: int = 0
    dose_numbers_right: int = 0
    differences: list[Difference] = field(default_factory=list)


def read_cases(path: Path) -> list[Case]:
    """BadInput with every row that cannot be read."""
    table = csv.reader(io.StringIO(read_utf8(path).removeprefix("\ufeff"), newline=""))
    names = [_name(cell) for cell in next(table, [])]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise BadInput(N_("The table has no column for {names}."), names=", ".join(missing))
    cases: list[Case] = []
    faults: list[Fault] = []
    for row in table:
        values = {name: cell.strip() for name, cell in zip(names, row, strict=False)}
        if not any(values.values()):
            continue
        try:
            cases.append(_case(values))
        except ValueError as error:
            faults.append(Fault("", N_("“{value}” is not a date."), line=table.line_num, params={"value": str(error)}))
    if faults:
        raise BadInput(N_("{count} lines cannot be read."), faults=tuple(faults), count=len(faults))
    return cases


def _name(cell: str) -> str:
    return re.sub(r"[^a-z0-9#]", "", cell.casefold())


def _case(row: Mapping[str, str]) -> Case:
    numbers = sorted(int(key[16:]) for key, cell in row.items() if re.fullmatch(r"dateadministered\d+", key) and cell)
    doses = [
        _filled(
            {"date": _day(row[f"dateadministered{n}"]), "cvx": row.get(f"cvx{n}", ""), "mvx": row.get(f"mvx{n}", "")}
        )
        for n in numbers
    ]
    system = row.get("medhistorycodesys", "")
    known = [_filled({"code": code, "system": system}) for code in re.split(r"[;,|\s]+", row.get("medhistorycode", ""))]
    line = {
        "id": row["cdctestid"],
        "birth_date": _day(row["dob"]),
        "sex": row.get("gender", ""),
        "on": _day(row["assessmentdate"]),
        "observations": [one for one in known if "code" in one],
        "doses": doses,
    }
    number = row.get("forecast#", row.get("forecast", ""))
    return Case(
        id=row["cdctestid"],
        line=line,
        group=row["vaccinegroup"],
        doses=tuple(_word(row.get(f"evaluationstatus{n}", "")) for n in numbers),
        forecast={"status": _word(row["seriesstatus"])} | {ours: _day(row.get(key, "")) for ours, key in _DAYS.items()},
        dose_number=number if number.isdigit() else "",
    )


def _filled(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {key: value for key, value in values.items() if value}


def _word(text: str) -> str:
    """ "Not Valid" as our code of it."""
    return re.sub(r"[\s-]+", "_", text.strip().casefold())


def _day(text: str) -> str | None:
    """12/31/2021 or 2021-12-31 as ISO 8601; ValueError with the text where it is neither."""
    if not text or text == "-":
        return None
    try:
        if "/" in text:
            month, day, year = (int(part) for part in text.split("/"))
            return dt.date(year, month, day).isoformat()
        return dt.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise ValueError(text) from None


def group_named(programme: Programme, name: str) -> str:
    """The programme's vaccine group for a name of the table: its own, a part of it ("Tdap"), or an antigen's."""
    wanted = _name(name)
    for sought in (wanted, _SHORT.get(wanted, wanted)):
        for group in programme.groups:
            parts = [group.name, *group.name.split("/"), *group.antigens]
            if sought in {_name(part) for part in parts}:
                return group.name
    return name


def score(programme: Programme, cases: list[Case]) -> Score:
    """Every dose, forecast and dose number that the table expects something of, against our answer."""
    result = Score(cases=len(cases))
    faults: list[Fault] = []
    for number, case in enumerate(cases, 1):
        person = evaluation.read_person(programme, case.line, line=number)
        if isinstance(person, Fault):
            faults.append(person)
        else:
            _score(programme, case, person, result)
    if faults:
        raise BadInput(N_("{count} lines cannot be read."), faults=tuple(faults), count=len(faults))
    return result


def _score(programme: Programme, case: Case, person: Person, result: Score) -> None:
    answer = evaluation.answer_line(programme, person)
    group = group_named(programme, case.group)
    for place, expected in enumerate(case.doses):
        if not expected:
            continue
        # The status in the case's own group decides; a dose that is of no vaccine of it has only the others'.
        evaluations = answer["doses"][place]["evaluations"]
        own = next((e for e in evaluations if e["group"] == group), evaluations[0] if evaluations else None)
        found = own["status"] if own else None
        result.doses += 1
        result.doses_right += found == expected
        if found != expected:
            why = tuple(reason["code"] for reason in own["reasons"]) if own else ()
            result.differences.append(Difference(case.id, group, f"dose {place + 1}", expected, found, why))
    nothing: dict[str, Any] = {"status": "not_recommended", "reasons": []}
    told: dict[str, Any] = next((g for g in answer["forecast"] if g["group"] == group), nothing)
    why = tuple(reason["code"] for reason in told["reasons"])
    wrong = [
        Difference(case.id, group, key, expected, told.get(key), why)
        for key, expected in case.forecast.items()
        if told.get(key) != expected
    ]
    result.forecasts += 1
    result.forecasts_right += not wrong
    if case.dose_number and told["status"] == "not_complete":
        result.dose_numbers += 1
        found = str(told["dose_number"])
        result.dose_numbers_right += found == case.dose_number
        if found != case.dose_number:
            wrong.append(Difference(case.id, group, "dose_number", case.dose_number, found, why))
    result.differences.extend(wrong)
