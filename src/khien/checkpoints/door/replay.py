"""Which messages were already seen: a window of fixed size in memory that all workers of a door share.

A message is known by the first 8 bytes of its signature or code, which its time and nonce are part of. Slots lie in a
file mapped by every worker, so that a message accepted by one is refused by the others, and also after a restart.
Time is cut into periods as long as the accepted skew; a message can be of the last, this or the next period (clocks
ahead), so four tables of slots are used in turn and the memory stays the same for ever.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path

_TABLES = 4
_PROBES = 32
_WORD = 8  # bytes of a slot, and of the head of a table


class WindowFull(Exception):
    """More messages in one period than there are slots: refuse rather than forget."""


class ReplayWindow:
    """`slots` per period; a power of two. `period` in seconds, at least the accepted skew of clocks."""

    def __init__(self, path: Path, *, period: int, slots: int = 1 << 20, shared: bool = False) -> None:
        self._period, self._mask, self._shared = period, slots - 1, shared
        self._size = (1 + slots) * _WORD
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(descriptor).st_size != self._size * _TABLES:  # other settings than before: start anew
            os.ftruncate(descriptor, 0)
            os.ftruncate(descriptor, self._size * _TABLES)
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, self._size * _TABLES)
        self._words = memoryview(self._map).cast("Q")

    def is_new(self, mark: bytes, at: int) -> bool:
        """Note a message of second `at` (Unix time, already found within the skew); False if it was noted before.

        Raises WindowFull.
        """
        if not self._shared:
            return self._note(mark, at)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            return self._note(mark, at)
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _note(self, mark: bytes, at: int) -> bool:
        period, words, mask = at // self._period, self._words, self._mask
        head = period % _TABLES * (mask + 2)  # the word that says which period the table holds
        if words[head] != period:
            self._map[head * _WORD : head * _WORD + self._size] = bytes(self._size)
            words[head] = period
        value = int.from_bytes(mark[:_WORD], "little") or 1  # 0 marks a free slot
        for step in range(_PROBES):
            place = head + 1 + ((value + step) & mask)
            held = words[place]
            if held == 0:
                words[place] = value
                return True
            if held == value:
                return False
        raise WindowFull

    def close(self) -> None:
        self._words.release()
        self._map.close()
        os.close(self._descriptor)
