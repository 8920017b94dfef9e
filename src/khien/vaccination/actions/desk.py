"""The vaccination desk: screen, take consent, give, observe, undo, close. Every step may be sent twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_, translate
from khien.core.session import Session, begin
from khien.core.text import free_text
from khien.population import store as population
from khien.vaccination.actions.doses import DoseOutcome, correct_dose, record_dose
from khien.vaccination.actions.stock import move_stock
from khien.vaccination.refusal import refused_by
from khien.vaccination.rules.dose_checks import DoseEntry
from khien.vaccination.rules.screening import Criterion, Screening, age_on, screen
from khien.vaccination.store.campaign import SQL as CAMPAIGN
from khien.vaccination.store.campaign import call_rules, vaccination_session
from khien.vaccination.store.desk import SQL, advice, desk_checks, desk_rules, screening_form
from khien.vaccination.store.doses import SQL as DOSES

_VIET_NAM = dt.timezone(dt.timedelta(hours=7))


def screen_person(
    *, by: Actor, session_id: int, person_id: int, answers: Mapping[str, bool | float | None]
) -> Screening:
    """Screen somebody by the form in force today; who was not called is noted as having come by themselves.

    Raises BadInput for an answer that is no question of the form or cannot be measured; Refused where no form is in
    force, the session is over or the dose was given already.
    """
    by.must("desk.work")
    with begin(by) as session:
        one = _open_session(session, session_id)
        person = population.identity(session, person_id)
        form = screening_form(person["birth_date"], session.today)
        if form is None:
            raise refused_by(desk_checks()["no_form"])
        criteria = form.for_sex(person["sex"])
        _check_answers(criteria, answers)
        result = screen(criteria, answers)
        last = call_rules(one["programme"], session.today)["last_group"]
        session.execute(CAMPAIGN.walk_in, session_id=session_id, person_id=person_id, priority=last, now=session.now)
        written = session.execute(
            SQL.screened, person_id=person_id, session_id=session_id, form=form.id,
            answers=Jsonb({key: value for key, value in answers.items() if value not in (None, False)}),
            outcome=result.outcome, reasons=[c.id for c in result.reasons], now=session.now, by=by.account_id,
        )  # fmt: skip
        if not written:
            raise refused_by(desk_checks()["given_already"])
        session.log("desk.work", [person_id], session=session_id, screened=result.outcome)
        return result


def refuse_consent(*, by: Actor, session_id: int, person_id: int, reason: str) -> None:
    """The person, or the guardian, does not want the dose."""
    by.must("desk.work")
    if not reason.strip():
        raise _wrong("reason", N_("Give the reason."))
    with begin(by) as session:
        _open_session(session, session_id)
        if not session.execute(SQL.refused, session_id=session_id, person_id=person_id):
            raise refused_by(desk_checks()["not_screened"])
        session.execute(
            CAMPAIGN.set_call_state,
            session_id=session_id,
            person_id=person_id,
            state="refused",
            reason=free_text(reason),
        )
        session.log("desk.work", [person_id], session=session_id, consent="refused")


def give_dose(
    *, by: Actor, client_id: UUID, session_id: int, person_id: int, consent: bool, guardian_name: str = "",
    lot_number: str | None = None, already_given: bool = False,
) -> DoseOutcome:  # fmt: skip
    """Consent, dose and the beginning of the observation, in one transaction; the session's own lot unless told.

    Refused, with the rule and its document: who was not screened today or was screened out, without consent (a
    guardian's below 18), a dose that would not count by the schedule, a lot that may not be given. `already_given`: it
    was injected all the same; it is recorded, marked, never lost.
    """
    by.must("desk.work")
    by.must("dose.record")
    with begin(by) as session:
        one = _open_session(session, session_id)
        person = population.identity(session, person_id)
        visit = session.row(SQL.visit, session_id=session_id, person_id=person_id)
        entry = DoseEntry(
            client_id=client_id, person_id=person_id, product=one["product"], given_on=session.today,
            lot_number=lot_number or one["lot_number"], site=one["site"], already_given=already_given,
        )  # fmt: skip
        if visit is not None and visit["dose_id"] is not None:
            return _again(session, entry, visit["dose_id"])
        _may_be_given(session, visit, person, consent, guardian_name)
        if entry.lot_number is None:
            raise refused_by(desk_checks()["no_lot"])
        if not already_given:
            _check_schedule(session, one, person_id)
        outcome = record_dose(by=by, entry=entry)
        session.execute(
            SQL.given, session_id=session_id, person_id=person_id, dose_id=outcome.dose_id, now=session.now,
            consent="guardian" if guardian_name.strip() else "self", guardian_name=guardian_name.strip(),
            observe_until=session.now + dt.timedelta(minutes=desk_rules()["observation"]["minutes"]),
        )  # fmt: skip
        session.execute(SQL.came, session_id=session_id, person_id=person_id, state="came")
        session.log("desk.work", [person_id], session=session_id, given=True)
        return outcome


def undo_dose(*, by: Actor, session_id: int, person_id: int) -> DoseOutcome:
    """Take back a dose that this session recorded, while it is open: it stays in the history as entered in error."""
    by.must("desk.work")
    with begin(by) as session:
        _open_session(session, session_id)
        visit = session.row(SQL.visit, session_id=session_id, person_id=person_id)
        if visit is None or visit["dose_id"] is None:
            raise NotFound(N_("There is no dose of this session to undo."))
        # Undoing what the desk itself has just written is less than correcting the register at large.
        desk = replace(by, permissions=by.permissions | {"dose.correct"})
        done = correct_dose(
            by=desk, person_id=person_id, dose_id=visit["dose_id"], reason=translate(N_("Undone at the desk"), "vi"),
            client_id=uuid5(UUID(int=visit["dose_id"]), f"undo {person_id}"),
        )  # fmt: skip
        session.execute(SQL.undone, session_id=session_id, person_id=person_id)
        session.execute(SQL.came, session_id=session_id, person_id=person_id, state="called")
        session.log("desk.work", [person_id], session=session_id, undone=True)
        return done


def end_observation(*, by: Actor, session_id: int, person_id: int, state: str) -> None:
    """The person leaves, 'well' when the time is over, or with a 'reaction' at any time. Again changes nothing."""
    by.must("desk.work")
    if state not in ("well", "reaction"):
        raise _wrong("state", N_("Must be well or reaction."))
    with begin(by) as session:
        vaccination_session(session, session_id)
        visit = session.row(SQL.visit, session_id=session_id, person_id=person_id)
        if visit is None or visit["dose_id"] is None:
            raise NotFound(N_("This person is not under observation."))
        if visit["left_at"] is not None:
            return
        if state == "well" and session.now < visit["observe_until"]:
            until = visit["observe_until"].astimezone(_VIET_NAM)
            raise refused_by(desk_checks()["too_early_to_leave"], time=f"{until:%H:%M}")
        session.execute(SQL.left, session_id=session_id, person_id=person_id, state=state, now=session.now)
        session.log("desk.work", [person_id], session=session_id, left=state)


def close_session(
    *, by: Actor, client_id: UUID, session_id: int, used: int = 0, wasted: int = 0, reason: str = ""
) -> None:
    """End a session: the doses used and thrown away leave the stock of its site; `reconcile` then shows any difference.

    Refused as long as somebody is under observation, or where the stock does not hold what was used.
    """
    by.must("desk.work")
    by.must("stock.move")
    with begin(by) as session:
        one = vaccination_session(session, session_id)
        if session.row(CAMPAIGN.lock_session, session_id=session_id)["closed_at"] is not None:  # type: ignore[index]
            return
        [counted] = session.rows(SQL.figures, sessions=[session_id])
        if counted["observed"]:
            raise refused_by(desk_checks()["under_observation"], people=counted["observed"])
        told: dict[str, Any] = {
            "product": one["product"], "lot_number": one["lot_number"], "site": one["site"], "session_id": session_id
        }  # fmt: skip
        if (used or wasted) and one["lot_number"] is None:
            raise refused_by(desk_checks()["no_lot"])
        if used:
            move_stock(by=by, client_id=client_id, kind="use", doses=used, **told)
        if wasted:
            move_stock(by=by, client_id=uuid5(client_id, "waste"), kind="waste", doses=wasted, reason=reason, **told)
        session.execute(CAMPAIGN.close_session, session_id=session_id, now=session.now)
        session.log("desk.work", session=session_id, closed=True)


def _open_session(session: Session, session_id: int) -> dict[str, Any]:
    one = vaccination_session(session, session_id)
    found = session.row(SQL.lock_session, session_id=session_id)
    if found is None or found["closed_at"] is not None:
        raise refused_by(desk_checks()["session_closed"])
    if one["day"] != session.today:
        raise refused_by(desk_checks()["another_day"])
    return one


def _check_answers(criteria: tuple[Criterion, ...], answers: Mapping[str, bool | float | None]) -> None:
    known = {c.id: c for c in criteria}
    faults = []
    for name, value in answers.items():
        criterion = known.get(name)
        if criterion is None:
            faults.append(Fault(name, N_("The form has no such question.")))
        elif criterion.measured and value is not None and criterion.plausible is not None:
            low, high = criterion.plausible
            if isinstance(value, bool) or not low <= value <= high:
                faults.append(Fault(name, N_("Must be from {low} to {high}."), params={"low": low, "high": high}))
    if faults:
        raise BadInput(N_("The screening form has faults."), faults=tuple(faults))


def _may_be_given(
    session: Session, visit: Mapping[str, Any] | None, person: Mapping[str, Any], consent: bool, guardian_name: str
) -> None:
    checks = desk_checks()
    if visit is None or visit["screened_at"].astimezone(_VIET_NAM).date() != session.today:
        raise refused_by(checks["not_screened"])
    if visit["outcome"] not in ("eligible", "caution"):
        raise refused_by(checks["screened_out"])
    if not consent:
        raise refused_by(checks["consent_missing"])
    limit = desk_rules()["consent"]["guardian_below"]
    if age_on(person["birth_date"], session.today) < limit and not guardian_name.strip():
        raise refused_by(checks["guardian_missing"], age=limit)


def _check_schedule(session: Session, one: Mapping[str, Any], person_id: int) -> None:
    told = advice(session, one, person_id)
    if not told.counts:
        (reason, document), *_more = told.why_not
        sentence = {language: text for language in ("vi", "en") for text, _doc in [told.sentences(language)[0]]}
        raise Refused(sentence, rule=reason.code, document=document)


def _again(session: Session, entry: DoseEntry, dose_id: int) -> DoseOutcome:
    """The same message again is answered as before; another one would be a second dose."""
    sent = session.rows(DOSES.replayed, person_id=[entry.person_id], client_id=[entry.client_id])
    if sent and sent[0]["dose_id"] == dose_id:
        return DoseOutcome("replayed", dose_id)
    raise refused_by(desk_checks()["given_already"])


def _wrong(field: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
