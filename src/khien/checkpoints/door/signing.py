"""What is signed, how, and the keys of a session. Both ends use this: the door, and clients written in Python.

    Authorization: Khien-Device <device>.<time>.<nonce>.<signature>     Ed25519 (RFC 8032) with the device's key
    Authorization: Khien-Session <token>.<time>.<nonce>.<code>          HMAC-SHA256 with the session's key

`time` is Unix time in whole seconds, `nonce` 8 to 32 letters or digits that never come twice in a second, signature and
code are base64url without padding. Both sign `canonical(...)`. A session begins with one signed request that carries an
ephemeral X25519 key; both ends derive the session's key from it (RFC 7748, HKDF RFC 5869), so that no secret travels.
A signature costs the door some 100 to 200 µs of processor time, a code 5 µs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORM = "khien-1"


def canonical(method: str, path: str, time: str, nonce: str, body: bytes) -> bytes:
    """The bytes that are signed; a change of any part changes them."""
    return f"{_FORM}\n{method}\n{path}\n{time}\n{nonce}\n{hashlib.sha256(body).hexdigest()}".encode()


class Codes:
    """Makes HMAC-SHA256 codes with one key: its first block is hashed once, not once a code."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")  # a longer key would have to be hashed first (RFC 2104); ours have 32 bytes
        self._inner = hashlib.sha256(bytes(b ^ 0x36 for b in block))
        self._outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))

    def of(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def encode(value: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The reverse of `encode`. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def device_authorization(
    key: Ed25519PrivateKey, device: int, method: str, path: str, time: int, nonce: str, body: bytes
) -> str:
    """The header of a request that the device signs itself."""
    signature = key.sign(canonical(method, path, str(time), nonce, body))
    return f"Khien-Device {device}.{time}.{nonce}.{encode(signature)}"


def session_authorization(key: bytes, token: str, method: str, path: str, time: int, nonce: str, body: bytes) -> str:
    """The header of a request within a session."""
    code = hmac.digest(key, canonical(method, path, str(time), nonce, body), "sha256")
    return f"Khien-Session {token}.{time}.{nonce}.{encode(code)}"


def session_key(private: X25519PrivateKey, other_public: bytes, token: str) -> bytes:
    """32 bytes that both ends derive. Raises ValueError for a public key that is none."""
    shared = private.exchange(X25519PublicKey.from_public_bytes(other_public))
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"{_FORM} session {token}".encode()).derive(shared)
