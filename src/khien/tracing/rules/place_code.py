"""The code on a place's poster: ours, signed, and those of other systems, kept as read.

    https://HOST/v/<base64url of: version 1 byte, key id 4, role 1, place 8, Ed25519 signature 64>

Any phone's camera opens ours. It names the place by a number that means nothing, and nobody who passes by.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from khien import rulebook
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_

VERSION = 1
SIGNATURE = 64
ROLES = ("guest", "keeper")
_FORM = struct.Struct(">B4sBQ")
_DOMAIN = b"khien place\n"  # no signature of another kind of message passes for one of these
_TOKEN = re.compile(r"[A-Za-z0-9_-]{104}")
_ADDRESS = re.compile(r"(?:https?://)?([^/?#\s]+)(/[^\s]*)?", re.IGNORECASE)
_PRINTED = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")  # other systems print ASCII


@dataclass(frozen=True, slots=True)
class PlaceCode:
    """Ours. `role`: guest (on the wall, guests scan it) or keeper (opens the page on which the keeper scans guests)."""

    place_id: int
    role: str
    key_id: bytes

    def signed_part(self) -> bytes:
        return _DOMAIN + self._packed()

    def _packed(self) -> bytes:
        return _FORM.pack(VERSION, self.key_id, ROLES.index(self.role), self.place_id)


@dataclass(frozen=True, slots=True)
class OtherCode:
    """Of another system: the text without scheme and upper case in the host. `system` is "" where it is not known."""

    text: str
    system: str = ""


def token(code: PlaceCode, signature: bytes) -> str:
    return base64.urlsafe_b64encode(code._packed() + signature).decode()


def parse_token(text: str) -> tuple[PlaceCode, bytes]:
    """The code and its signature, which is not checked here. Raises BadInput, nothing else."""
    if not _TOKEN.fullmatch(text):
        raise _bad()
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _bad() from None
    version, key, role, place_id = _FORM.unpack(raw[: _FORM.size])
    if version != VERSION or role >= len(ROLES) or not 0 < place_id < 2**63 or len(raw) != _FORM.size + SIGNATURE:
        raise _bad()
    return PlaceCode(place_id, ROLES[role], key), raw[_FORM.size :]


def parse(text: str, book: Mapping[str, Any] | None = None) -> tuple[PlaceCode, bytes] | OtherCode:
    """Whatever a poster says. Raises BadInput for what can be no code of a place, nothing else."""
    book = book or rulebook.load("contacts", "place_codes")
    bare = text.strip("\r\n\t \ufeff")
    if _TOKEN.fullmatch(bare):
        return parse_token(bare)
    if not _PRINTED.fullmatch(bare) or "|" in bare:  # a bar parts the fields of a person's code
        raise _bad()
    address = _ADDRESS.fullmatch(bare)
    if address is None or "." not in address[1] and ":" not in address[1]:
        return OtherCode(bare)
    host, path = address[1].lower(), address[2] or ""
    own = book["ours"]["path"]
    if path.startswith(own) and _TOKEN.fullmatch(path[len(own) :]):
        return parse_token(path[len(own) :])
    system = next((other["name"] for other in book["others"] if other["host"] == host), "")
    return OtherCode(host + path, system)


def format(code: OtherCode) -> str:  # noqa: A001 - beside `parse`, as for cards
    """The text that another system's code is kept under: `parse(format(c)) == c`."""
    return code.text


def _bad() -> BadInput:
    message = N_("This is not the code of a place.")
    return BadInput(message, faults=(Fault("code", message),))
