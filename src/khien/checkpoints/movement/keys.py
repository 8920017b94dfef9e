"""The keys that sign passes: Ed25519, in our own folder, readable by us alone. The newest signs, all of them verify."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from khien.checkpoints.rules import passes
from khien.core import config

_SIZE = 32


def folder() -> Path:
    return config.home() / "pass-keys"


def signing_key() -> Ed25519PrivateKey:
    """The newest key; made when there is none."""
    found = _files()
    return Ed25519PrivateKey.from_private_bytes((found[-1] if found else add_key()).read_bytes())


def add_key() -> Path:
    """Make a new key, which signs from now on. Passes signed by older ones stay valid."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = Ed25519PrivateKey.generate().private_bytes_raw()
    while True:
        # Numbered, because clocks of several machines do not agree on which key is newest.
        kept = place / f"{len(_files()) + 1:04}.key"
        fresh = place / f".{os.getpid()}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(secret)
        try:
            os.link(fresh, kept)  # whole or not at all: another process never reads half a key
        except FileExistsError:
            if len(_files()) == 1:  # two processes made the first one at once: theirs will do
                return kept
            continue
        finally:
            fresh.unlink(missing_ok=True)
        return kept


def public_keys() -> dict[bytes, bytes]:
    """Public keys by key id."""
    raw = [Ed25519PrivateKey.from_private_bytes(f.read_bytes()).public_key().public_bytes_raw() for f in _files()]
    return {passes.key_id(key): key for key in raw}


def signed_by(a_pass: passes.Pass, signature: bytes, keys: dict[bytes, bytes]) -> bool:
    """Whether one of these public keys signed the pass."""
    key = keys.get(a_pass.key_id)
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, a_pass.signed_part())
    except InvalidSignature:
        return False
    return True


def _files() -> list[Path]:
    return sorted(f for f in folder().glob("[0-9]*.key") if f.stat().st_size == _SIZE)
