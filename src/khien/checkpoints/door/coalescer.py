"""Gathers checks that arrive at the same time into one call of the database: one commit for all of them.

While a call is under way the next one fills, so the batch grows with the load and one request alone waits for nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Protocol

from khien.checkpoints.door import binary, refusals
from khien.checkpoints.door.line import CallFailed, Line, LineDown
from khien.checkpoints.rules.declared import Declared
from khien.checkpoints.rules.rule import rules_json
from khien.core.errors import KhienError

_log = logging.getLogger("khien.door")
_MANY = 200  # checks
# How long a call is at work before somebody looks whether it waits: it needs 0.3 ms and 0.03 to 0.05 a check.
_SLOW_CALL, _SLOW_CHECK = 0.001, 0.00008  # seconds
_LOOK_AGAIN = 0.001  # seconds: it reads page after page and may be at work between two of them


class Ticket(Protocol):
    """Who asks: told once, by one of the two."""

    device: int
    checks: list[Declared]

    def answered(self, lines: list[bytes]) -> None:
        """One line a check, in order: verdict, likeness of name, birth date ("-": nothing to compare), notes."""

    def refused(self, failure: KhienError) -> None:
        """Nothing was checked."""


class Coalescer:
    """`lines` calls at work in the database, `slow_lines` with those that wait for the disk; `largest` checks in one of
    them, `waiting` checks in the queue at most."""

    def __init__(self, *, lines: int, slow_lines: int, largest: int, waiting: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = [Line(self._loop) for _ in range(max(lines, slow_lines))]
        self._lines = tuple(self._idle)
        self._at_work, self._most_at_work = 0, lines  # calls that have not come to their commit
        self._calls = 0  # begun so far
        self._late = False  # the last one begun is at work for long and waits
        self._largest, self._limit = largest, waiting
        self._queue: list[Ticket] = []
        self.queued = self.under_way = 0
        self._rules = binary.jsonb(rules_json())
        self._key_line, self._key_turn = Line(self._loop), asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = self._closed = False

    @property
    def full(self) -> bool:
        return self.queued >= self._limit

    def submit(self, ticket: Ticket) -> None:
        """Raises Refusal when full."""
        if self.queued and self.queued + len(ticket.checks) > self._limit:
            raise refusals.busy()
        self._queue.append(ticket)
        self.queued += len(ticket.checks)
        self._wake()

    async def device_key(self, device: int) -> bytes | None:
        """The Ed25519 key of a device that may ask, else None. Raises Refusal."""
        async with self._key_turn:
            try:
                key = await self._key_line.ask([self._rules, binary.integers([device])] + [None] * 9)
            except (LineDown, CallFailed) as failure:
                raise refusals.no_database() from failure
        return bytes.fromhex(key.decode()) if key else None

    def close(self) -> None:
        self._closed = True  # a line that is closed says that its call is over: no further one begins on it
        for line in (*self._lines, self._key_line):
            line.close()

    def _wake(self) -> None:
        """At the end of this turn of the loop, so that all requests that have arrived come along."""
        if self._idle and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._start)

    def _start(self) -> None:
        """A call costs the database as much as ten checks in it: a further one beside one at work is worth it only for
        many checks, or while that one waits for the disk. Fewer wait until it commits, and go together."""
        self._scheduled = False
        while self._idle and self._queue and not self._closed and self._worth_it():
            before = self.under_way
            batch = self._next_batch()
            line = self._idle.pop()
            self._begin(self._call(line, batch))
            self._at_work += 1
            self._calls, self._late = self._calls + 1, False
            patience = _SLOW_CALL + _SLOW_CHECK * (self.under_way - before)
            self._loop.call_later(patience, self._look_at, line, self._calls)

    def _worth_it(self) -> bool:
        many = self.queued >= _MANY and self._at_work < self._most_at_work
        return self._at_work == 0 or many or self._late

    def _look_at(self, line: Line, call: int) -> None:
        """More calls help one that waits for the disk, and make one that waits for its processor slower still."""
        if call != self._calls or not self._at_work:
            return
        if line.waits():
            self._late = True
            self._wake()
        else:
            self._loop.call_later(_LOOK_AGAIN, self._look_at, line, call)

    def _executed(self) -> None:
        self._at_work -= 1
        self._start()  # the database goes on before anybody is answered

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next_batch(self) -> list[Ticket]:
        size = taken = 0
        for ticket in self._queue:
            if taken and size + len(ticket.checks) > self._largest:
                break
            size += len(ticket.checks)
            taken += 1
        batch, self._queue = self._queue[:taken], self._queue[taken:]
        self.queued -= size
        self.under_way += size
        return batch

    async def _call(self, line: Line, batch: list[Ticket]) -> None:
        over = False

        def executed() -> None:
            nonlocal over
            if not over:
                over = True
                self._executed()

        try:
            lines = await line.ask(self._parameters(batch), executed)
        except Exception as failure:
            if not isinstance(failure, LineDown | CallFailed):  # nobody foresaw it: whoever asked is told all the same
                _log.error("a call failed: %s", type(failure).__name__)  # its text may quote what was asked
                line.close()
            executed()
            self._free(line, batch)
            if isinstance(failure, CallFailed) and len(batch) > 1:
                # Nothing was written: one that the database chokes on must not harm its neighbours.
                await self._one_by_one(batch)
            else:
                _refuse(batch, failure)
            return
        self._free(line, batch)
        found, start = lines.split(b"\n"), 0
        for ticket in batch:
            end = start + len(ticket.checks)
            ticket.answered(found[start:end])
            start = end

    async def _one_by_one(self, batch: list[Ticket]) -> None:
        line = Line(self._loop)
        for ticket in batch:
            try:
                lines = await line.ask(self._parameters([ticket]))
            except (LineDown, CallFailed) as failure:
                _refuse([ticket], failure)
            else:
                ticket.answered(lines.split(b"\n"))
        line.close()

    def _free(self, line: Line, batch: list[Ticket]) -> None:
        self._idle.append(line)
        self.under_way -= sum(len(ticket.checks) for ticket in batch)
        self._wake()

    def _parameters(self, batch: Sequence[Ticket]) -> list[bytes | None]:
        checks = [check for ticket in batch for check in ticket.checks]
        numbers, names, first, last, sexes, cards, issued, communes, _ = zip(*checks, strict=True)
        devices: dict[int, int] = {}  # each once: its place among them
        asked_by = [devices.setdefault(ticket.device, len(devices) + 1) for ticket in batch for _ in ticket.checks]
        text, dates = binary.texts, binary.dates
        return [
            self._rules,
            binary.integers(list(devices)),
            binary.integers(asked_by),
            text(numbers), text(names), dates(first), dates(last),
            # Seldom declared: a column without any is not sent.
            text(sexes) if any(sexes) else None, text(cards) if any(cards) else None,
            dates(issued) if any(issued) else None, text(communes) if any(communes) else None,
        ]  # fmt: skip


def _refuse(batch: list[Ticket], failure: Exception) -> None:
    for ticket in batch:
        refusal = refusals.no_database()
        refusal.__cause__ = failure
        ticket.refused(refusal)
