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
import struct
from pathlib import Path

_TABLES = 4
_PROBES = 32
_HEAD = 8  # bytes: which period the table holds
_SLOT = 8


class WindowFull(Exception):
    """More messages in one period than there are slots: refuse rather than forget."""


class ReplayWindow:
    """`slots` per period; a power of two. `period` in seconds, at least the accepted skew of clocks."""

    def __init__(self, path: Path, *, period: int, slots: int = 1 << 20, shared: bool = False) -> None:
        self._period, self._mask, self._shared = period, slots - 1, shared
        self._size = _HEAD + slots * _SLOT
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(descriptor).st_size != self._size * _TABLES:  # other settings than before: start anew
            os.ftruncate(descriptor, 0)
            os.ftruncate(descriptor, self._size * _TABLES)
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, self._size * _TABLES)
        self._word = struct.Struct("<Q")

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
        period = at // self._period
        base = period % _TABLES * self._size
        read, where = self._word.unpack_from, self._map
        if read(where, base)[0] != period:
            where[base : base + self._size] = bytes(self._size)
            self._word.pack_into(where, base, period)
        (value,) = self._word.unpack_from(mark)
        value = value or 1  # 0 marks a free slot
        first = value & self._mask
        for step in range(_PROBES):
            place = base + _HEAD + ((first + step) & self._mask) * _SLOT
            (held,) = read(where, place)
            if held == 0:
                self._word.pack_into(where, place, value)
                return True
            if held == value:
                return False
        raise WindowFull

    def close(self) -> None:
        self._map.close()
        os.close(self._descriptor)
