"""One person as JSON in, the schedule's answer as JSON out.

The line format (dates are local calendar days, ISO 8601; `birth_date` and `on` are required):

    {"id": "any text, given back", "birth_date": "1990-05-01", "sex": "female", "birth_country": "VN",
     "on": "2022-01-15", "conditions": ["pregnancy", {"code": "…", "date": "2021-11-02"}],
     "infections": [{"disease": "covid-19", "date": "2021-09-20"}],
     "doses": [{"date": "2021-08-01", "product": "astrazeneca"}, {"date": "2021-10-10", "cvx": "207", "mvx": "MOD"}]}

`conditions` (also `observations`) are codes of the programme, their titles, or codes of a clinical `system` (SNOMED)
that the programme maps to its own. A dose names a `product` of the vaccine list, or a `cvx` code (text, with its
leading zeros), and may add `mvx`, `trade_name`, `volume` (ml), `lot_expires` and `sub_standard` (true: expired or
spoilt). `on` is the day of evaluation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from khien import rulebook
from khien.core.errors import Fault
from khien.core.i18n import N_
from khien.vaccination import reasons
from khien.vaccination.expected import expected
from khien.vaccination.programmes import products
from khien.vaccination.rules.engine import Answer, DoseJudgement, evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.groups import GroupForecast
from khien.vaccination.rules.guidance import guidance
from khien.vaccination.rules.model import Programme
from khien.vaccination.rules.state import NOT_COMPLETE, Reason

_SEX = {"f": "female", "m": "male", "female": "female", "male": "male"}


class _Broken(Exception):
    def __init__(self, field: str, message: str, **params: Any) -> None:
        super().__init__(message)
        self.field, self.message, self.params = field, message, params


def read_person(
    programme: Programme, values: Any, *, on: dt.date | None = None, line: int | None = None
) -> Person | Fault:
    """The person of one line; a Fault that names the field where it breaks the format. `on`: if it has none."""
    try:
        return _person(programme, values, on)
    except _Broken as broken:
        return Fault(broken.field, broken.message, line=line, params=broken.params)


def _person(programme: Programme, values: Any, on: dt.date | None) -> Person:
    if not isinstance(values, dict):
        raise _Broken("", N_("Expected {expected}."), expected=expected("a JSON object"))
    birth = _day(values.get("birth_date"), "birth_date")
    day = on.toordinal() if on is not None and not values.get("on") else _day(values.get("on"), "on")
    doses = []
    for i, row in enumerate(_rows(values, "doses")):
        given = _dose(programme, row, f"doses[{i}]")
        if given.day < birth:
            raise _Broken(f"doses[{i}].date", N_("The day of the dose is before the person's birth"))
        doses.append(given)
    return Person(
        birth=birth,
        on=day,
        sex=_SEX.get(str(values.get("sex") or values.get("gender") or "").casefold(), "unknown"),
        doses=tuple(doses),
        observations=_observations(programme, values),
        birth_country=_country(programme, str(values.get("birth_country") or "")),
    )


def _country(programme: Programme, name: str) -> str:
    """As the programme spells it, which may be "U.S." where others write "US"."""
    same = name.replace(".", "").casefold() == programme.country.replace(".", "").casefold()
    return programme.country if same else name


def _rows(values: Mapping[str, Any], key: str) -> list[Any]:
    found = values.get(key) or []
    if not isinstance(found, list):
        raise _Broken(key, N_("Expected {expected}."), expected=expected("a list"))
    return found


@lru_cache(maxsize=65536)
def _ordinal(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()


def _day(value: Any, field: str) -> int:
    if value is None or value == "":
        raise _Broken(field, N_("This field is missing."))
    try:
        return _ordinal(value)
    except (TypeError, ValueError) as error:
        raise _Broken(field, N_("“{value}” is not a date such as 2021-12-17."), value=str(value)) from error


def _dose(programme: Programme, row: Any, field: str) -> Given:
    if not isinstance(row, dict):
        raise _Broken(field, N_("Expected {expected}."), expected=expected("an object"))
    product, cvx = row.get("product"), row.get("cvx")
    if not product and not cvx:
        raise _Broken(field, N_("A dose names a product or a CVX code."))
    day = _day(row.get("date"), f"{field}.date")
    expired = bool(row.get("lot_expires")) and day > _day(row["lot_expires"], f"{field}.lot_expires")
    return Given(
        day=day,
        vaccine=vaccine_code(programme, str(product or ""), "" if cvx is None else str(cvx)),
        mvx=str(row.get("mvx") or ""),
        trade_name=str(row.get("trade_name") or ""),
        volume=_amount(row.get("volume"), f"{field}.volume"),
        substandard=expired or row.get("sub_standard") is True,
    )


def _amount(value: Any, field: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise _Broken(field, N_("Expected {expected}."), expected=expected("a number")) from error


def vaccine_code(programme: Programme, product: str, cvx: str = "") -> str:
    """The programme's code of a vaccine known by product or CVX; as it came, where the programme has none."""
    if product in programme.vaccines:
        return product
    if cvx:
        # A spreadsheet takes the leading zero off "08".
        for code in (cvx, cvx.zfill(2)):
            if code in programme.vaccines:
                return code
            if code in programme.aliases:
                return programme.aliases[code]
    known = str(products().get(product, {}).get("cvx", ""))
    if known in programme.vaccines:
        return known
    return programme.aliases.get(known, product or cvx)


def _observations(programme: Programme, values: Mapping[str, Any]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for key, name in (("conditions", "code"), ("observations", "code"), ("infections", "disease")):
        for i, row in enumerate(_rows(values, key)):
            field = f"{key}[{i}]"
            if isinstance(row, str):
                row = {name: row}
            if not isinstance(row, dict) or not row.get(name):
                raise _Broken(
                    field,
                    N_("Expected {expected}."),
                    expected={"en": f"a text or an object with “{name}”", "vi": f"văn bản hoặc đối tượng có “{name}”"},
                )
            day = _day(row["date"], f"{field}.date") if row.get("date") else None
            for code in _observation_codes(programme, str(row[name]), str(row.get("system") or "")):
                # Of several infections the latest decides.
                found[code] = max(day or 0, found.get(code) or 0) or None
    return found


def _observation_codes(programme: Programme, name: str, system: str) -> tuple[str, ...]:
    """The programme's codes for one of its own, one of a clinical system, or a title; else the name as it came."""
    known = programme.observation_codes
    if system and (found := known.get(f"{system}:{name}")):
        return found
    if name in programme.observations:
        return (name,)
    if found := known.get(name):
        return found
    folded = name.casefold()
    return tuple(code for code, title in programme.observations.items() if title.casefold() == folded) or (name,)


@lru_cache(maxsize=65536)
def _iso(day: int) -> str:
    return dt.date.fromordinal(day).isoformat()


def _date(day: int | None) -> str | None:
    return None if day is None else _iso(day)


def answer_line(programme: Programme, person: Person, *, language: str = "en", key: Any = None) -> dict[str, Any]:
    """Evaluate and put into words: `doses` in the order they were sent, `forecast` by vaccine group, `next` soonest."""
    return put(programme, person, evaluate(programme, person), language=language, key=key)


def put(programme: Programme, person: Person, answer: Answer, *, language: str, key: Any = None) -> dict[str, Any]:
    judged: dict[int, list[DoseJudgement]] = {}
    for judgement in answer.doses:
        judged.setdefault(judgement.number, []).append(judgement)
    forecast = [
        _group(programme, group, language) | {"guidance": list(guidance(programme, person, group))}
        for group in answer.groups
    ]
    due = [f for f, g in zip(forecast, answer.groups, strict=True) if g.status == NOT_COMPLETE]
    return {
        "id": key,
        "on": _iso(person.on),
        "programme": programme.id,
        "doses": [_given(programme, given, judged.get(i, []), language) for i, given in enumerate(person.doses)],
        "forecast": forecast,
        "next": min(due, key=lambda f: (f["recommended"], f["earliest"]))["group"] if due else None,
    }


def _reasons(programme: Programme, found: tuple[Reason, ...], language: str) -> list[dict[str, str]]:
    return [dict(_reason(programme.documents.get(r.document), r.code, language)) for r in found]


@lru_cache(maxsize=4096)
def _reason(document: Any, code: str, language: str) -> tuple[tuple[str, str], ...]:
    title = "" if document is None else rulebook.document(document.title, language)
    return (("code", code), ("text", reasons.text(code, language)), ("document", title))


def _given(programme: Programme, given: Given, judged: list[DoseJudgement], language: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "date": _iso(given.day),
        "vaccine": given.vaccine,
        "name": programme.vaccine_names.get(given.vaccine, given.vaccine),
        "evaluations": [
            {
                "group": j.group,
                "status": j.status,
                "series": j.series,
                "reasons": _reasons(programme, j.reasons, language),
            }
            for j in judged
        ],
    }
    if given.vaccine not in programme.vaccines:
        row["reasons"] = _reasons(programme, (Reason("unknown_vaccine"),), language)
    return row


def _group(programme: Programme, g: GroupForecast, language: str) -> dict[str, Any]:
    return {
        "group": g.group,
        "status": g.status,
        "dose_number": g.dose_number,
        "dose_kind": g.kind or None,
        "earliest": _date(g.earliest),
        "recommended": _date(g.recommended),
        "past_due": _date(g.past_due),
        "latest": _date(g.latest),
        "vaccines": [{"vaccine": v, "name": programme.vaccine_names.get(v, v)} for v in g.vaccines],
        "antigens": list(g.antigens),
        "series": list(g.series),
        "reasons": _reasons(programme, g.reasons, language),
        "also": [_group(programme, other, language) for other in g.also],
    }
