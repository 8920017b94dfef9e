"""Doses that arrive at the same moment from one sender are recorded together: one transaction, one commit.

A sender is an account in one post (its actor). Whoever comes while a batch of that sender is being written waits for
the next one, which the first of them writes; nobody waits for time to pass. Each dose is committed before it is
answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from khien.core.actor import Actor
from khien.vaccination.actions import DoseOutcome, record_doses
from khien.vaccination.rules.dose_checks import DoseEntry

_MOST = 200  # of one batch


@dataclass(slots=True)
class _Waiting:
    entry: DoseEntry
    woken: Event = field(default_factory=Event)  # settled, or first in the queue: its turn to write
    outcome: DoseOutcome | None = None
    failure: BaseException | None = None


class Coalescer:
    """One a process. `write` records a batch; it is `record_doses` but in tests of this class."""

    def __init__(self, write: Callable[[Actor, Sequence[DoseEntry]], list[DoseOutcome]]) -> None:
        self._write = write
        self._lock = Lock()
        self._queues: dict[Actor, deque[_Waiting]] = {}  # a sender is here while somebody writes for it

    def record(self, by: Actor, entry: DoseEntry) -> DoseOutcome:
        """What `record_doses` says of one entry; raises what it raises."""
        mine = _Waiting(entry)
        with self._lock:
            writes = by not in self._queues
            self._queues.setdefault(by, deque()).append(mine)
        if not writes:
            mine.woken.wait()
        if mine.outcome is None and mine.failure is None:
            self._write_batch(by)
        if mine.failure is not None:
            raise mine.failure
        assert mine.outcome is not None
        return mine.outcome

    def _write_batch(self, by: Actor) -> None:
        """Write what is waiting, then let the first of those who came meanwhile write the next batch."""
        with self._lock:
            queue = self._queues[by]
            batch = [queue.popleft() for _ in range(min(len(queue), _MOST))]
        try:
            self._settle(by, batch)
        finally:
            with self._lock:
                if queue:
                    queue[0].woken.set()
                else:
                    del self._queues[by]

    def _settle(self, by: Actor, batch: list[_Waiting]) -> None:
        try:
            outcomes = self._write(by, [w.entry for w in batch])
        except Exception as failure:
            if len(batch) > 1:  # one entry must not take the others with it
                for one in batch:
                    self._settle(by, [one])
                return
            batch[0].failure = failure
        else:
            for waiting, outcome in zip(batch, outcomes, strict=True):
                waiting.outcome = outcome
        for waiting in batch:
            waiting.woken.set()


doses = Coalescer(lambda by, entries: record_doses(by=by, entries=entries))
