"""Vaccination as JSON. Sending a message again changes nothing and answers as the first time."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from khien.core.errors import NotFound
from khien.core.session import begin
from khien.population import store as population
from khien.vaccination import actions, coalescing, store
from khien.vaccination.actions import DoseOutcome
from khien.vaccination.rules.dose_checks import DoseEntry

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
        "fault": outcome.fault.text() if outcome.fault else None,
    }


@router.post("/doses", response={200: DoseOut, 201: DoseOut, 404: DoseOut, 422: DoseOut})
def record_dose(request: HttpRequest, dose: DoseIn) -> Any:
    """Record one dose: 201 recorded, 200 replayed, 422 refused (the findings name the rule and its document)."""
    outcome = coalescing.doses.record(request.actor, dose.entry())
    unknown = 404 if outcome.fault is not None and outcome.fault.field == "person" else 422
    status = {"recorded": 201, "replayed": 200, "refused": 422, "unknown": unknown}[outcome.result]
    return Status(status, _out(outcome))


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
