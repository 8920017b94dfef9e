"""What the schedule says of one person in front of a desk: what is due, and what a dose given today would be worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from khien import rulebook
from khien.vaccination import programmes, reasons
from khien.vaccination.evaluation import put, vaccine_code
from khien.vaccination.rules.dose_checks import Finding
from khien.vaccination.rules.engine import evaluate
from khien.vaccination.rules.facts import Given, Person
from khien.vaccination.rules.groups import GroupForecast
from khien.vaccination.rules.model import Programme
from khien.vaccination.rules.state import NOT_COMPLETE, VALID, Reason


@dataclass(frozen=True, slots=True)
class Advice:
    """`counts`: a dose of the product given today would be valid. Number and days are of the next dose."""

    status: str
    counts: bool
    dose_number: int | None
    kind: str
    earliest: dt.date | None
    recommended: dt.date | None
    vaccines: tuple[str, ...]
    why_not: tuple[tuple[Reason, str], ...]  # a reason and the title of its document

    def sentences(self, language: str) -> list[tuple[str, str]]:
        """Why a dose today would not count, in words, with the document."""
        return [
            (reasons.text(reason.code, language), rulebook.document(document, language))
            for reason, document in self.why_not
        ]

    @property
    def due(self) -> bool:
        return self.status == NOT_COMPLETE and self.counts


def advise(
    programme: str, group: str, product: str, on: dt.date, *, birth_date: dt.date, sex: str,
    doses: Sequence[Mapping[str, Any]], facts: Sequence[Mapping[str, Any]],
) -> Advice:  # fmt: skip
    """`doses` (product, given_on, substandard) and `facts` (code, since) as the register has them."""
    rules = programmes.find(programme)
    person = _person(rules, birth_date, sex, on, doses, facts)
    given, known, sex = person.doses, person.observations, person.sex
    forecast = next((g for g in evaluate(rules, person).groups if g.group == group), None)
    today = Given(on.toordinal(), vaccine_code(rules, product))
    judged = [
        j for j in evaluate(rules, Person(person.birth, person.on, sex, (*given, today), known)).doses
        if j.number == len(given) and j.group == group
    ]  # fmt: skip
    counts = any(j.status == VALID for j in judged)
    why = [] if counts else [r for j in judged for r in j.reasons] or _barred(forecast)
    return Advice(
        status=forecast.status if forecast else "not_recommended",
        counts=counts and (forecast is None or forecast.status != "contraindicated"),
        dose_number=forecast.dose_number if forecast else None,
        kind=forecast.kind if forecast else "",
        earliest=_day(forecast.earliest) if forecast else None,
        recommended=_day(forecast.recommended) if forecast else None,
        vaccines=forecast.vaccines if forecast else (),
        why_not=tuple(
            (r, rules.documents[r.document].title if r.document in rules.documents else "") for r in dict.fromkeys(why)
        ),
    )


@cache
def _judges(product: str) -> tuple[Programme, frozenset[str]] | None:
    """The first shipped programme that knows a vaccine, and the vaccine groups it is given for."""
    for name in programmes.shipped():
        rules = programmes.find(name)
        spans = rules.vaccines.get(vaccine_code(rules, product))
        if spans is not None:
            antigens = {span.antigen for span in spans}
            return rules, frozenset(g.name for g in rules.groups if not antigens.isdisjoint(g.antigens))
    return None


def breaches(
    product: str, on: dt.date, *, birth_date: dt.date, sex: str, doses: Sequence[Mapping[str, Any]],
    facts: Sequence[Mapping[str, Any]],
) -> tuple[Finding, ...]:  # fmt: skip
    """Why a dose given on a day is not valid by the rules of that day; empty: it is, or no programme judges it.

    `doses`: the person's others, those of later days are not looked at. A combined vaccine breaks nothing as long as
    one of its parts was needed.
    """
    known = _judges(product)
    if known is None or on < birth_date:
        return ()
    rules, groups = known
    others = [d for d in doses if birth_date <= d["given_on"] <= on]
    today = {"product": product, "given_on": on, "substandard": False}
    person = _person(rules, birth_date, sex, on, [*others, today], facts)
    judged = [j for j in evaluate(rules, person, groups).doses if j.number == len(others)]
    if not judged or any(j.status == VALID for j in judged):
        return ()
    found = {reason.code: reason for j in judged for reason in j.reasons}
    return tuple(
        Finding(
            code, impossible=False, counts=False, title={n: reasons.text(code, n) for n in ("en", "vi")},
            document=rules.documents[reason.document].title if reason.document in rules.documents else "",
        )
        for code, reason in found.items()
    )  # fmt: skip


def course(
    programme: str, on: dt.date, *, birth_date: dt.date, sex: str, doses: Sequence[Mapping[str, Any]],
    facts: Sequence[Mapping[str, Any]], language: str,
) -> dict[str, Any]:  # fmt: skip
    """What each dose is worth and what is next, as `evaluation.put` tells it. Doses before birth are left out."""
    rules = programmes.find(programme)
    mine = [d for d in doses if d["given_on"] >= birth_date and vaccine_code(rules, d["product"]) in rules.vaccines]
    person = _person(rules, birth_date, sex, on, mine, facts)
    return put(rules, person, evaluate(rules, person), language=language)


def _person(
    rules: Programme, birth_date: dt.date, sex: str, on: dt.date, doses: Sequence[Mapping[str, Any]],
    facts: Sequence[Mapping[str, Any]],
) -> Person:  # fmt: skip
    known = {f["code"]: f["since"] and f["since"].toordinal() for f in facts}
    given = tuple(
        Given(d["given_on"].toordinal(), vaccine_code(rules, d["product"]), substandard=d["substandard"]) for d in doses
    )
    return Person(birth_date.toordinal(), on.toordinal(), sex if sex in ("male", "female") else "unknown", given, known)


def _barred(forecast: GroupForecast | None) -> list[Reason]:
    return list(forecast.reasons) if forecast is not None and forecast.reasons else [Reason("unknown_vaccine")]


def _day(ordinal: int | None) -> dt.date | None:
    return None if ordinal is None else dt.date.fromordinal(ordinal)
