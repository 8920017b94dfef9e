"""Doses of one sender that come together share a commit; each keeps its own outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import uuid4

import pytest

from khien.core.actor import Actor, machine
from khien.vaccination.actions import DoseOutcome
from khien.vaccination.coalescing import Coalescer
from khien.vaccination.rules.dose_checks import DoseEntry

SENDER = machine("test", "dose.record")


def entry(person_id: int) -> DoseEntry:
    return DoseEntry(uuid4(), person_id, "alpha", dt.date(2021, 9, 1))


class Book:
    """Stands for the database: remembers the batches, refuses person 13, can be made to wait."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = Event()
        self.begun = Event()

    def write(self, by: Actor, entries: Sequence[DoseEntry]) -> list[DoseOutcome]:
        self.begun.set()
        assert self.open.wait(10)
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


def test_senders_do_not_share_a_batch() -> None:
    book = Book()
    book.open.set()
    gate = Coalescer(book.write)
    together = Barrier(8)

    def send(n: int) -> int | None:
        together.wait(10)
        return gate.record(Actor(n, f"desk {n}", "vaccination", frozenset({"dose.record"})), entry(n)).dose_id

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, range(1, 9))) == [n * 10 for n in range(1, 9)]
    assert all(len(batch) == 1 for batch in book.batches)
