"""Vaccination as JSON. Sending a message again changes nothing and answers as the first time."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Field, Router, Schema, Status

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import begin
from khien.population import store as population
from khien.vaccination import actions, coalescing, evaluation, programmes, store
from khien.vaccination.actions import DoseOutcome
from khien.vaccination.rules.dose_checks import DoseEntry
from khien.vaccination.rules.model import Programme
from khien.vaccination.store import schedule

router = Router(tags=["vaccination"])

# What the database cannot hold would otherwise fail every dose that is written in the same batch.
_NO_NUL = r"^[^\x00]*$"


class DoseIn(Schema):
    """A dose that was given, or is about to be."""

    client_id: UUID = Field(description="The sender's own number of this message; a replay changes nothing.")
    person_id: int = Field(ge=1, lt=2**63)
    product: str = Field(max_length=100, pattern=_NO_NUL)
    given_on: dt.date
    lot_number: str | None = Field(None, max_length=100, pattern=_NO_NUL)
    site: str | None = Field(None, max_length=100, pattern=_NO_NUL, description="Code of the vaccination site.")
    evidence: str = Field("site", pattern=_NO_NUL, description="site, abroad, paper or declared")
    already_given: bool = Field(False, description="Injected already: record it, flagged, even if it breaks a rule.")

    def entry(self) -> DoseEntry:
        return DoseEntry(**self.dict())


class Finding(Schema):
    rule: str
    title: dict[str, str] = Field(description="The sentence in each language.")
    document: str


class DoseOut(Schema):
    result: str = Field(description="recorded, replayed, refused or unknown")
    dose_id: int | None = None
    findings: list[Finding] = []
    fault: str | None = None


class Batch(Schema):
    doses: list[DoseIn] = Field(max_length=1000)


class DoseRow(Schema):
    dose_id: int
    product: str
    product_name: str
    lot_number: str | None
    site_name: str | None
    given_on: dt.date
    status: str
    evidence: str
    flags: list[str]
    counts: bool
    supersedes: int | None
    superseded_by: int | None


def _out(outcome: DoseOutcome) -> dict[str, Any]:
    return {
        "result": outcome.result,
        "dose_id": outcome.dose_id,
        "findings": [{"rule": f.rule, "title": dict(f.title), "document": f.document} for f in outcome.findings],
        "fault": outcome.fault.text(get_language() or "vi") if outcome.fault else None,
    }


@router.post("/doses", response={200: DoseOut, 201: DoseOut, 404: DoseOut, 422: DoseOut})
def record_dose(request: HttpRequest, dose: DoseIn) -> Any:
    """Record one dose: 201 recorded, 200 replayed, 422 refused (the findings name the rule and its document)."""
    return Status(*answer_dose(request.actor, dose))


def answer_dose(by: Actor, dose: DoseIn) -> tuple[int, dict[str, Any]]:
    """Record it, with others that come at the moment: status and answer."""
    outcome = coalescing.doses.record(by, dose.entry())
    unknown = 404 if outcome.fault is not None and outcome.fault.field == "person" else 422
    status = {"recorded": 201, "replayed": 200, "refused": 422, "unknown": unknown}[outcome.result]
    return status, _out(outcome)


@router.post("/doses/batch", response=list[DoseOut])
def record_batch(request: HttpRequest, batch: Batch) -> Any:
    """Record up to 1,000 doses in one transaction. Each has its own outcome, in the order sent."""
    entries = [dose.entry() for dose in batch.doses]
    return [_out(o) for o in actions.record_doses(by=request.actor, entries=entries)]


@router.get("/persons/{person_id}/doses", response=list[DoseRow])
def doses(request: HttpRequest, person_id: int) -> Any:
    """The person's history, corrections included, newest first."""
    if not 0 < person_id < 2**63:
        raise NotFound
    with begin(request.actor) as session:
        population.same_person(session, person_id)  # NotFound rather than an empty list
        return store.doses_of_person(session, person_id)


class GivenIn(Schema):
    """A dose: a `product` of the vaccine list, or a CVX code."""

    date: dt.date
    product: str = ""
    cvx: str = Field("", description="With its leading zeros.")
    mvx: str = ""
    trade_name: str = ""
    volume: float | None = Field(None, description="In millilitres.")
    sub_standard: bool = Field(False, description="Expired or spoilt: it cannot count.")


class FactIn(Schema):
    code: str = Field(description="Of the programme, or of a clinical system that it maps to its own.")
    system: str = ""
    date: dt.date | None = None


class InfectionIn(Schema):
    disease: str
    date: dt.date | None = None


class PersonIn(Schema):
    """Facts about somebody who need not be in the register. Nothing of it is kept."""

    id: str | None = Field(None, description="Anything; given back.")
    birth_date: dt.date
    on: dt.date = Field(description="The day of evaluation.")
    sex: str = Field("unknown", description="female or male; anything else counts as unknown.")
    birth_country: str = ""
    conditions: list[FactIn] = Field([], max_length=100)
    infections: list[InfectionIn] = Field([], max_length=100)
    doses: list[GivenIn] = Field([], max_length=200)


class People(Schema):
    people: list[PersonIn] = Field(max_length=1000)


class ReasonOut(Schema):
    code: str
    text: str
    document: str


class Worth(Schema):
    group: str
    status: str = Field(description="valid, not_valid, extraneous or sub_standard")
    series: str
    reasons: list[ReasonOut]


class JudgedOut(Schema):
    date: dt.date
    vaccine: str
    name: str
    evaluations: list[Worth]
    reasons: list[ReasonOut] = []


class VaccineOut(Schema):
    vaccine: str
    name: str


class ForecastOut(Schema):
    group: str
    status: str = Field(description="not_complete, complete, immune, contraindicated, aged_out or not_recommended")
    dose_number: int | None
    dose_kind: str | None = Field(description="primary, additional or booster")
    earliest: dt.date | None
    recommended: dt.date | None
    past_due: dt.date | None
    latest: dt.date | None
    vaccines: list[VaccineOut]
    antigens: list[str]
    series: list[str]
    reasons: list[ReasonOut]
    guidance: list[str] = Field([], description="What the programme wants a clinician to read beside it")
    also: list[ForecastOut] = Field([], description="What series for a risk, or those for everybody, ask for besides")


class FaultOut(Schema):
    field: str
    message: str
    line: int | None = None


class ErrorOut(Schema):
    error: str
    message: str
    faults: list[FaultOut] = []


class CourseOut(Schema):
    """What each dose is worth, and what is next."""

    id: str | None
    on: dt.date
    programme: str
    doses: list[JudgedOut]
    forecast: list[ForecastOut]
    next: str | None = Field(description="The vaccine group whose next dose is recommended first.")


@router.get("/programmes", response=list[str])
def list_programmes(request: HttpRequest) -> Any:
    """Names of the programmes."""
    return programmes.shipped()


@router.post("/programmes/{programme}/evaluate", response={200: list[CourseOut], 404: ErrorOut, 422: ErrorOut})
def evaluate(request: HttpRequest, programme: str, told: People) -> Any:
    """Judge up to 1,000 people's doses by a programme and say what is next; nothing is looked up or kept.

    Answers in the order sent, sentences in the language of `Accept-Language`.
    """
    rules = _programme(programme)
    people, faults = [], []
    for n, one in enumerate(told.people):
        read = evaluation.read_person(rules, one.model_dump(mode="json"))
        if isinstance(read, Fault):
            faults.append(Fault(f"people[{n}].{read.field}", read.message, params=read.params))
        else:
            people.append((one.id, read))
    if faults:
        raise BadInput(N_("{count} people cannot be read."), faults=tuple(faults), count=len(faults))
    language = get_language() or "vi"
    return [evaluation.answer_line(rules, person, language=language, key=key) for key, person in people]


@router.get("/persons/{person_id}/schedule", response={200: CourseOut, 404: ErrorOut, 422: ErrorOut})
def person_schedule(request: HttpRequest, person_id: int, programme: str, on: dt.date | None = None) -> Any:
    """What the doses of somebody in the register are worth, and what is next: today, or as seen on a day."""
    _programme(programme)
    if not 0 < person_id < 2**63:
        raise NotFound
    with begin(request.actor) as session:
        return schedule.course(session, person_id, programme, language=get_language() or "vi", on=on)


def _programme(name: str) -> Programme:
    """A shipped one only: `programmes.find` would open files of this machine too."""
    if name not in programmes.shipped():
        raise NotFound
    return programmes.find(name)
