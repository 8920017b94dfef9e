"""Doses that come together share a commit; each keeps its own sender and outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest

from khien.core.actor import NATION, Actor, machine
from khien.core.errors import NotAllowed
from khien.core.session import Session
from khien.vaccination.actions import DoseOutcome, record_doses, record_for_senders
from khien.vaccination.coalescing import Coalescer, write_doses
from khien.vaccination.rules.dose_checks import DoseEntry
from tests.register import NORTH, SOUTH, add_country, add_person, add_vaccines, set_today

SENDER = machine("test", "dose.record")


def entry(person_id: int) -> DoseEntry:
    return DoseEntry(uuid4(), person_id, "alpha", dt.date(2021, 9, 1))


class Book:
    """Stands for the database: remembers the batches, refuses person 13, can be made to wait."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = Event()
        self.begun = Event()

    def write(self, senders: Sequence[tuple[Actor, DoseEntry]]) -> list[DoseOutcome | None]:
        self.begun.set()
        assert self.open.wait(10)
        entries = [e for _by, e in senders]
        if any(e.person_id == 13 for e in entries):
            raise ValueError("thirteen")
        self.batches.append([e.person_id for e in entries])
        return [DoseOutcome("recorded", e.person_id * 10) for e in entries]


def test_who_comes_during_a_batch_is_in_the_next_one_and_gets_its_own_outcome() -> None:
    book = Book()
    gate = Coalescer(book.write)
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(gate.record, SENDER, entry(1))
        assert book.begun.wait(10)
        others = [pool.submit(gate.record, SENDER, entry(n)) for n in range(2, 12)]
        while sum(len(q) for q in gate._queues.values()) < len(others):
            pass
        book.open.set()
        assert first.result(10).dose_id == 10
        assert [o.result(10).dose_id for o in others] == [n * 10 for n in range(2, 12)]
    assert [len(b) for b in book.batches] == [1, 10]
    assert gate._queues == {}


def test_a_failing_entry_does_not_take_the_others_with_it() -> None:
    book = Book()
    gate = Coalescer(book.write)
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(gate.record, SENDER, entry(1))
        assert book.begun.wait(10)
        others = {n: pool.submit(gate.record, SENDER, entry(n)) for n in (12, 13, 14)}
        while sum(len(q) for q in gate._queues.values()) < len(others):
            pass
        book.open.set()
        assert first.result(10).result == "recorded"
        with pytest.raises(ValueError, match="thirteen"):
            others[13].result(10)
        assert others[12].result(10).dose_id == 120
        assert others[14].result(10).dose_id == 140


def test_what_cannot_be_written_with_others_is_written_by_itself() -> None:
    book = Book()

    def write(senders: Sequence[tuple[Actor, DoseEntry]]) -> list[DoseOutcome | None]:
        outcomes = book.write(senders)
        alone = len(senders) == 1
        return [o if alone or e.person_id != 3 else None for o, (_by, e) in zip(outcomes, senders, strict=True)]

    gate = Coalescer(write)
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(gate.record, desk(1), entry(1))
        assert book.begun.wait(10)
        others = [pool.submit(gate.record, desk(n), entry(n)) for n in (2, 3, 4)]
        while sum(len(q) for q in gate._queues.values()) < len(others):
            pass
        book.open.set()
        assert first.result(10).dose_id == 10
        assert [o.result(10).dose_id for o in others] == [20, 30, 40]
    assert [sorted(b) for b in book.batches] == [[1], [2, 3, 4], [3]]


def desk(number: int, area: str = NATION, *permissions: str) -> Actor:
    return Actor(number, f"desk {number}", "vaccination", frozenset(permissions or ("dose.record",)), area)


@pytest.fixture
def country(session: Session) -> Session:
    add_country(session)
    add_vaccines(session)
    set_today(session, dt.date(2021, 9, 2))
    return session


def given(person_id: int, lot: str = "A1") -> DoseEntry:
    return DoseEntry(uuid4(), person_id, "alpha", dt.date(2021, 9, 1), lot, "S1")


def test_senders_together_each_by_own_account_area_and_log_row(country: Session) -> None:
    add_person(country, 1, unit=NORTH)
    add_person(country, 2, unit=SOUTH)
    add_person(country, 3, unit=SOUTH)
    north, south = desk(7, "{[900000001,900000002)}"), desk(8, "{[900000002,900000003)}")
    entries = [(north, given(1)), (south, given(2)), (north, given(3)), (south, given(2, "none"))]
    outcomes = record_for_senders(by=entries[0][0], senders=entries)
    # A person of the other's area is left to be asked for alone, where the answer is that there is none.
    assert [o and o.result for o in outcomes] == ["recorded", "recorded", None, "refused"]
    assert write_doses(entries[2:3])[0] == record_doses(by=north, entries=[given(3)])[0]
    rows = country.rows("SELECT person_id, recorded_by FROM dose ORDER BY person_id")
    assert [(r["person_id"], r["recorded_by"]) for r in rows] == [(1, 7), (2, 8)]
    logged = country.rows(
        "SELECT account_id, person_id FROM access_log WHERE action = 'dose.record' ORDER BY account_id"
    )
    assert [(r["account_id"], r["person_id"]) for r in logged] == [(7, 1), (8, 2)]
    assert [o and o.result for o in record_for_senders(by=entries[0][0], senders=entries[:2])] == [
        "replayed",
        "replayed",
    ]


def test_a_sender_without_permission_spoils_nothing(country: Session) -> None:
    add_person(country, 1)
    add_person(country, 2)
    stranger = desk(9, NATION, "campaign.read")
    with pytest.raises(NotAllowed):
        record_for_senders(by=desk(7), senders=[(desk(7), given(1)), (stranger, given(2))])
    assert country.value("SELECT count(*) FROM dose") == 0
