"""The kit's filter: 16-bit binary fuse filters over 64-bit digests, in parts.

A digest belongs to the part that its highest bits name. A part is built by itself, so that the memory needed is that of
one part, not of the nation; it is what a device fetches at once, and checks by the digest that the kit's header holds.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from pyfusefilter import Fuse16
from pyfusefilter._xorfilter import ffi, lib  # the wrapper takes Python lists only: 5 GB at 100 million people

KIND = "binary_fuse16"
MOST_PARTS = 1024
_PART = 1_500_000  # entries wanted in one: 3.4 MB of filter, some 100 MB of memory while it is built
_AT_ONCE = 100_000


def parts_for(entries: int) -> int:
    """How many parts, a power of two."""
    return min(MOST_PARTS, 1 << ((max(entries, 1) - 1) // _PART).bit_length())


def build(lines: Iterable[bytes], key: bytes, parts: int) -> Iterator[tuple[int, bytes]]:
    """Entries and serialised filter of each part, of `lines` digested with `key`. Digests wait on disk, each part's in
    a file of its own, and hold nothing personal."""
    with ExitStack() as open_files, tempfile.TemporaryDirectory() as folder:
        files = [open_files.enter_context((Path(folder) / str(n)).open("w+b")) for n in range(parts)]
        for digests in _digests(lines, key):
            of_part = (digests >> np.uint64(64 - (parts.bit_length() - 1))) if parts > 1 else np.zeros_like(digests)
            for part in np.unique(of_part).tolist():
                digests[of_part == part].tofile(files[part])
        for file in files:
            file.flush()
            file.seek(0)
            found = np.unique(np.fromfile(file, dtype=np.uint64))
            file.truncate(0)
            yield len(found), one(found)


def one(digests: Any) -> bytes:
    """The filter of these digests (numpy uint64, each once)."""
    made = Fuse16(max(len(digests), 1))
    inner = made._Fuse16__filter
    if not lib.binary_fuse16_populate(ffi.from_buffer("uint64_t[]", digests), len(digests), inner):
        raise RuntimeError("the filter could not be built")
    return bytes(made.serialize())


def read(body: bytes) -> Fuse16:
    """Raises ValueError. The C reader trusts its input: lengths are compared with what stands in the filter first."""
    if len(body) < 28 or len(body) != _expected(body):
        raise ValueError("the filter is cut off")
    return Fuse16.deserialize(body)


def holds(filters: list[Fuse16], digest: int) -> bool:
    """Whether a digest is in the part that it belongs to; wrongly yes for 1 in 65,536."""
    found = filters[digest >> (64 - (len(filters).bit_length() - 1))] if len(filters) > 1 else filters[0]
    # Private members of the wrapper hold the C filter; Fuse16.contains would hash our digest once more.
    return bool(lib.binary_fuse16_contain(digest, found._Fuse16__filter))


def digest(key: bytes, line: bytes) -> bytes:
    """The eight bytes by which a line is known."""
    return hashlib.blake2b(line, digest_size=8, key=key).digest()


def _digests(lines: Iterable[bytes], key: bytes) -> Iterator[Any]:
    found = bytearray()
    for line in lines:
        found += hashlib.blake2b(line, digest_size=8, key=key).digest()
        if len(found) == 8 * _AT_ONCE:
            yield np.frombuffer(bytes(found), dtype=">u8").astype(np.uint64)
            found.clear()
    if found:
        yield np.frombuffer(bytes(found), dtype=">u8").astype(np.uint64)


def _expected(body: bytes) -> int:
    """How long a filter is by its own header: seed (8 bytes), five numbers of 4, padding of 4, fingerprints."""
    segment, segments, span, array = (int.from_bytes(body[at : at + 4], "little") for at in (12, 16, 20, 24))
    if segment == 0 or segment & (segment - 1) or span != segments * segment or array != span + 2 * segment:
        raise ValueError("the filter contradicts itself")
    return 32 + 2 * array
