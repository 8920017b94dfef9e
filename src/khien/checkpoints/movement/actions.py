"""Every write about movement. A batch is one transaction and a few statements, however many entries it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from khien.checkpoints.actions import check_identities
from khien.checkpoints.movement import keys
from khien.checkpoints.movement.store import SQL, checkpoint
from khien.checkpoints.rules import passes
from khien.checkpoints.rules.declaration import Declaration, Form, form_on
from khien.checkpoints.rules.declaration import answers as normal_answers
from khien.checkpoints.rules.passages import PassageEntry, PassageRule, faults, plate, rule_on
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.text import free_text


@dataclass(frozen=True, slots=True)
class PassageOutcome:
    """What became of one entry: 'recorded', 'replayed' (it was there already), 'unmatched' (kept, but the register does
    not know such a person), 'conflict' (the same client id was used for another passage) or 'refused' (see `faults`).
    The last two are not kept here: they stay with the sender, who has to look at them."""

    result: str
    person_id: int | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def kept(self) -> bool:
        return self.result in ("recorded", "replayed", "unmatched")


def record_passages(
    *, by: Actor, checkpoint_id: int, entries: Sequence[PassageEntry], device_id: int | None = None
) -> list[PassageOutcome]:
    """Record a batch at one checkpoint in one transaction; outcomes in the order given.

    Sending the same batch again changes nothing. The police of both communes get a notice of each. Raises NotFound for
    a checkpoint outside the actor's area.
    """
    by.must("passage.record")
    with begin(by) as session:
        checkpoint(session, checkpoint_id=checkpoint_id)
        outcomes, fitting = _sift(entries, session.now, rule_on(session.today))
        if not fitting:
            return [o for o in outcomes if o is not None]
        months = {e.passed_at.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
                  for _n, e in fitting}  # fmt: skip
        session.rows(SQL.months_ready, months=sorted(months))
        for row in _record(session, checkpoint_id, device_id, [e for _n, e in fitting]):
            outcomes[fitting[row["n"] - 1][0]] = PassageOutcome(row["outcome"], row["person_id"])
        done = [o for o in outcomes if o is not None]
        _log(session, checkpoint_id, done)
        return done


def record_passage(*, by: Actor, checkpoint_id: int, entry: PassageEntry) -> PassageOutcome:
    """Record one passage. Raises BadInput where it is refused or contradicts an earlier one."""
    outcome = record_passages(by=by, checkpoint_id=checkpoint_id, entries=[entry])[0]
    if outcome.result == "refused":
        raise BadInput(outcome.faults[0].message, faults=outcome.faults)
    if outcome.result == "conflict":
        message = N_("Another passage was recorded under this message number.")
        raise BadInput(message, faults=(Fault("client_id", message),))
    return outcome


@dataclass(frozen=True, slots=True)
class PassGiven:
    """`result`: 'recorded', 'replayed', or 'conflict' (the client id was used for another declaration: no pass)."""

    result: str
    text: str | None = None
    pass_id: UUID | None = None
    expires_at: dt.datetime | None = None


def declare(*, by: Actor, declarations: Sequence[Declaration], channel: str = "self") -> list[PassGiven]:
    """Take declarations, match them with the register at once, and give a signed pass for each.

    The answer is the same whether the register knows the person or not; what the match said is kept for officers.
    Raises BadInput for answers that do not fit the form of the day, before anything is written.
    """
    by.must("declaration.write")
    with begin(by) as session:
        form = form_on(session.today)
        told = [normal_answers(form, d.answers) for d in declarations]
        # Taking a declaration includes checking it, whoever takes it.
        checker = replace(by, permissions=by.permissions | {"identity.check"})
        verdicts = check_identities(by=checker, declared=[d.who for d in declarations])
        values = _declared(
            declarations, told, [v.verdict.value for v in verdicts], [" ".join(v.notes) for v in verdicts]
        )
        rows = session.rows(
            SQL.declare, values, at=session.now, channel=channel, form=form.id, expires=_expiry(session, form)
        )
    return [_signed(row, d) for row, d in zip(rows, declarations, strict=True)]


def revoke_pass(*, by: Actor, pass_id: UUID, reason: str) -> None:
    """From now on the pass is refused, offline as soon as a kit is renewed. Raises BadInput, NotFound."""
    by.must("declaration.write")
    if not reason.strip():
        raise BadInput(N_("Give the reason."), faults=(Fault("reason", N_("Give the reason.")),))
    with begin(by) as session:
        if not session.value(SQL.revoke_pass, pass_id=pass_id, at=session.now, reason=free_text(reason)):
            raise NotFound
        session.log("declaration.write", revoked=1)


def _expiry(session: Session, form: Form) -> dt.datetime:
    # Whole seconds, because a pass holds no more.
    return session.now.replace(microsecond=0) + dt.timedelta(hours=form.pass_hours)


def _declared(
    declarations: Sequence[Declaration], told: Sequence[dict[str, str | bool]], verdicts: list[str], notes: list[str]
) -> dict[str, Any]:
    return {
        "client_id": [d.client_id for d in declarations],
        "pass_id": [uuid4() for _d in declarations],
        "party": [d.party for d in declarations],
        "number": [d.who.number for d in declarations],
        "name": [d.who.name for d in declarations],
        "birth_date": [d.birth_date for d in declarations],
        "born_first": [d.who.born_first for d in declarations],
        "born_last": [d.who.born_last for d in declarations],
        "sex": [d.who.sex for d in declarations],
        "verdict": verdicts,
        "notes": notes,
        "from_unit": [d.from_unit for d in declarations],
        "to_unit": [d.to_unit for d in declarations],
        "plate": [t.get("plate") for t in told],
        "answers": [Jsonb(t) for t in told],
    }


def _signed(row: dict[str, Any], declaration: Declaration) -> PassGiven:
    if row["pass_id"] is None:
        return PassGiven("conflict")
    key = keys.signing_key()
    mark = passes.person_mark(row["pass_id"], declaration.who.number, declaration.who.name, declaration.birth_date)
    a_pass = passes.Pass(row["pass_id"], row["expires_at"], mark, passes.key_id(key.public_key().public_bytes_raw()))
    text = passes.text_of(a_pass, key.sign(a_pass.signed_part()))
    return PassGiven(row["outcome"], text, row["pass_id"], row["expires_at"])


def settle_notice(*, by: Actor, person_id: int, unit_id: int, kind: str, noticed_at: dt.datetime, state: str) -> None:
    """Tick off one entry of the work list: 'seen' or 'not_found'. Raises NotFound."""
    by.must("residence.write")
    if state not in ("open", "seen", "not_found"):
        message = N_("The state must be open, seen or not_found.")
        raise BadInput(message, faults=(Fault("state", message),))
    with begin(by) as session:
        changed = session.execute(
            SQL.settle_notice, person_id=person_id, unit_id=unit_id, kind=kind, noticed_at=noticed_at, state=state,
            at=session.now, account_id=by.account_id, area=by.area,
        )  # fmt: skip
        if not changed:
            raise NotFound
        session.log("residence.write", [person_id], notice=kind, state=state)


def retain(*, by: Actor) -> dict[str, int]:
    """Delete what the retention of the day no longer allows to keep: rows by table and dropped month. The log keeps the
    proof. A month of passages goes when all of it is over the time."""
    by.must("passage.retain")
    with begin(by, role="khien_owner") as session:
        before = session.now - dt.timedelta(days=rule_on(session.today).kept_days)
        return {row["what"]: row["rows"] for row in session.rows(SQL.retain, before=before)}


def _sift(
    entries: Sequence[PassageEntry], now: dt.datetime, rule: PassageRule
) -> tuple[list[PassageOutcome | None], list[tuple[int, PassageEntry]]]:
    """The refused entries' outcomes in their places, and the others with theirs."""
    outcomes: list[PassageOutcome | None] = []
    fitting = []
    for n, entry in enumerate(entries):
        wrong = faults(entry, now, rule)
        outcomes.append(PassageOutcome("refused", faults=wrong) if wrong else None)
        if not wrong:
            fitting.append((n, entry))
    return outcomes, fitting


def _record(
    session: Session, checkpoint_id: int, device_id: int | None, entries: Sequence[PassageEntry]
) -> list[dict[str, Any]]:
    columns = (
        "client_id", "passed_at", "person_id", "number", "name", "pass_id", "direction", "from_unit", "to_unit",
        "companions", "party", "checked", "born_first",
    )  # fmt: skip
    values = {column: [getattr(e, column) for e in entries] for column in columns}
    return session.rows(
        SQL.record,
        values,
        checkpoint_id=checkpoint_id,
        at=session.now,
        device_id=device_id,
        born_last=[e.born_last or e.born_first for e in entries],
        plate=[plate(e.plate) for e in entries],
    )


def _log(session: Session, checkpoint_id: int, outcomes: Sequence[PassageOutcome]) -> None:
    recorded = [o.person_id for o in outcomes if o.result == "recorded" and o.person_id is not None]
    unmatched = sum(o.result == "unmatched" for o in outcomes)
    if recorded or unmatched:
        session.log("passage.record", recorded, checkpoint=checkpoint_id, unmatched=unmatched)
