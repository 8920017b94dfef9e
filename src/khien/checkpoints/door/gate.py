"""Who asks: signatures of devices, sessions, clocks, replays. A message is not read before this let it through."""

from __future__ import annotations

import hmac
import re
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from khien.checkpoints.door import refusals, signing
from khien.checkpoints.door.replay import ReplayWindow, WindowFull

_CREDENTIALS = re.compile(
    r"Khien-(Device|Session) ([A-Za-z0-9_-]{1,120})\.([0-9]{1,12})\.([A-Za-z0-9_-]{8,32})\.([A-Za-z0-9_-]{43,86})"
)
_TOKEN = struct.Struct("!II32s")  # device, end of the session, the device's ephemeral key
_TAG = 16
_KEY_SECONDS = 5.0  # a device's key is asked again after so long; whether it may ask is asked at every check
_KEPT = 4096  # sessions and keys in memory, at most

Lookup = Callable[[int], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class _Session:
    device: int
    until: int
    codes: signing.Codes


class Gate:
    """`secret` is shared by all workers of a service: a session begun with one is good with all.

    `skew`: how many seconds a device's clock may be off, `session_seconds`: how long a session lasts.
    """

    def __init__(
        self, secret: bytes, replays: ReplayWindow, lookup: Lookup, *, skew: int, session_seconds: int
    ) -> None:
        self._private = X25519PrivateKey.from_private_bytes(_derive(secret, b"khien door x25519"))
        self._sealing = _derive(secret, b"khien door tokens")
        self.public = self._private.public_key().public_bytes_raw()
        self._replays, self._lookup, self._skew, self._session_seconds = replays, lookup, skew, session_seconds
        self._sessions: dict[str, _Session] = {}
        self._keys: dict[int, tuple[float, Ed25519PublicKey | None]] = {}

    def session_device(self, header: str | None, method: str, path: str, body: bytes) -> int | None:
        """The device of a request within a session; None for a request that the device signed itself.

        Raises Refusal for everything else. The fast road: no waiting, some 15 µs.
        """
        found = _CREDENTIALS.fullmatch(header) if header else None
        if found is None:
            raise refusals.no_credentials()
        scheme, token, stamp, nonce, code = found.groups()
        if scheme == "Device":
            return None
        at = self._check_clock(stamp)
        session = self._sessions.get(token) or self._open(token)
        if session.until < at:
            raise refusals.session_over()
        mark = _decode(code)
        expected = session.codes.of(signing.canonical(method, path, stamp, nonce, body))
        if not hmac.compare_digest(mark, expected):
            raise refusals.bad_signature()
        self._check_replay(mark, at)
        return session.device

    async def signed_device(
        self, header: str | None, method: str, path: str, body: bytes, *, fresh: bool = False
    ) -> int:
        """The device that signed a request with its own key. `fresh`: its key is asked of the database now."""
        found = _CREDENTIALS.fullmatch(header) if header else None
        if found is None or found[1] != "Device" or not found[2].isdigit() or len(found[2]) > 9:
            raise refusals.no_credentials()
        _, number, stamp, nonce, code = found.groups()
        device, at, mark = int(number), self._check_clock(stamp), _decode(code)
        key = await self._key(device, fresh)
        if key is None:
            raise refusals.bad_signature()
        try:
            key.verify(mark, signing.canonical(method, path, stamp, nonce, body))
        except InvalidSignature:
            raise refusals.bad_signature() from None
        self._check_replay(mark, at)
        return device

    def begin_session(self, device: int, ephemeral: bytes) -> tuple[str, int]:
        """Token and end (Unix time) of a session of a device that has just signed. Raises Refusal for a broken key."""
        until = int(time.time()) + self._session_seconds
        content = _TOKEN.pack(device, until, ephemeral)
        token = signing.encode(content + self._tag(content))
        self._open(token)
        return token, until

    def _open(self, token: str) -> _Session:
        sealed = _decode(token)
        content, tag = sealed[: _TOKEN.size], sealed[_TOKEN.size :]
        if len(content) != _TOKEN.size or not hmac.compare_digest(tag, self._tag(content)):
            raise refusals.session_over()
        device, until, ephemeral = _TOKEN.unpack(content)
        try:
            key = signing.session_key(self._private, ephemeral, token)
        except ValueError:
            raise refusals.no_credentials() from None
        session = _Session(device, until, signing.Codes(key))
        _keep(self._sessions, token, session)
        return session

    def _tag(self, content: bytes) -> bytes:
        return hmac.digest(self._sealing, content, "sha256")[:_TAG]

    def _check_clock(self, stamp: str) -> int:
        at, now = int(stamp), time.time()
        if abs(at - now) > self._skew:
            raise refusals.clock_off(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)))
        return at

    def _check_replay(self, mark: bytes, at: int) -> None:
        try:
            if not self._replays.is_new(mark, at):
                raise refusals.replayed()
        except WindowFull:
            raise refusals.busy() from None

    async def _key(self, device: int, fresh: bool) -> Ed25519PublicKey | None:
        asked_at, key = self._keys.get(device, (0.0, None))
        now = time.monotonic()
        if fresh or now - asked_at > _KEY_SECONDS or asked_at == 0.0:
            raw = await self._lookup(device)
            key = Ed25519PublicKey.from_public_bytes(raw) if raw else None
            _keep(self._keys, device, (now, key))
        return key


def _keep(kept: dict[Any, Any], key: object, value: object) -> None:
    """Bounded: the oldest goes first."""
    if len(kept) >= _KEPT:
        kept.pop(next(iter(kept)))
    kept[key] = value


def _decode(text: str) -> bytes:
    try:
        return signing.decode(text)
    except ValueError:
        raise refusals.no_credentials() from None


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose).derive(secret)
