"""The kit: what a device needs to check people and passes without network, in one file.

    magic "KHKIT1\\n" · length of the header (8 bytes, big-endian) · header (JSON) · filter · signature (64 bytes)

The filter is a 16-bit binary fuse filter over 64-bit BLAKE2b digests of "number|name key|birth date", keyed anew for
each kit. It holds no personal data: it can be asked whether a complete triple is known, and answers yes to 1 in 65,536
that are not. Who has the kit has its key too and can try out triples, hence name and birth date beside the number.
The signature (Ed25519, by a key for passes) is over the SHA-512 of everything before it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyfusefilter import Fuse16
from pyfusefilter._xorfilter import ffi, lib  # the wrapper takes Python lists only: 5 GB at 100 million people

from khien import rulebook
from khien.checkpoints.movement import keys
from khien.checkpoints.movement.store import SQL
from khien.checkpoints.rules import passes
from khien.core import config
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.population.rules.names import name_key

MAGIC = b"KHKIT1\n"
VERSION = 1
_HEADER_MOST = 64 << 20
_SIGNATURE = 64


def place() -> Path:
    """Where the kit lies that the checkpoint page hands to devices."""
    return config.home() / "checkpoint.kit"


def make(path: Path, *, by: Actor) -> dict[str, Any]:
    """Write a fresh kit to `path`, whole or not at all; its header without the key. Logged."""
    by.must("kit.make")
    key = secrets.token_bytes(32)
    with begin(by, role="khien_loader") as session:
        digests = _digests(session, key)
        header = _header(session, key, len(digests))
        session.log("kit.make", kit=header["kit"], entries=len(digests))
    body = _filter(digests)
    header["filter"] = {"kind": "binary_fuse16", "bytes": len(body)}
    _write(path, json.dumps(header, ensure_ascii=False).encode(), body)
    return {k: v for k, v in header.items() if k != "key"} | {"bytes": path.stat().st_size}


def digest(key: bytes, line: bytes) -> bytes:
    """The eight bytes by which the filter knows a triple."""
    return hashlib.blake2b(line, digest_size=8, key=key).digest()


def line_of(number: str, name: str, born: str) -> bytes:
    """The triple as it is hashed: the name by its key (folded, given name first), the birth date ISO, maybe partial."""
    return f"{number}|{name_key(name)}|{born}".encode()


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit that was read and whose signature holds."""

    header: dict[str, Any]
    key: bytes = field(repr=False)
    expires_at: dt.datetime
    pass_keys: dict[bytes, bytes]
    revoked: frozenset[UUID]
    _filter: Fuse16 = field(repr=False)

    def knows(self, number: str, name: str, born: str) -> bool:
        """Whether the register had this triple when the kit was made; wrongly yes for 1 in 65,536 a form tried.

        A register that holds only the year or the month is asked by year and month too.
        """
        forms = dict.fromkeys((born, born[:7], born[:4]))
        return any(self._holds(line_of(number, name, form)) for form in forms)

    def state_of_pass(self, text: str, now: dt.datetime) -> str:
        """valid, expired, revoked, forged, or unknown_key: the pass is newer than this kit. Raises BadInput."""
        a_pass, signature = passes.parse(text)
        if a_pass.key_id not in self.pass_keys:
            return "unknown_key"
        if not keys.signed_by(a_pass, signature, self.pass_keys):
            return "forged"
        if a_pass.pass_id in self.revoked:
            return "revoked"
        return "expired" if a_pass.expires_at <= now else "valid"

    def grade_of(self, unit_id: int) -> int:
        """The highest zone grade of a unit; 1 where there is none."""
        return max((z["grade"] for z in self.header["zones"] if _inside(unit_id, z["area"])), default=1)

    def _holds(self, line: bytes) -> bool:
        # Private members of the wrapper hold the C filter; Fuse16.contains would hash our digest once more.
        inner = self._filter._Fuse16__filter
        return bool(lib.binary_fuse16_contain(int.from_bytes(digest(self.key, line), "big"), inner))


def read(path: Path, *, trusted: dict[bytes, bytes] | None = None) -> Kit:
    """Read a kit. `trusted` are the public keys that may have signed it; None: those that stand in it (a device that
    got its first kit by hand). Raises BadInput for anything that is not a whole, signed kit of a known version."""
    raw = path.read_bytes()
    start = len(MAGIC) + 8
    if len(raw) < start + _SIGNATURE or not raw.startswith(MAGIC):
        raise _bad()
    length = int.from_bytes(raw[len(MAGIC) : start], "big")
    if not 0 < length <= min(_HEADER_MOST, len(raw) - start - _SIGNATURE):
        raise _bad()
    try:
        header = json.loads(raw[start : start + length])
        kit = _parsed(header, raw[start + length : -_SIGNATURE])
        signer = (trusted if trusted is not None else kit.pass_keys)[bytes.fromhex(header["signer"])]
        Ed25519PublicKey.from_public_bytes(signer).verify(raw[-_SIGNATURE:], hashlib.sha512(raw[:-_SIGNATURE]).digest())
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        raise _bad() from None
    return kit


def _parsed(header: dict[str, Any], body: bytes) -> Kit:
    about = header["filter"]
    # The C reader trusts its input: lengths are compared with what stands in the filter before it sees it.
    if header["version"] != VERSION or about["kind"] != "binary_fuse16" or about["bytes"] != len(body):
        raise ValueError("not a kit of this version")
    if len(body) < 28 or len(body) != _expected(body):
        raise ValueError("the filter is cut off")
    return Kit(
        header=header,
        key=bytes.fromhex(header["key"]),
        expires_at=dt.datetime.fromisoformat(header["expires_at"]),
        pass_keys={passes.key_id(bytes.fromhex(k)): bytes.fromhex(k) for k in header["pass_keys"]},
        revoked=frozenset(UUID(r) for r in header["revoked"]),
        _filter=Fuse16.deserialize(body),
    )


def _expected(body: bytes) -> int:
    """How long a filter is by its own header: seed (8 bytes), five numbers of 4, padding of 4, fingerprints."""
    segment, segments, span, array = (int.from_bytes(body[at : at + 4], "little") for at in (12, 16, 20, 24))
    if segment == 0 or segment & (segment - 1) or span != segments * segment or array != span + 2 * segment:
        raise ValueError("the filter contradicts itself")
    return 32 + 2 * array


def _digests(session: Session, key: bytes) -> Any:
    """The digests of the register, each once, as numpy uint64."""
    found = bytearray()
    with session.connection.cursor().copy(SQL.kit_people) as lines:
        for line in lines:
            found += hashlib.blake2b(bytes(line).rstrip(b"\n"), digest_size=8, key=key).digest()
    return np.unique(np.frombuffer(found, dtype=">u8").astype(np.uint64))


def _filter(digests: Any) -> bytes:
    made = Fuse16(max(len(digests), 1))
    inner = made._Fuse16__filter
    if not lib.binary_fuse16_populate(ffi.from_buffer("uint64_t[]", digests), len(digests), inner):
        raise RuntimeError("the filter could not be built")
    return bytes(made.serialize())


def _header(session: Session, key: bytes, entries: int) -> dict[str, Any]:
    hours = rulebook.load("checkpoints", "passages")["kit"][-1]["hours"]
    now = session.now.replace(microsecond=0)
    signer = keys.signing_key().public_key().public_bytes_raw()
    return {
        "version": VERSION,
        "kit": str(uuid4()),
        "made_at": now.isoformat(),
        "expires_at": (now + dt.timedelta(hours=hours)).isoformat(),
        "entries": entries,
        "key": key.hex(),
        "signer": passes.key_id(signer).hex(),
        "pass_keys": [k.hex() for k in keys.public_keys().values()],
        "revoked": [str(r["pass_id"]) for r in session.rows(SQL.kit_revoked, at=now)],
        "zones": session.rows(SQL.kit_zones, day=session.today),
    }


def _write(path: Path, header: bytes, body: bytes) -> None:
    content = MAGIC + len(header).to_bytes(8, "big") + header + body
    signature = keys.signing_key().sign(hashlib.sha512(content).digest())
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)
            out.write(signature)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _inside(unit_id: int, area: str) -> bool:
    """Whether a PostgreSQL int4multirange literal, "{[1,5),[9,12)}", holds a unit."""
    for part in area.strip("{}").split("),"):
        low, _comma, high = part.strip("[()] ").partition(",")
        if low and high and int(low) <= unit_id < int(high):
            return True
    return False


def _bad() -> BadInput:
    message = N_("This is not a complete kit that we signed.")
    return BadInput(message, faults=(Fault("kit", message),))
