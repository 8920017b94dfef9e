"""Keys of other systems: from the secret of a request to the actor behind it. And passwords that are handed over."""

from __future__ import annotations

import hashlib
import secrets
import time

from khien.access import actor
from khien.access.store import AGENCIES, SQL
from khien.core.actor import Actor, machine
from khien.core.errors import NotAllowed
from khien.core.session import begin

# A revoked key may open for so many seconds more; in return a request costs no look-up of rights.
_SECONDS = 10.0
_MOST = 10_000
_known: dict[bytes, tuple[float, Actor | None]] = {}


_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that are mistaken for each other on paper


def one_time_password() -> str:
    """Four groups of four, some 79 bits: to be read out once, and changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_LETTERS) for _letter in range(4)) for _group in range(4))


def digest_of(secret: str) -> bytes:
    """What is kept of a key. It is long and random, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def actor_of_key(secret: str) -> Actor | None:
    """Who acts with this key; None for one that is unknown, revoked or over."""
    digest, now = digest_of(secret), time.monotonic()
    until, found = _known.get(digest, (0.0, None))
    if until > now:
        return found
    found = _look_up(digest)
    if len(_known) >= _MOST:  # somebody tries keys: forget rather than grow
        _known.clear()
    _known[digest] = (now + _SECONDS, found)
    return found


def _look_up(digest: bytes) -> Actor | None:
    with begin(machine("administration")) as session:
        holder = session.row(SQL.key_holder, digest=digest)
    if holder is None:
        return None
    _today, held = actor.posts(holder["account_id"])
    try:
        found = actor.actor_for(holder["account_id"], holder["name"], held, holder["assignment_id"], holder["purpose"])
    except NotAllowed:  # the post has ended, or its role no longer serves the purpose
        return None
    # Once a day, so that whoever keeps the keys sees which are still needed.
    with begin(machine("administration")) as session:
        if session.execute(AGENCIES.key_used, key=holder["id"], today=session.today):
            session.log("account.api_key_used", key=holder["id"], account=holder["account_id"])
    return found
