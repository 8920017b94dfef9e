"""The kit: what a device needs to check people and passes without network, in one file.

    magic "KHKIT2\\n" · length of the header (8 bytes, big-endian) · header (JSON) · signature (64 bytes) · filter

The filter holds 64-bit BLAKE2b digests of "number|name key|birth date", keyed anew for each kit, and no personal data:
it can be asked whether a complete triple is known, and answers yes to 1 in 65,536 that are not. Who has the kit has its
key too and can try out triples, hence name and birth date beside the number.
Of those under an isolation order it holds "apart|" and the triple too, and of one in 256 of everybody else, always the
same ones within a month: an answer that asks to check online, and says nothing about anybody's health for certain.
The signature (Ed25519, by a key for passes) is over the SHA-512 of everything before it, and the header holds the
SHA-256 of every part: a device knows what it fetches before it fetches it, and fetches no part twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyfusefilter import Fuse16

from khien import rulebook
from khien.checkpoints.movement import filter as filters
from khien.checkpoints.movement import keys
from khien.checkpoints.movement.store import SQL
from khien.checkpoints.rules import passes
from khien.core import config
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.population.rules.names import name_key

MAGIC = b"KHKIT2\n"
VERSION = 2
_HEADER_MOST = 64 << 20
_SIGNATURE = 64


def place() -> Path:
    """Where the kit lies that the checkpoint page hands to devices."""
    return config.home() / "checkpoint.kit"


def make(path: Path, *, by: Actor) -> dict[str, Any]:
    """Write a fresh kit to `path`, whole or not at all; its header without the key. Logged."""
    by.must("kit.make")
    key = secrets.token_bytes(32)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.parts")
    parts: list[dict[str, Any]] = []
    entries = 0
    try:
        with begin(by, role="khien_loader") as session, _private(fresh) as body:
            header = _header(session, key)
            expected = int(session.value(SQL.kit_size))
            last = dt.datetime.fromisoformat(header["expires_at"]).date()
            session.execute(SQL.kit_apart, first=session.today, last=last, secret=_secret_of_year(session.today))
            for count, part in filters.build(_lines(session), key, filters.parts_for(expected)):
                body.write(part)
                parts.append({"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()})
                entries += count
            header |= {"entries": entries, "filter": {"kind": filters.KIND, "parts": parts}}
            session.log("kit.make", kit=header["kit"], entries=entries)
        _write(path, json.dumps(header, ensure_ascii=False).encode(), fresh)
    finally:
        fresh.unlink(missing_ok=True)
    return {k: v for k, v in header.items() if k not in ("key", "places")} | {"bytes": path.stat().st_size}


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
    _filters: list[Fuse16] = field(repr=False)

    def knows(self, number: str, name: str, born: str) -> bool:
        """Whether the register had this triple when the kit was made; wrongly yes for 1 in 65,536 a form tried.

        A register that holds only the year or the month is asked by year and month too.
        """
        return self._holds_any(b"", number, name, born)

    def maybe_apart(self, number: str, name: str, born: str) -> bool:
        """Whether to check online before letting through: yes for whoever is under an isolation order and for one in
        256 of everybody else."""
        return self._holds_any(b"apart|", number, name, born)

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

    def _holds_any(self, first: bytes, number: str, name: str, born: str) -> bool:
        forms = dict.fromkeys((born, born[:7], born[:4]))
        return any(self._holds(first + line_of(number, name, form)) for form in forms)

    def _holds(self, line: bytes) -> bool:
        return filters.holds(self._filters, int.from_bytes(filters.digest(self.key, line), "big"))


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
    end = start + length
    try:
        header = json.loads(raw[start:end])
        keys_of_kit = {passes.key_id(bytes.fromhex(k)): bytes.fromhex(k) for k in header["pass_keys"]}
        signer = (trusted if trusted is not None else keys_of_kit)[bytes.fromhex(header["signer"])]
        signed = hashlib.sha512(raw[:end]).digest()
        Ed25519PublicKey.from_public_bytes(signer).verify(raw[end : end + _SIGNATURE], signed)
        return _parsed(header, memoryview(raw)[end + _SIGNATURE :], keys_of_kit)
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        raise _bad() from None


def _parsed(header: dict[str, Any], body: memoryview, pass_keys: dict[bytes, bytes]) -> Kit:
    parts = header["filter"]["parts"]
    if header["version"] != VERSION or header["filter"]["kind"] != filters.KIND:
        raise ValueError("not a kit of this version")
    if not 0 < len(parts) <= filters.MOST_PARTS or len(parts) & (len(parts) - 1):
        raise ValueError("not a number of parts")
    if sum(part["bytes"] for part in parts) != len(body):
        raise ValueError("the filter is cut off")
    found, at = [], 0
    for part in parts:
        piece = bytes(body[at : at + part["bytes"]])
        if hashlib.sha256(piece).hexdigest() != part["sha256"]:
            raise ValueError("a part is not the one that was signed")
        found.append(filters.read(piece))
        at += len(piece)
    return Kit(
        header=header,
        key=bytes.fromhex(header["key"]),
        expires_at=dt.datetime.fromisoformat(header["expires_at"]),
        pass_keys=pass_keys,
        revoked=frozenset(UUID(r) for r in header["revoked"]),
        _filters=found,
    )


def _secret_of_year(day: dt.date) -> int:
    """By which others are named beside those under an order: a signed 64-bit number.

    The same all year: whoever is named in kits of two secrets is hardly there by chance. Another next year, so that it
    is not always the same who are asked to be checked online.
    """
    key = hashlib.sha256(config.secret_key().encode()).digest()
    return int.from_bytes(hashlib.blake2b(f"kit {day:%Y}".encode(), key=key, digest_size=8).digest(), signed=True)


def _lines(session: Session) -> Iterator[bytes]:
    with session.connection.cursor().copy(SQL.kit_people) as lines:
        for line in lines:
            yield bytes(line).rstrip(b"\n")


def _header(session: Session, key: bytes) -> dict[str, Any]:
    hours = rulebook.load("checkpoints", "passages")["kit"][-1]["hours"]
    now = session.now.replace(microsecond=0)
    signer = keys.signing_key().public_key().public_bytes_raw()
    return {
        "version": VERSION,
        "kit": str(uuid4()),
        "made_at": now.isoformat(),
        "expires_at": (now + dt.timedelta(hours=hours)).isoformat(),
        "entries": 0,
        "key": key.hex(),
        "signer": passes.key_id(signer).hex(),
        "pass_keys": [k.hex() for k in keys.public_keys().values()],
        "revoked": [str(r["pass_id"]) for r in session.rows(SQL.kit_revoked, at=now)],
        "zones": session.rows(SQL.kit_zones, day=session.today),
        # For who reads addresses on cards: "commune|province", folded, of every commune in a zone.
        "places": {r["place"]: r["grade"] for r in session.rows(SQL.kit_places, day=session.today)},
    }


def _write(path: Path, header: bytes, body: Path) -> None:
    head = MAGIC + len(header).to_bytes(8, "big") + header
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _private(fresh) as out, body.open("rb") as parts:
            out.write(head)
            out.write(keys.signing_key().sign(hashlib.sha512(head).digest()))
            shutil.copyfileobj(parts, out, 1 << 20)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _private(path: Path) -> BinaryIO:
    """A new file that nobody else may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


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
