"""Recording and correcting doses. A batch is one transaction and a few statements, however many doses it holds."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.text import free_text
from khien.vaccination import schedule
from khien.vaccination.refusal import refused
from khien.vaccination.rules.dose_checks import DoseEntry, DoseFacts, Finding, check_dose, finding, may_be_recorded
from khien.vaccination.store.doses import SQL, dose_checks

# Rows after which a batch tells the planner of itself.
_LARGE = 1000
_EVIDENCE = ("site", "abroad", "paper", "declared")


@dataclass(frozen=True, slots=True)
class DoseOutcome:
    """What became of one entry: 'recorded', 'replayed' (it was there already), 'refused' or 'unknown' (no such person
    within the actor's scope, or no such vaccine or site: `fault` says which)."""

    result: str
    dose_id: int | None = None
    findings: tuple[Finding, ...] = ()
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    entry: DoseEntry
    site_id: int | None
    findings: tuple[Finding, ...]
    disease: str
    by: Actor | None = None
    status: str = "completed"
    supersedes: int | None = None
    reason: str | None = None


def record_doses(*, by: Actor, entries: Sequence[DoseEntry]) -> list[DoseOutcome]:
    """Record a batch in one transaction; each entry stands on its own, in the order given.

    A refused entry does not keep the others from being recorded. Sending the same batch again changes nothing.
    """
    by.must("dose.record")
    with begin(by) as session:
        return _record(session, entries, [by] * len(entries))


def record_for_senders(*, by: Actor, senders: Sequence[tuple[Actor, DoseEntry]]) -> list[DoseOutcome | None]:
    """Record the entries of several senders of one purpose in one transaction, each for its own. `by`: the first.

    A sender needs the permission, reaches only people of the own area, and has a log row of its own; row-level security
    holds everything to the senders' areas together. None: the person is not plainly in the sender's area, or does not
    exist, and the entry has to be recorded by itself.
    """
    by.must("dose.record")
    for sender, _entry in senders:
        sender.must("dose.record")
    areas = dict.fromkeys(sender.area.strip("{}") for sender, _entry in senders)
    together = Actor(None, "senders", by.purpose, frozenset(), "{" + ",".join(a for a in areas if a) + "}")
    with begin(together) as session:
        outcomes = _record(session, [entry for _sender, entry in senders], [sender for sender, _entry in senders])
    return [None if o.fault is not None and o.fault.field == "person" else o for o in outcomes]


def _record(session: Session, entries: Sequence[DoseEntry], senders: Sequence[Actor]) -> list[DoseOutcome]:
    areas = [None if sender == session.actor else sender.area for sender in senders]
    facts = _facts(session, entries, areas)
    outcomes: list[DoseOutcome] = []
    rows: list[_Row] = []
    taken: dict[tuple[int, UUID], int] = {}
    people: dict[int, dict[str, Any]] = {}  # with what the batch adds to the histories the register knows
    late: dict[int, dt.date] = {}  # people of whom a dose of a later day was there already
    for n, entry in enumerate(entries):
        key = (entry.person_id, entry.client_id)
        known = facts.get(n)
        if key in taken:  # the same message twice in one batch
            outcome, row = _twice(entries[taken[key]], entry)
        else:
            if known is not None:
                known["history"] = people.setdefault(entry.person_id, known)["history"]
            outcome, row = _judge(entry, known, session.today)
        if row is not None:
            assert known is not None
            taken[key] = n
            rows.append(replace(row, by=senders[n]))
            if any(d["given_on"] > entry.given_on for d in known["history"]):
                late[entry.person_id] = min(entry.given_on, late.get(entry.person_id, entry.given_on))
            known["history"].append(_remembered(row))
        outcomes.append(outcome)
    ids = _insert(session, rows)
    _judge_again(session, [(people[person_id], since) for person_id, since in late.items()], ids)
    done = [
        replace(o, dose_id=o.dose_id or ids.get((e.person_id, e.client_id))) if o.result != "refused" else o
        for o, e in zip(outcomes, entries, strict=True)
    ]
    if rows:
        _log(session, "dose.record", rows, ids)
    if len(rows) >= _LARGE:
        session.execute(SQL.dose_statistics)
    return done


def record_dose(*, by: Actor, entry: DoseEntry) -> DoseOutcome:
    """Record one dose. Raises Refused with the rule and its document, NotFound, or BadInput."""
    outcome = record_doses(by=by, entries=[entry])[0]
    _raise_if_not_done(outcome)
    return outcome


def declare_dose(
    *, by: Actor, client_id: UUID, person_id: int, product: str, given_on: dt.date, lot_number: str | None = None
) -> DoseOutcome:
    """A person says that he or she had a dose. It stands apart until somebody verifies it; it counts for nothing."""
    by.must("dose.declare")
    # Saying what one had is less than recording what was given: the evidence makes the difference.
    declarer = replace(by, permissions=by.permissions | {"dose.record"})
    entry = DoseEntry(client_id, person_id, product, given_on, lot_number, evidence="declared")
    return record_dose(by=declarer, entry=entry)


def correct_dose(
    *, by: Actor, person_id: int, dose_id: int, client_id: UUID, reason: str, changes: dict[str, Any] | None = None
) -> DoseOutcome:
    """Supersede a standing dose: by one with `changes` (product, lot_number, site, given_on, evidence), or, where
    `changes` is None, by a note that it was entered in error. The old row stays. Replays change nothing.
    """
    by.must("dose.correct")
    if not reason.strip():
        raise BadInput(N_("A correction needs a reason."), faults=(Fault("reason", N_("Give the reason.")),))
    with begin(by) as session:
        session.execute(SQL.lock_people, person_id=[person_id])
        done = session.rows(SQL.replayed, person_id=[person_id], client_id=[client_id])
        if done:
            if done[0]["supersedes"] != dose_id:
                raise refused(finding("client_id_reused", dose_checks()))
            return DoseOutcome("replayed", done[0]["dose_id"])
        old = session.row(SQL.standing_dose, person_id=person_id, dose_id=dose_id)
        if old is None:
            raise NotFound(N_("There is no such dose, or it was corrected already."))
        entry = DoseEntry(
            client_id=client_id,
            person_id=person_id,
            already_given=True,
            **{k: old[k] for k in ("product", "lot_number", "site", "given_on", "evidence")} | (changes or {}),
        )
        known = _facts(session, [entry]).get(0)
        if known is not None:
            known["history"] = [d for d in known["history"] if d["dose_id"] != dose_id]
        outcome, row = _judge(entry, known, session.today)
        _raise_if_not_done(outcome)
        assert row is not None and known is not None
        row = replace(
            row,
            supersedes=dose_id,
            reason=free_text(reason),
            status="completed" if changes is not None else "entered-in-error",
        )
        ids = _insert(session, [row])
        new = ids[person_id, client_id]
        session.execute(SQL.supersede, person_id=person_id, dose_id=dose_id, by_dose=new)
        if changes is not None:
            known["history"].append(_remembered(row))
        _judge_again(session, [(known, dt.date.min)], ids)
        _log(session, "dose.correct", [row], ids)
        return replace(outcome, dose_id=new)


def _facts(
    session: Session, entries: Sequence[DoseEntry], areas: Sequence[str | None] = ()
) -> dict[int, dict[str, Any]]:
    """By the entry's place, with the people locked. `earlier`: what a copy of the message made; `history`: the person's
    doses that stand; `facts`: of health."""
    told = [
        {"n": n, "person_id": e.person_id, "client_id": str(e.client_id), "product": e.product,
         "lot_number": e.lot_number, "site": e.site, "area": area}
        for n, (e, area) in enumerate(zip(entries, areas or [None] * len(entries), strict=True))
    ]  # fmt: skip
    found = session.rows(SQL.facts_of_doses, entries=json.dumps(told))
    for row in found:
        row["history"] = [
            {"person_id": person_id, "dose_id": dose_id, "given_on": _day(day), "product": product, "disease": disease,
             "substandard": bad, "declared": declared, "flags": flags}
            for person_id, dose_id, day, product, disease, bad, declared, flags in row["history"] or ()
        ]  # fmt: skip
        row["facts"] = [
            {"code": code, "since": since and _day(since), "until": until and _day(until)}
            for code, since, until in row["facts"] or ()
        ]
    return {row["n"]: row for row in found}


_day = dt.date.fromisoformat


def _remembered(row: _Row) -> dict[str, Any]:
    """A dose of this batch, as the register will know it, but for its number."""
    return {
        "person_id": row.entry.person_id, "client_id": row.entry.client_id, "given_on": row.entry.given_on,
        "product": row.entry.product, "disease": row.disease, "substandard": _substandard(row.findings),
        "declared": row.entry.evidence == "declared", "flags": [f.rule for f in row.findings],
    }  # fmt: skip


def _substandard(findings: Sequence[Finding]) -> bool:
    """Kept from counting by the dose itself, not by the schedule, which judges the others by it all the same."""
    return any(not f.counts and f.rule in dose_checks() for f in findings)


def _breaches(product: str, on: dt.date, known: dict[str, Any], but: Any = None) -> tuple[Finding, ...]:
    """`but`: the dose itself, where it is in the history already."""
    return schedule.breaches(
        product, on, birth_date=known["birth_date"], sex=known["sex"],
        doses=[d for d in known["history"] if not d["declared"] and d is not but],
        facts=[f for f in known["facts"] if (f["since"] or on) <= on and (f["until"] is None or on < f["until"])],
    )  # fmt: skip


def _judge_again(
    session: Session, people: Iterable[tuple[dict[str, Any], dt.date]], ids: Mapping[tuple[int, UUID], int]
) -> None:
    """A dose of an earlier day came or went: what the schedule says of those that stand may have changed since then."""
    checks, changed = dose_checks(), []
    for known, since in people:
        for dose in known["history"]:
            if dose["given_on"] < since or dose["substandard"]:
                continue
            kept = [flag for flag in dose["flags"] if flag in checks]
            flags = kept + [f.rule for f in _breaches(dose["product"], dose["given_on"], known, but=dose)]
            if flags != dose["flags"]:
                counts = len(flags) == len(kept) and all(checks[flag].get("counts", False) for flag in kept)
                dose_id = dose.get("dose_id") or ids[dose["person_id"], dose["client_id"]]
                changed.append({"person_id": dose["person_id"], "dose_id": dose_id, "flags": flags, "counts": counts})
    if changed:
        session.execute(SQL.flag, rows=json.dumps(changed))


def _judge(entry: DoseEntry, known: dict[str, Any] | None, today: dt.date) -> tuple[DoseOutcome, _Row | None]:
    """The outcome of one entry and, where it is to be written, its row."""
    if known is None:
        return DoseOutcome("unknown", fault=Fault("person", N_("Not found."))), None
    earlier = known["earlier"]
    if earlier is not None:
        told = {"product": entry.product, "lot_number": entry.lot_number, "given_on": str(entry.given_on)}
        same = all(earlier[key] == value for key, value in told.items())
        if same and earlier["supersedes"] is None:
            return DoseOutcome("replayed", earlier["dose_id"]), None
        return DoseOutcome("refused", findings=(finding("client_id_reused", dose_checks()),)), None
    if not known["product_known"]:
        return DoseOutcome("unknown", fault=Fault("product", N_("No such vaccine."))), None
    if entry.evidence not in _EVIDENCE:
        return DoseOutcome("unknown", fault=Fault("evidence", N_("Must be site, abroad, paper or declared."))), None
    if entry.evidence == "site" and known["site_id"] is None:
        return DoseOutcome("unknown", fault=Fault("site", N_("No such vaccination site."))), None
    facts = DoseFacts(
        birth_date=known["birth_date"],
        died_on=known["died_on"],
        licensed_on=known["licensed_on"],
        lot_known=known["lot_known"],
        lot_arrived_on=known["arrived_on"],
        lot_expires_on=known["expires_on"],
        lot_blocked_on=known["blocked_on"],
        other_days=tuple(d["given_on"] for d in known["history"] if d["disease"] == known["disease"]),
    )
    findings = check_dose(entry, facts, today, dose_checks())
    if not _substandard(findings):
        findings += _breaches(entry.product, entry.given_on, known)
    if not may_be_recorded(entry, findings):
        return DoseOutcome("refused", findings=findings), None
    return DoseOutcome("recorded", findings=findings), _Row(entry, known["site_id"], findings, known["disease"])


def _twice(first: DoseEntry, second: DoseEntry) -> tuple[DoseOutcome, None]:
    if first == second:
        return DoseOutcome("replayed"), None
    return DoseOutcome("refused", findings=(finding("client_id_reused", dose_checks()),)), None


def _insert(session: Session, rows: Sequence[_Row]) -> dict[tuple[int, UUID], int]:
    if not rows:
        return {}
    told = [
        {"person_id": r.entry.person_id, "client_id": str(r.entry.client_id), "product": r.entry.product,
         "lot_number": r.entry.lot_number, "site_id": r.site_id, "given_on": str(r.entry.given_on),
         "evidence": r.entry.evidence, "flags": [f.rule for f in r.findings],
         "counts": all(f.counts for f in r.findings), "substandard": _substandard(r.findings), "status": r.status,
         "supersedes": r.supersedes, "reason": r.reason, "recorded_by": (r.by or session.actor).account_id}
        for r in rows
    ]  # fmt: skip
    made = session.rows(SQL.insert_doses, rows=json.dumps(told), recorded_at=session.now)
    return {(row["person_id"], row["client_id"]): row["dose_id"] for row in made}


def _log(session: Session, action: str, rows: Sequence[_Row], ids: dict[tuple[int, UUID], int]) -> None:
    """A log row a sender."""
    told: dict[Actor, list[_Row]] = {}
    for row in rows:
        told.setdefault(row.by or session.actor, []).append(row)
    session.log_each((by, action, [r.entry.person_id for r in mine], _detail(mine, ids)) for by, mine in told.items())


def _detail(rows: Sequence[_Row], ids: dict[tuple[int, UUID], int]) -> dict[str, int]:
    """Every entry of a call carries the same detail, so a batch says how many doses it wrote, not which."""
    made = [ids[key] for row in rows if (key := (row.entry.person_id, row.entry.client_id)) in ids]
    return {"dose": made[0]} if len(made) == 1 else {"doses": len(made)}


def _raise_if_not_done(outcome: DoseOutcome) -> None:
    if outcome.fault is not None:
        if outcome.fault.field == "person":
            raise NotFound
        raise BadInput(outcome.fault.message, faults=(outcome.fault,))
    if outcome.result == "refused":
        raise refused(outcome.findings[0])
