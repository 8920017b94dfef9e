"""The pass in a QR: signed, compact, without personal data. One QR is declaration and pass.

    KP1:<base45 of: version 1 byte, key id 4, pass id 16, expiry 4, person mark 8, Ed25519 signature 64>

Base45 (RFC 9285) keeps a QR in its small alphanumeric mode. The person mark lets a device without network see that a
pass and a card belong together: a digest over what the card says, made with the pass id, so that two passes of one
person have nothing in common and nobody can be looked up by it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import struct
from dataclasses import dataclass
from uuid import UUID

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_
from khien.core.text import fold

PREFIX = "KP1:"
VERSION = 1
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_FORM = struct.Struct(">B4s16sI8s")
SIGNATURE = 64
_TEXT = re.compile(r"KP1:[0-9A-Z $%*+\-./:]{100,200}")


@dataclass(frozen=True, slots=True)
class Pass:
    """What a QR says. `mark` binds it to number, name and birth date; `key_id` names the key that signed it."""

    pass_id: UUID
    expires_at: dt.datetime
    mark: bytes
    key_id: bytes

    def signed_part(self) -> bytes:
        seconds = int(self.expires_at.timestamp())
        return _FORM.pack(VERSION, self.key_id, self.pass_id.bytes, seconds, self.mark)

    def belongs_to(self, number: str, name: str, born: str) -> bool:
        return self.mark == person_mark(self.pass_id, number, name, born)


def key_id(public_key: bytes) -> bytes:
    """The first four bytes of the key's SHA-256: enough to pick one of a handful."""
    return hashlib.sha256(public_key).digest()[:4]


def person_mark(pass_id: UUID, number: str, name: str, born: str) -> bytes:
    """`born` is ISO, as declared (2021-03-27, 2021-03 or 2021); the name counts folded."""
    facts = "\n".join((number, fold(name), born)).encode()
    return hashlib.blake2b(facts, digest_size=8, key=pass_id.bytes).digest()


def text_of(a_pass: Pass, signature: bytes) -> str:
    return PREFIX + base45(a_pass.signed_part() + signature)


def looks_like(text: str) -> bool:
    return text.strip().startswith(PREFIX)


def parse(text: str) -> tuple[Pass, bytes]:
    """The pass and its signature, which is not checked here. Raises BadInput, nothing else."""
    bare = text.strip("\r\n\t\ufeff")
    if not _TEXT.fullmatch(bare):
        raise _bad()
    raw = unbase45(bare[len(PREFIX) :])
    if len(raw) != _FORM.size + SIGNATURE or raw[0] != VERSION:
        raise _bad()
    _version, key, pass_id, seconds, mark = _FORM.unpack(raw[: _FORM.size])
    expires = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return Pass(UUID(bytes=pass_id), expires, mark, key), raw[_FORM.size :]


def base45(data: bytes) -> str:
    """RFC 9285."""
    letters = []
    for at in range(0, len(data) - 1, 2):
        value = data[at] * 256 + data[at + 1]
        letters += [_ALPHABET[value % 45], _ALPHABET[value // 45 % 45], _ALPHABET[value // 2025]]
    if len(data) % 2:
        letters += [_ALPHABET[data[-1] % 45], _ALPHABET[data[-1] // 45]]
    return "".join(letters)


def unbase45(text: str) -> bytes:
    """RFC 9285. Raises BadInput."""
    if len(text) % 3 == 1 or not set(text) <= _VALUE.keys():
        raise _bad()
    out = bytearray()
    for at in range(0, len(text), 3):
        part = [_VALUE[letter] for letter in text[at : at + 3]]
        value = sum(v * 45**place for place, v in enumerate(part))
        if value >= (65536 if len(part) == 3 else 256):
            raise _bad()
        out += value.to_bytes(2 if len(part) == 3 else 1, "big")
    return bytes(out)


def _bad() -> BadInput:
    message = N_("This is not a pass.")
    return BadInput(message, faults=(Fault("pass", message),))
