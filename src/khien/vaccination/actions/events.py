"""Adverse events: report, re-assess, conclude; and the verification of declared doses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_, Message
from khien.core.session import Session, begin
from khien.core.text import MOST_REPORT, free_text
from khien.vaccination.actions.doses import DoseOutcome, correct_dose
from khien.vaccination.refusal import refused_by
from khien.vaccination.store.doses import SQL as DOSES
from khien.vaccination.store.doses import standing_dose
from khien.vaccination.store.events import SQL, VIET_NAM, event_rules


def report_event(
    *, by: Actor, client_id: UUID, person_id: int, dose_id: int, onset_at: dt.datetime, symptoms: str,
    seriousness: Sequence[str] = (), known_at: dt.datetime | None = None,
) -> int:  # fmt: skip
    """Report a reaction after a dose; its number. `onset_at`, `known_at` (now by default) with their time zone.

    Raises NotFound for a dose that does not stand, BadInput for words the rulebook does not know, Refused for an onset
    before the dose or in the future. Replays change nothing.
    """
    by.must("event.report")
    if not symptoms.strip():
        raise _wrong("symptoms", N_("Describe the reaction."))
    _known("seriousness", seriousness)
    with begin(by) as session:
        dose = session.row(SQL.dose_of_event, person_id=person_id, dose_id=dose_id)
        if dose is None:
            raise NotFound(N_("There is no such dose, or it was corrected already."))
        checks = {check["id"]: check for check in event_rules()["check"]}
        earlier = session.row(SQL.event_by_message, person_id=person_id, client_id=client_id)
        if earlier is not None:
            if (earlier["dose_id"], earlier["symptoms"]) != (dose_id, symptoms.strip()):
                raise refused_by(checks["client_id_reused"])
            return int(earlier["event_id"])
        if onset_at.astimezone(VIET_NAM).date() < dose["given_on"]:
            raise refused_by(checks["before_dose"])
        if onset_at > session.now:
            raise refused_by(checks["in_the_future"])
        made = session.value(
            SQL.insert_event, person_id=person_id, client_id=client_id, dose_id=dose_id, site_id=dose["site_id"],
            onset_at=onset_at, known_at=known_at or session.now, symptoms=free_text(symptoms, "symptoms", MOST_REPORT),
            seriousness=list(seriousness), by=by.account_id, now=session.now,
        )  # fmt: skip
        session.log("event.report", [person_id], event=made, serious=bool(seriousness))
        return int(made)


def update_event(
    *, by: Actor, person_id: int, event_id: int, symptoms: str | None = None, seriousness: Sequence[str] | None = None,
    reported: bool = False, close: bool = False,
) -> None:  # fmt: skip
    """What was learned since: a graver state, that the authority was told, that a common reaction is over."""
    by.must("event.report")
    _known("seriousness", seriousness or ())
    with begin(by) as session:
        old = _kept(session, person_id, event_id)
        changes: dict[str, Any] = {}
        if symptoms is not None and symptoms.strip():
            changes["symptoms"] = free_text(symptoms, "symptoms", MOST_REPORT)
        if seriousness is not None:
            changes["seriousness"] = list(seriousness)
        if reported and old["reported_at"] is None:
            changes["reported_at"] = session.now
        if close:
            if changes.get("seriousness", old["seriousness"]) and old["concluded_at"] is None:
                raise _wrong("close", N_("A serious event is closed by its conclusion."))
            changes["closed_at"] = session.now
        _write(session, old, changes, "event.report")


def conclude_event(*, by: Actor, person_id: int, event_id: int, causality: str, conclusion: str) -> None:
    """What the council found: a category of the WHO's classification, and why. Concluding again supersedes."""
    by.must("event.assess")
    _known("causality", (causality,))
    if not conclusion.strip():
        raise _wrong("conclusion", N_("Give the reason."))
    with begin(by) as session:
        old = _kept(session, person_id, event_id)
        changes = {
            "causality": causality, "conclusion": free_text(conclusion, "conclusion", MOST_REPORT),
            "concluded_at": session.now,
            "closed_at": session.now if old["reported_at"] is not None or not old["seriousness"] else None,
        }  # fmt: skip
        _write(session, old, changes, "event.assess")


def verify_dose(
    *, by: Actor, client_id: UUID, person_id: int, dose_id: int, evidence: str, reason: str,
    changes: dict[str, Any] | None = None,
) -> DoseOutcome:  # fmt: skip
    """A declared dose is proved: it is superseded by one with its evidence ('site', 'paper' or 'abroad') and what the
    proof says otherwise. `reason` names the proof. Until then it stands apart and never counts as certain.
    """
    by.must("dose.verify")
    if evidence not in ("site", "paper", "abroad"):
        raise _wrong("evidence", N_("Must be site, paper or abroad."))
    with begin(by) as session:
        if not session.rows(DOSES.replayed, person_id=[person_id], client_id=[client_id]):
            dose = standing_dose(session, person_id, dose_id)
            if dose["evidence"] != "declared":
                raise _wrong("dose_id", N_("Only a declared dose is verified; correct the others."))
        # Proving what was declared is less than correcting the register at large.
        verifier = replace(by, permissions=by.permissions | {"dose.correct"})
        return correct_dose(
            by=verifier, person_id=person_id, dose_id=dose_id, client_id=client_id, reason=reason,
            changes={**(changes or {}), "evidence": evidence},
        )  # fmt: skip


def _kept(session: Session, person_id: int, event_id: int) -> dict[str, Any]:
    found = session.row(SQL.lock_event, person_id=person_id, event_id=event_id)
    if found is None:
        raise NotFound
    return found


def _write(session: Session, old: dict[str, Any], changes: dict[str, Any], action: str) -> None:
    if not any(old[key] != value for key, value in changes.items()):
        return
    session.execute(SQL.keep_version, person_id=old["person_id"], event_id=old["event_id"])
    session.execute(SQL.update_event, {**old, **changes})
    session.log(action, [old["person_id"]], event=old["event_id"], changed=sorted(changes))


def _known(what: str, told: Sequence[str]) -> None:
    known = {entry["id"] for entry in event_rules()[what]}
    if not set(told) <= known:
        raise _wrong(what, N_("Not a category of the rulebook."))


def _wrong(field: str, message: Message) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
