"""A person's record: entering, correcting, numbers, cards, death, residence, merging. A replay changes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.core.text import nfc
from khien.population import store
from khien.population.changing import (
    bad,
    changed,
    done,
    locked,
    not_future,
    place,
    replayed,
    state_of,
)
from khien.population.rules import documents, personal_number
from khien.population.rules.finding import Finding
from khien.population.rules.partial_date import PartialDate
from khien.population.rules.residence import Kind, Spell, close, insert
from khien.population.rules.residence_checks import check_spell

_q = Queries("khien.population")

Sex = Literal["male", "female", "other", "unknown"]
IdentifierKind = Literal["personal_number", "cmnd", "passport", "insurance"]
CardKind = Literal["cmnd", "cccd", "cccd_chip", "can_cuoc"]


@dataclass(frozen=True, slots=True)
class Registered:
    """A new record and the provisional id under which it can be found; `replayed` if it was there already."""

    person_id: int
    provisional_id: str | None
    replayed: bool = False


def register_person(
    *,
    by: Actor,
    client_id: UUID,
    name: str,
    birth_date: PartialDate,
    sex: Sex,
    unit_id: int,
    address: str = "",
    nationality: str = "VNM",
    from_day: dt.date | None = None,
) -> Registered:
    """Enter somebody whom the register does not know, under a provisional id, as living in `unit_id` (a commune).

    Raises BadInput for an empty name or a birth in the future, NotFound for a commune outside the actor's area.
    """
    by.must("person.write")
    with begin(by) as session:
        known = replayed(session, client_id)
        if known is not None:
            return Registered(known, None, replayed=True)
        cleaned, today = _name(name), session.today
        not_future(birth_date.first_day, "birth_date", today)
        person_id = int(session.value(_q.next_person))
        session.execute(
            _q.add_person, person_id=person_id, name=cleaned, birth_date=birth_date.first_day,
            birth_precision=birth_date.precision, sex=sex, nationality=nationality, unit_id=unit_id,
        )  # fmt: skip
        provisional = session.value(_q.add_provisional, person_id=person_id)
        _add_spell(session, person_id, Spell("permanent", unit_id, from_day or today, address=address), "police")
        done(session, "person.register", person_id, client_id)
        return Registered(person_id, str(provisional))


def correct_person(
    *,
    by: Actor,
    person_id: int,
    name: str | None = None,
    birth_date: PartialDate | None = None,
    sex: Sex | None = None,
    nationality: str | None = None,
    client_id: UUID | None = None,
) -> None:
    """Correct what stands in the record; None leaves it. What stood there before is kept, dated. Raises NotFound."""
    by.must("person.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        record = locked(session, person_id)
        if birth_date is not None:
            not_future(birth_date.first_day, "birth_date", session.today)
            if record["died_on"] is not None and birth_date.first_day > record["died_on"]:
                raise bad("birth_date", N_("The death lies before the birth."))
        session.execute(_q.keep_version, person_id=person_id, source="correction")
        session.execute(
            _q.correct_person, person_id=person_id, name=_name(name) if name is not None else None,
            birth_date=birth_date.first_day if birth_date else None,
            birth_precision=birth_date.precision if birth_date else None, sex=sex, nationality=nationality,
        )  # fmt: skip
        given = {"name": name, "birth_date": birth_date, "sex": sex, "nationality": nationality}
        done(session, "person.correct", person_id, client_id, fields=[k for k, v in given.items() if v is not None])


def add_identifier(
    *, by: Actor, person_id: int, kind: IdentifierKind, value: str, client_id: UUID | None = None
) -> None:
    """Give a person one more number. Raises BadInput for a malformed one, Refused if it is somebody else's."""
    by.must("person.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        locked(session, person_id)
        cleaned = _number(kind, value)
        added = session.execute(
            _q.add_identifier, kind=kind, value=cleaned, person_id=person_id, from_day=session.today
        )
        if not added and store.find_by_identifier(session, cleaned) != person_id:
            raise _taken()
        done(session, "person.identify", person_id, client_id, kind=kind)


def change_identifier(
    *, by: Actor, person_id: int, kind: IdentifierKind, old: str, new: str, client_id: UUID | None = None
) -> None:
    """Correct a wrong number: one row changes, and the wrong value is free for whoever it belongs to.

    Raises NotFound if the person has no such number, Refused if the new one is somebody else's.
    """
    by.must("person.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        locked(session, person_id)
        cleaned = _number(kind, new)
        if session.value(_q.identifier_taken, kind=kind, value=cleaned):
            if store.find_by_identifier(session, cleaned) != person_id:
                raise _taken()
            return
        ids = store.same_person(session, person_id)
        if not session.execute(_q.change_identifier, kind=kind, old=documents.normalise(old), new=cleaned, ids=ids):
            raise NotFound
        done(session, "person.renumber", person_id, client_id, kind=kind)


def record_death(*, by: Actor, person_id: int, died_on: dt.date | None, client_id: UUID | None = None) -> None:
    """Record a death, or with None that it was recorded in error. Raises BadInput for an impossible day, NotFound."""
    by.must("person.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        record = locked(session, person_id)
        if record["died_on"] == died_on:
            return
        if died_on is not None:
            not_future(died_on, "died_on", session.today)
            if died_on < record["birth_date"]:
                raise bad("died_on", N_("The death lies before the birth."))
        session.execute(_q.keep_version, person_id=person_id, source="correction")
        session.execute(_q.set_death, person_id=person_id, died_on=died_on)
        done(session, "person.death", person_id, client_id, recorded=died_on is not None)


def move(
    *,
    by: Actor,
    person_id: int,
    kind: Kind,
    unit_id: int,
    from_day: dt.date,
    until_day: dt.date | None = None,
    address: str = "",
    source: str = "police",
    client_id: UUID | None = None,
) -> tuple[Finding, ...]:
    """Register residence of one kind from `from_day` to before `until_day` (None: open). Gives the law's warnings.

    An older spell of the kind gives way: it ends on `from_day`, and goes on afterwards where the new one has an end.
    Where the person is now follows. Raises Refused where the law forbids it, NotFound.
    """
    by.must("residence.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return ()
        locked(session, person_id)
        before, stood = store.spells(session, person_id), state_of(session, "residence", [person_id])
        new = Spell(kind, unit_id, from_day, until_day, address)
        # The overlap with spells of its own kind is what this action resolves; the law judges the rest.
        findings = check_spell(new, [s for s in before if s.kind != kind])
        for finding in findings:
            if finding.severity == "refusal":
                raise Refused(finding.message, rule=finding.rule, document=finding.document, **finding.params)
        after = insert(before, new)
        _rewrite(session, person_id, before, after, source)
        changed(session, "residence", stood, client_id)
        done(session, "residence.move", person_id, client_id, kind=kind)
        place(session, person_id, after)  # last: the person may leave the actor's sight
        return findings


def end_residence(
    *, by: Actor, person_id: int, kind: Literal["temporary", "stay", "absence"], on: dt.date,
    client_id: UUID | None = None,
) -> None:  # fmt: skip
    """End temporary residence, a stay or an absence: `on` is the first day it no longer holds. Raises NotFound."""
    by.must("residence.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        locked(session, person_id)
        before, stood = store.spells(session, person_id), state_of(session, "residence", [person_id])
        running = tuple(s for s in before if s.kind != kind or s.covers(on) or s.start < on)
        if not any(s.kind == kind and s.covers(on) and s.start < on for s in before):
            raise NotFound
        # Spells that have not begun stay as they are: only the running one ends.
        after = tuple(
            sorted((*close(running, kind, on), *(s for s in before if s not in running)), key=lambda s: s.start)
        )
        _rewrite(session, person_id, before, after, "police")
        changed(session, "residence", stood, client_id)
        done(session, "residence.end", person_id, client_id, kind=kind)
        place(session, person_id, after)


def issue_card(
    *, by: Actor, person_id: int, kind: CardKind, card_number: str, issued_on: dt.date,
    expires_on: dt.date | None = None, client_id: UUID | None = None,
) -> None:  # fmt: skip
    """Record a card. The same card again changes nothing. Raises BadInput, NotFound."""
    by.must("person.write")
    with begin(by) as session:
        if client_id is not None and replayed(session, client_id) is not None:
            return
        locked(session, person_id)
        not_future(issued_on, "issued_on", session.today)
        if expires_on is not None and expires_on < issued_on:
            raise bad("expires_on", N_("The last day lies before the first."))
        number = documents.normalise(card_number)
        if session.execute(
            _q.issue_card, person_id=person_id, kind=kind, card_number=number, issued_on=issued_on,
            expires_on=expires_on,
        ):  # fmt: skip
            done(session, "card.issue", person_id, client_id, kind=kind)


def cancel_card(
    *, by: Actor, person_id: int, card_number: str, issued_on: dt.date, cancelled_on: dt.date | None = None
) -> None:
    """Record that a card no longer counts (lost, replaced); cancelled already: nothing. Raises NotFound."""
    by.must("person.write")
    with begin(by) as session:
        locked(session, person_id)
        number = documents.normalise(card_number)
        cards = session.rows(_q.cards, ids=[person_id])
        if not any(c["card_number"] == number and c["issued_on"] == issued_on for c in cards):
            raise NotFound
        day = cancelled_on or session.today
        if session.execute(
            _q.cancel_card, person_id=person_id, card_number=number, issued_on=issued_on, cancelled_on=day
        ):
            done(session, "card.cancel", person_id, None)


def merge_persons(*, by: Actor, person_id: int, into: int) -> None:
    """Say that two records are one person: `person_id` leads to `into` from now on.

    No row is moved: doses, residence and numbers stay where they are and are read through `into`, so undoing is exact
    and nothing can be lost. Raises NotFound, Refused for a record that others were merged into (undo those first).
    """
    by.must("person.merge")
    with begin(by) as session:
        first, second = sorted(
            (person_id, into)
        )  # always in the same order, so that two merges never wait for each other
        records = {pid: locked(session, pid) for pid in (first, second)} if first != second else {}
        if not records:
            raise bad("into", N_("A record cannot be merged with itself."))
        if records[person_id]["merged_into"] == into:
            return
        if records[person_id]["merged_into"] or records[into]["merged_into"]:
            raise Refused(N_("One of the records is merged already. Undo that first."), rule="merged_already")
        if session.value(_q.has_merged, person_id=person_id):
            raise Refused(
                N_("Others were merged into this record. Merge into it, or undo those first."), rule="has_merged"
            )
        session.execute(_q.set_merged, person_id=person_id, into=into, other=into)
        session.log("person.merge", [person_id, into], person_id=person_id, into=into)


def unmerge(*, by: Actor, person_id: int) -> None:
    """Undo a merge: the two records are as they were. Raises NotFound; not merged: nothing."""
    by.must("person.merge")
    with begin(by) as session:
        record = locked(session, person_id)
        if record["merged_into"] is None:
            return
        session.execute(_q.set_merged, person_id=person_id, into=None, other=record["merged_into"])
        session.log("person.unmerge", [person_id, record["merged_into"]], person_id=person_id)


def _rewrite(
    session: Session, person_id: int, before: tuple[Spell, ...], after: tuple[Spell, ...], source: str
) -> None:
    """Bring the rows from `before` to `after`. A spell is its kind and first day.

    Those that a new one takes in whole go first, then shortened ones, so that the new ones find room under the key that
    forbids overlaps.
    """
    old = {(s.kind, s.start): s for s in before}
    kept = {(s.kind, s.start) for s in after}
    for kind in {kind for kind, _start in old.keys() - kept}:
        starts = [start for of, start in old.keys() - kept if of == kind]
        session.execute(_q.give_way, person_id=person_id, kind=kind, starts=starts)
    for spell in after:
        was = old.get((spell.kind, spell.start))
        row = {"person_id": person_id, "kind": spell.kind, "start": spell.start, "until": spell.end}
        if was is None or was == spell:
            continue
        if replace(was, end=spell.end) == spell:
            session.execute(_q.end_spell, row)
        else:
            session.execute(_q.replace_spell, row, unit_id=spell.unit, address=spell.address, source=source)
    for spell in after:
        if (spell.kind, spell.start) not in old:
            _add_spell(session, person_id, spell, source)


def _add_spell(session: Session, person_id: int, spell: Spell, source: str) -> None:
    session.execute(
        _q.add_spell, person_id=person_id, kind=spell.kind, unit_id=spell.unit, address=spell.address,
        start=spell.start, until=spell.end, source=source,
    )  # fmt: skip


def _number(kind: IdentifierKind, value: str) -> str:
    if kind == "personal_number":
        return personal_number.parse(value).value
    if kind == "cmnd":
        return documents.parse_cmnd(value)
    return documents.parse_passport(value) if kind == "passport" else documents.parse_insurance(value).value


def _name(name: str) -> str:
    cleaned = nfc(name)
    if not any(c.isalpha() for c in cleaned):
        raise bad("name", N_("A name has letters."))
    return cleaned


def _taken() -> Refused:
    return Refused(N_("This number belongs to another person in the register."), rule="identifier_taken")
