"""What cases, contacts and orders came to, step by step. Part of an action, never one by itself."""

from __future__ import annotations

from khien.core.session import Session
from khien.core.sql import Queries
from khien.core.text import free_text

_q = Queries("khien.tracing")


def note(
    session: Session, subject: str, person_id: int, cause: tuple[int, int], before: str | None, after: str,
    reason: str = "",
) -> None:  # fmt: skip
    """Keep what something came to. `cause` is the case: its person and number."""
    session.execute(
        _q.event, subject=subject, person_id=person_id, case_person_id=cause[0], case_id=cause[1], before=before,
        after=after, reason=free_text(reason), account=session.actor.account_id, now=session.now,
    )  # fmt: skip
