"""Doses that arrive at the same moment are recorded together: one transaction, one commit.

Whoever comes while a batch is being written waits for the next one, which the first of them writes. Only in a crowd is
it held open for a moment: fewer and larger transactions then win more time than that. A dose stays its sender's own:
permission, area, log row. Each is committed before it is answered, and what fails takes no other with it: then each is
recorded by itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from khien.core.actor import Actor
from khien.vaccination.actions import DoseOutcome, record_doses, record_for_senders
from khien.vaccination.rules.dose_checks import DoseEntry

_MOST = 200  # of one batch
_CROWD = 3  # in the batch before
_MOMENT = 0.001  # seconds


@dataclass(slots=True)
class _Waiting:
    by: Actor
    entry: DoseEntry
    woken: Event = field(default_factory=Event)  # settled, or first in the queue: its turn to write
    outcome: DoseOutcome | None = None
    failure: BaseException | None = None


Write = Callable[[Sequence[tuple[Actor, DoseEntry]]], Sequence[DoseOutcome | None]]


class Coalescer:
    """One a process. `write` records a batch; it is `write_doses` but in tests of this class. Where it answers None the
    entry is written again by itself."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lock = Lock()
        self._queues: dict[str, deque[_Waiting]] = {}  # by purpose; one is here while somebody writes for it
        self._before: dict[str, int] = {}  # by purpose: how many were in the last batch

    def record(self, by: Actor, entry: DoseEntry) -> DoseOutcome:
        """What `record_doses` says of one entry; raises what it raises."""
        mine = _Waiting(by, entry)
        with self._lock:
            writes = by.purpose not in self._queues
            self._queues.setdefault(by.purpose, deque()).append(mine)
        if not writes:
            mine.woken.wait()
        if mine.outcome is None and mine.failure is None:
            self._write_batch(by.purpose)
        if mine.failure is not None:
            raise mine.failure
        assert mine.outcome is not None
        return mine.outcome

    def _write_batch(self, purpose: str) -> None:
        """Write what is waiting, then let the first of those who came meanwhile write the next batch."""
        if self._before.get(purpose, 0) > _CROWD:
            time.sleep(_MOMENT)
        with self._lock:
            queue = self._queues[purpose]
            batch = [queue.popleft() for _ in range(min(len(queue), _MOST))]
            self._before[purpose] = len(batch)
        try:
            self._settle(batch)
        finally:
            with self._lock:
                if queue:
                    queue[0].woken.set()
                else:
                    del self._queues[purpose]

    def _settle(self, batch: list[_Waiting]) -> None:
        try:
            outcomes = self._write([(w.by, w.entry) for w in batch])
        except Exception as failure:
            if len(batch) > 1:  # one entry must not take the others with it
                for one in batch:
                    self._settle([one])
                return
            batch[0].failure = failure
            batch[0].woken.set()
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                self._settle([waiting])
            else:
                waiting.outcome = outcome
                waiting.woken.set()


def write_doses(senders: Sequence[tuple[Actor, DoseEntry]]) -> Sequence[DoseOutcome | None]:
    """Those of one sender as its own batch, those of several together."""
    by = senders[0][0]
    if all(sender == by for sender, _entry in senders):
        return record_doses(by=by, entries=[entry for _sender, entry in senders])
    return record_for_senders(by=senders[0][0], senders=senders)


doses = Coalescer(write_doses)
