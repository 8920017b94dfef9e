"""Parts of the door by themselves: what was seen before, codes, when a further call of the database begins."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khien.checkpoints.door import coalescer
from khien.checkpoints.door.replay import ReplayWindow, WindowFull
from khien.checkpoints.door.signing import Codes
from khien.checkpoints.rules.declared import Declared
from khien.core.errors import KhienError

SKEW = 60


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-SKEW, SKEW), st.integers(0, 12)), max_size=120))
def test_a_message_is_new_once_whatever_the_order_and_the_clocks(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int]]
) -> None:
    """Time goes on; messages come late, early (dated ahead within the skew) and again, each with its own time."""
    window = ReplayWindow(tmp_path_factory.mktemp("door") / "replays", period=SKEW, slots=1 << 8)
    now, stamps, seen = 1_700_000_000, dict[int, int](), set[int]()
    for passed, off, message in steps:
        now += passed
        at = stamps.setdefault(message, now + off)
        if abs(at - now) > SKEW:
            continue  # refused by the clock before anybody asks the window
        assert window.is_new((message + 2).to_bytes(8, "little") + bytes(24), at) == (message not in seen)
        seen.add(message)
    window.close()


def test_what_was_seen_survives_a_restart_and_a_full_window_refuses(tmp_path: Path) -> None:
    path = tmp_path / "replays"
    first = ReplayWindow(path, period=SKEW, slots=64)
    mark = b"\x07" * 32
    assert first.is_new(mark, 1_700_000_000)
    first.close()
    second = ReplayWindow(path, period=SKEW, slots=64)
    assert not second.is_new(mark, 1_700_000_000)
    with pytest.raises(WindowFull):
        for n in range(64):
            second.is_new((n + 1000).to_bytes(8, "little"), 1_700_000_000)
    second.close()


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_codes_are_those_of_the_standard(key: bytes, message: bytes) -> None:
    codes = Codes(key)
    assert [codes.of(message), codes.of(message)] == [hmac.digest(key, message, "sha256")] * 2


class _Waiting:
    """One check of a device."""

    def __init__(self) -> None:
        self.device, self.checks = 1, [Declared("", "", None, None)]
        self.told = asyncio.get_running_loop().create_future()

    def answered(self, lines: list[bytes]) -> None:
        self.told.set_result(lines)

    def refused(self, failure: KhienError) -> None:
        self.told.set_exception(failure)


class _Line:
    """A database that answers when it is told to."""

    begun = 0
    waiting = True
    go: asyncio.Event
    on_disk: asyncio.Event

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None: ...

    async def ask(self, parameters: Sequence[bytes | None], executed: Callable[[], None]) -> bytes:
        _Line.begun += 1
        await _Line.go.wait()
        executed()
        await _Line.on_disk.wait()
        return b"match same same"

    def waits(self) -> bool:
        return _Line.waiting

    def close(self) -> None: ...


@pytest.mark.parametrize("waiting", [True, False])
def test_while_a_call_waits_for_the_disk_and_only_then_the_next_goes_beside_it(
    monkeypatch: pytest.MonkeyPatch, waiting: bool
) -> None:
    monkeypatch.setattr(coalescer, "Line", _Line)
    monkeypatch.setattr(_Line, "waiting", waiting)

    async def run() -> None:
        _Line.begun, _Line.go, _Line.on_disk = 0, asyncio.Event(), asyncio.Event()
        gathered = coalescer.Coalescer(lines=1, slow_lines=3, largest=10, waiting=100)
        asked = [_Waiting() for _ in range(4)]
        for ticket in asked:
            gathered.submit(ticket)
            await asyncio.sleep(0.05)  # longer than a call takes that does not wait
        assert _Line.begun == (3 if waiting else 1)  # of three lines: none is left for the fourth
        _Line.go.set()
        await asyncio.sleep(0.05)
        assert _Line.begun == (3 if waiting else 2) and gathered.under_way >= 3  # in commit: nobody is answered
        _Line.on_disk.set()
        await asyncio.gather(*(ticket.told for ticket in asked))
        assert gathered.queued == gathered.under_way == 0

    with ThreadPoolExecutor(1) as thread:  # the browser driver may keep an event loop in this one
        thread.submit(asyncio.run, run()).result()


class _BrokenLine(_Line):
    async def ask(self, parameters: Sequence[bytes | None], executed: Callable[[], None]) -> bytes:
        raise ZeroDivisionError


def test_what_nobody_foresaw_is_told_to_whoever_asked_and_the_line_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coalescer, "Line", _BrokenLine)

    async def run() -> None:
        gathered = coalescer.Coalescer(lines=1, slow_lines=1, largest=10, waiting=100)
        for _ in range(2):  # the second would wait for ever on a line that was lost
            ticket = _Waiting()
            gathered.submit(ticket)
            with pytest.raises(KhienError):
                await asyncio.wait_for(ticket.told, 5)
        assert gathered.queued == gathered.under_way == 0

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
