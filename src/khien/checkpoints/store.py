"""Reading what checkpoints keep: who may ask, from where."""

from __future__ import annotations

from typing import Any

from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries

SQL = Queries("khien.checkpoints")


def checkpoints(session: Session) -> list[dict[str, Any]]:
    """Keys of `checkpoints` in queries.sql."""
    return session.rows(SQL.checkpoints)


def checkpoint(session: Session, code: str) -> dict[str, Any]:
    """checkpoint_id, code, name, unit_id, agency_id. Raises NotFound."""
    found = session.row(SQL.checkpoint_by_code, code=code)
    if found is None:
        raise NotFound(N_("There is no checkpoint {checkpoint}."), checkpoint=code)
    return found


def devices(session: Session, checkpoint_code: str | None = None) -> list[dict[str, Any]]:
    """device_id, checkpoint, label, public_key (hex), added_at, revoked_at (UTC). Raises NotAllowed, NotFound."""
    session.actor.must("checkpoint.manage")
    if checkpoint_code is not None:
        checkpoint(session, checkpoint_code)
    return session.rows(SQL.devices, checkpoint=checkpoint_code)
