"""Import the supporting data of the CDC's CDSi (one XML file an antigen, one for the whole schedule) as a programme.

The answer is a set of documents of our own form (`programme_reader`): the schedule's, and one for each antigen. They
can be written as TOML and read by a doctor, or be evaluated at once.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_

_SCHEDULE = "ScheduleSupportingData.xml"
_DOCUMENT = "cdsi"
_COMPARE = {
    "greater than": "more",
    "equal to": "exactly",
    "equal": "exactly",
    "equals": "exactly",
    "less than": "fewer",
}
_TYPES = {"standard": "standard", "risk": "risk", "evaluation only": "evaluation_only"}
Document = dict[str, Any]


def available(folder: Path) -> dict[str, Path]:
    """The antigen files of a folder, by the name in the file name ("HepB", "Meningococcal-B")."""
    found = {
        path.stem.split("-", 1)[1].removesuffix("-508").strip(): path for path in sorted(folder.glob("Antigen*.xml"))
    }
    if not found or not holds_data(folder):
        raise NotFound(N_("The folder “{folder}” holds no CDSi supporting data."), folder=str(folder))
    return found


def holds_data(folder: Path) -> bool:
    return (folder / _SCHEDULE).is_file()


def read_folder(folder: Path, names: list[str] | None = None) -> dict[str, Document]:
    """Documents by file stem: "programme" and one an antigen.

    `names`: file names of antigens, their target diseases, or vaccine groups ("MMR"); None takes all. NotFound for a
    name that is none of these, BadInput for a file that is not XML of this form.
    """
    files = available(folder)
    schedule = _root(folder / _SCHEDULE)
    wanted = set(files) if names is None else _resolve(files, schedule, names)
    documents = {"programme": _described(folder / _SCHEDULE, _schedule)}
    for name in sorted(wanted):
        documents[name] = _described(files[name], _antigen_document)
    return documents


def _described(path: Path, describe: Callable[[ET.Element], Document]) -> Document:
    """BadInput where the XML is well-formed and yet a number or a day in it is none."""
    root = _root(path)
    try:
        return describe(root)
    except ValueError as error:
        fault = Fault(path.name, N_("Not of the form of CDSi supporting data: {reason}"), params={"reason": str(error)})
        raise BadInput(N_("“{file}” cannot be read."), faults=(fault,), file=path.name) from error


def _resolve(files: dict[str, Path], schedule: ET.Element, names: list[str]) -> set[str]:
    groups: dict[str, list[str]] = {}
    for group in schedule.iter("vaccineGroupMap"):
        name = _text(group, "name").casefold()
        for part in (name, *name.split("/")):  # "DTaP" is enough for "DTaP/Tdap/Td"
            groups.setdefault(part, _texts(group, "antigen"))
    by_name = {name.casefold(): name for name in files}
    wanted: set[str] = set()
    for name in names:
        for antigen in [name] if name.casefold() in by_name else groups.get(name.casefold(), [name]):
            stem = by_name.get(antigen.casefold()) or _by_disease(files, antigen)
            if stem is None:
                raise NotFound(
                    N_("No antigen “{name}”. There are: {choices}."), name=name, choices=", ".join(sorted(files))
                )
            wanted.add(stem)
    return wanted


def _by_disease(files: dict[str, Path], disease: str) -> str | None:
    for stem, path in files.items():
        series = _root(path).find("series")
        if series is not None and _text(series, "targetDisease").casefold() == disease.casefold():
            return stem
    return None


def _root(path: Path) -> ET.Element:
    """The parsed file. The parser reads no outside entities."""
    try:
        return ET.parse(path).getroot()  # noqa: S314 - the standard parser resolves no external entities
    except ET.ParseError as error:
        fault = Fault(
            path.name, N_("Not well-formed XML: {reason}"), line=error.position[0], params={"reason": str(error)}
        )
        raise BadInput(N_("“{file}” cannot be read."), faults=(fault,), file=path.name) from error


def _text(element: ET.Element | None, path: str) -> str:
    """The text below `path`, without the spaces around it and within runs; "n/a" counts as empty."""
    found = "" if element is None else " ".join((element.findtext(path) or "").split())
    return "" if found.casefold() == "n/a" else found


def _texts(element: ET.Element, path: str) -> list[str]:
    return [text for child in element.findall(path) if (text := " ".join((child.text or "").split()))]


def _codes(text: str) -> list[str]:
    """A list such as "21; 94; 121" or "1, 2"."""
    return [code for part in text.replace(",", ";").split(";") if (code := part.strip())]


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    if "/" in text:
        month, day, year = (int(part) for part in text.split("/"))
        return dt.date(year, month, day)
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _clean(values: Document) -> Document:
    """Without what is empty: absent means no limit."""
    return {key: value for key, value in values.items() if value not in (None, "", [], False)}


def _dated(element: ET.Element) -> Document:
    return {
        "valid_from": _day(_text(element, "effectiveDate")),
        "valid_until": _day(_text(element, "cessationDate")),
    }


def _filled(parent: ET.Element, tag: str) -> Iterator[ET.Element]:
    """The children that hold something: the files spell "none" as an empty element."""
    return (e for e in parent.findall(tag) if any((d.text or "").strip() for d in e.iter()))


def _schedule(root: ET.Element) -> Document:
    pairs: dict[tuple[str, str, str, str], list[str]] = {}
    for row in root.iter("liveVirusConflict"):
        key = (
            _text(row, "previous/cvx"),
            _text(row, "conflictBeginInterval"),
            _text(row, "minConflictEndInterval"),
            _text(row, "conflictEndInterval"),
        )
        pairs.setdefault(key, []).append(_text(row, "current/cvx"))
    full = {_text(g, "name"): _text(g, "administerFullVaccineGroup") for g in root.iter("vaccineGroup")}
    return {
        "programme": "cdsi",
        "title": {"en": "CDC immunisation schedule (CDSi)", "vi": "Lịch tiêm chủng của CDC Hoa Kỳ (CDSi)"},
        "country": "U.S.",
        "codes": "cvx",
        "document": [{"id": _DOCUMENT, "title": "CDC, CDSi supporting data for ACIP recommendations"}],
        "observation": [_observation(o) for o in root.iter("observation")],
        "vaccine_group": [
            _clean({"name": _text(g, "name"), "antigens": _texts(g, "antigen")})
            | {"full": full.get(_text(g, "name"), "") != "No"}
            for g in root.iter("vaccineGroupMap")
        ],
        "vaccine": [_vaccine(v) for v in root.iter("cvxMap")],
        "conflict": [
            _clean(
                {"earlier": [earlier], "later": later, "begin": begin, "end_if_valid": least, "end": end}
                | {"document": _DOCUMENT}
            )
            for (earlier, begin, least, end), later in pairs.items()
        ],
    }


def _observation(row: ET.Element) -> Document:
    """With the codes of clinical systems that mean it, as "SNOMED:123"."""
    coded = [f"{_text(v, 'codeSystem')}:{_text(v, 'code')}" for v in row.iter("codedValue") if _text(v, "code")]
    return _clean({"code": _text(row, "observationCode"), "title": _text(row, "observationTitle"), "codes": coded})


def _vaccine(row: ET.Element) -> Document:
    spans = [
        _clean(
            {
                "antigen": _text(a, "antigen"),
                "from_age": _text(a, "associationBeginAge"),
                "to_age": _text(a, "associationEndAge"),
            }
        )
        for a in row.findall("association")
    ]
    return {"code": _text(row, "cvx"), "name": _text(row, "shortDescription"), "spans": spans}


def _antigen_document(root: ET.Element) -> Document:
    first = root.find("series")
    name = _text(first, "targetDisease")
    values: Document = {"name": name, "vaccine_group": _text(first, "vaccineGroup")}
    values["immune_by_observation"] = [_text(h, "guidelineCode") for h in root.findall("immunity/clinicalHistory")]
    values["immune_by_birth"] = [
        _clean(
            {
                "before": _day(_text(rule, "immunityBirthDate")),
                "country": _text(rule, "birthCountry"),
                "except_observations": [_text(e, "exclusionCode") for e in rule.findall("exclusion")],
                "document": _DOCUMENT,
            }
        )
        for rule in root.findall("immunity/dateOfBirth")
        if _text(rule, "immunityBirthDate")
    ]
    values["contraindication"] = [
        row
        for kind in ("vaccineGroup", "vaccine")
        for c in root.findall(f"contraindications/{kind}/contraindication")
        for row in _contraindication(c)
    ]
    values["series"] = [_series(s) for s in root.findall("series")]
    return {"antigen": [_clean(values)]}


def _contraindication(row: ET.Element) -> Iterator[Document]:
    """One for the antigen, or one for each vaccine with its own ages."""
    base = {
        "observation": _text(row, "observationCode"),
        "text": _text(row, "contraindicationText"),
        "guidance": _text(row, "contraindicationGuidance"),
    }
    vaccines = list(_filled(row, "contraindicatedVaccine"))
    for v in vaccines or [row]:
        ages = {"from_age": _text(v, "beginAge"), "to_age": _text(v, "endAge")}
        named = {"vaccines": [_text(v, "cvx")]} if vaccines else {}
        yield _clean(base | ages | named | {"document": _DOCUMENT})


def _series(s: ET.Element) -> Document:
    select = s.find("selectSeries")
    preference = _text(select, "seriesPreference")
    values = {
        "name": _text(s, "seriesName"),
        "document": _DOCUMENT,
        "type": _TYPES.get(_text(s, "seriesType").casefold(), "standard"),
        "default": _text(select, "defaultSeries") == "Yes",
        "product_path": _text(select, "productPath") == "Yes",
        "group": _text(select, "seriesGroup") or "1",
        "equivalent_groups": _codes(_text(s, "equivalentSeriesGroups")),
        "priority": _text(select, "seriesPriority"),
        "preference": int(preference) if preference else None,
        "min_age_to_start": _text(select, "minAgeToStart"),
        "max_age_to_start": _text(select, "maxAgeToStart"),
        "sex": [sex.casefold() for sex in _texts(s, "requiredGender")],
        "guidance": [text for text in _texts(s, "seriesAdminGuidance") if text.casefold() != "n/a"],
        "indications": [
            _clean(
                {
                    "observation": _text(i, "observationCode/code"),
                    "text": _text(i, "observationCode/text"),
                    "guidance": _text(i, "guidance"),
                    "from_age": _text(i, "beginAge"),
                    "to_age": _text(i, "endAge"),
                }
            )
            for i in _filled(s, "indication")
        ],
        "dose": [_dose(d) for d in s.findall("seriesDose")],
    }
    return _clean(values)


def _dose(d: ET.Element) -> Document:
    season = d.find("seasonalRecommendation")
    span = _clean({"start": _day(_text(season, "startDate")), "end": _day(_text(season, "endDate"))})
    if len(span) == 2:
        span["yearly"] = True
    values: Document = {
        "number": int(_text(d, "doseNumber").removeprefix("Dose ")),
        "document": _DOCUMENT,
        "recurring": _text(d, "recurringDose") == "Yes",
        "ages": [_clean(_lengths(a, _AGE) | _dated(a)) for a in _filled(d, "age")],
        "intervals": [row for i in _filled(d, "interval") if (row := _interval(i))],
        "allowable_intervals": [row for i in _filled(d, "allowableInterval") if (row := _interval(i))],
        "inadvertent": [_text(v, "cvx") for v in _filled(d, "inadvertentVaccine")],
        "season": [span] if span else [],
        "preferable": [_vaccine_rule(v) for v in _filled(d, "preferableVaccine")],
        "allowable": [_vaccine_rule(v) for v in _filled(d, "allowableVaccine")],
        "skip": [_skip(c) for c in _filled(d, "conditionalSkip")],
    }
    return _clean(values)


_AGE = {
    "absMinAge": "absolute_min",
    "minAge": "min",
    "earliestRecAge": "earliest",
    "latestRecAge": "latest",
    "maxAge": "max",
}
_INTERVAL = {"absMinInt": "absolute_min", "minInt": "min", "earliestRecInt": "earliest", "latestRecInt": "latest"}


def _lengths(element: ET.Element, names: dict[str, str]) -> Document:
    return {ours: _text(element, theirs) for theirs, ours in names.items()}


def _interval(i: ET.Element) -> Document | None:
    """None where the row names no reference: such a row says nothing."""
    reference: Document
    if _text(i, "fromPrevious") == "Y":
        reference = {"after_previous": True}
    elif number := _text(i, "fromTargetDose"):
        reference = {"after_dose": int(number)}
    elif vaccines := _codes(_text(i, "fromMostRecent")):
        reference = {"after_vaccines": vaccines}
    elif observation := _text(i, "fromRelevantObs/code"):
        reference = {"after_observations": [observation]}
    else:
        return None
    override = _text(i, "intervalPriority").casefold() == "override"
    return _clean(reference | _lengths(i, _INTERVAL) | {"override": override} | _dated(i))


def _vaccine_rule(v: ET.Element) -> Document:
    volume = _text(v, "volume")
    return _clean(
        {
            "vaccine": _text(v, "cvx"),
            "name": _text(v, "vaccineType"),
            "from_age": _text(v, "beginAge"),
            "to_age": _text(v, "endAge"),
            "trade_name": _text(v, "tradeName"),
            "mvx": _text(v, "mvx"),
            "volume": float(volume) if volume else None,
            "recommend": _text(v, "forecastVaccineType") == "Y",
        }
    )


def _skip(c: ET.Element) -> Document:
    return _clean(
        {
            "context": _text(c, "context").casefold() or "both",
            "match": "all" if _text(c, "setLogic").upper() == "AND" else "any",
            "text": "; ".join(text for s in c.findall("set") if (text := _text(s, "setDescription"))),
            "sets": [
                _clean(
                    _dated(s)
                    | {
                        "match": "any" if _text(s, "conditionLogic").upper() == "OR" else "all",
                        "conditions": [_condition(k) for k in _filled(s, "condition")],
                    }
                )
                for s in _filled(c, "set")
            ],
        }
    )


def _condition(k: ET.Element) -> Document:
    """Condition types: age, interval, completed series, vaccine count by age and/or by date."""
    kind = _text(k, "conditionType").casefold()
    ours = {"age": "age", "interval": "interval", "completed series": "completed_series"}.get(kind, "count")
    values: Document = {"kind": ours, "from_age": _text(k, "beginAge"), "to_age": _text(k, "endAge")}
    if ours == "interval":
        values["interval"] = _text(k, "interval")
    elif ours == "completed_series":
        values["series_groups"] = _codes(_text(k, "seriesGroups"))
    elif ours == "count":
        values |= {
            "start": _day(_text(k, "startDate")),
            "end": _day(_text(k, "endDate")),
            "compare": _COMPARE.get(_text(k, "doseCountLogic").casefold(), "exactly"),
            "valid_only": _text(k, "doseType").casefold() == "valid",
            "vaccines": _codes(_text(k, "vaccineTypes")),
        }
    count = _text(k, "doseCount")
    return _clean(values) | ({"count": int(count)} if ours == "count" and count else {})
