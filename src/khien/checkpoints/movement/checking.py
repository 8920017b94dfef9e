"""Passes at the checkpoint: whether one holds, and the declaration behind it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from khien.checkpoints.movement import keys
from khien.checkpoints.movement.store import SQL
from khien.checkpoints.rules import passes
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session


@dataclass(frozen=True, slots=True)
class PassState:
    """`state`: valid, expired, revoked, unknown (signed by us, but not kept here) or forged."""

    state: str
    pass_id: UUID
    expires_at: dt.datetime


STATES = {
    "valid": N_("The pass is valid."),
    "expired": N_("The pass has expired."),
    "revoked": N_("The pass was revoked."),
    "unknown": N_("The pass is signed, but its declaration is not kept here."),
    "forged": N_("The pass is forged: no key of ours signed it."),
}


def verify_pass(session: Session, text: str) -> PassState:
    """Whether a scanned pass holds now. Raises BadInput for what is no pass."""
    a_pass, signature = passes.parse(text)
    if not keys.signed_by(a_pass, signature, keys.public_keys()):
        return PassState("forged", a_pass.pass_id, a_pass.expires_at)
    found = session.row(SQL.pass_facts, pass_id=a_pass.pass_id)
    if found is not None and found["revoked_at"] is not None:
        state = "revoked"
    elif a_pass.expires_at <= session.now:
        state = "expired"
    else:
        state = "valid" if found is not None else "unknown"
    return PassState(state, a_pass.pass_id, a_pass.expires_at)


def facts_of_pass(session: Session, pass_id: UUID) -> dict[str, Any]:
    """The declaration behind a pass, as an officer may see it. Logged. Raises NotFound."""
    session.actor.must("declaration.read")
    found = session.row(SQL.pass_facts, pass_id=pass_id)
    if found is None:
        raise NotFound
    session.log("declaration.read", [found["person_id"]] if found["person_id"] else [])
    return found
