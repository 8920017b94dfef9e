"""The symptom diary of a contact: a code that opens it without an account, its entries, and the calls they ask for."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.tracing import care
from khien.tracing.rules import diary
from khien.tracing.rules.cases import OPEN_CONTACT

_q = Queries("khien.tracing.movement")
_care = Queries("khien.tracing")

DOOR = machine("epidemic-control", "diary.write")  # the public page: may write where a code opens, and read nothing
_CODE = re.compile(r"[A-Za-z0-9_-]{22}")


def make_code(*, by: Actor, person_id: int) -> tuple[str, dt.date, str]:
    """A fresh code that opens the diary of somebody who is followed, the first day it opens no more, and the name for
    the print. The code is not kept. Raises NotFound, Refused for somebody who is not followed, NotAllowed."""
    by.must("contact.work")
    with begin(by) as session:
        found = session.row(_q.followed, person_id=person_id, states=list(OPEN_CONTACT))
        if found is None:
            raise NotFound
        if not found["followed"]:
            raise Refused(N_("Only somebody who is followed as a contact keeps a diary."), rule="diary_followed")
        isolation = session.row(_care.open_isolation, person_id=person_id)
        ends_on = diary.closes_on(session.today, isolation["watch_until"] if isolation else None)
        code = secrets.token_urlsafe(16)
        session.execute(_q.add_diary_link, person_id=person_id, digest=_digest(code), now=session.now,
                        account=by.account_id, ends_on=ends_on)  # fmt: skip
        session.log("contact.work", [person_id], diary_code=True)
    return code, ends_on, str(found["name"])


def opened(session: Session, code: str) -> dict[str, Any]:
    """What a code opens: made_on, ends_on, isolated_until (or None). No name. Raises NotFound."""
    found = session.row(_q.diary_of, digest=_digest(code), today=session.today) if _CODE.fullmatch(code) else None
    if found is None:
        raise NotFound
    return found


def write(
    *,
    by: Actor,
    code: str,
    client_id: UUID,
    symptoms: Sequence[str],
    temperature: Decimal | None = None,
    remark: str = "",
) -> bool:
    """An entry by the contact; whether it asks the commune for a call. The same client_id again changes nothing.
    Raises NotFound for a code that opens nothing, BadInput for a symptom that is not asked, NotAllowed."""
    by.must("diary.write")
    with begin(by) as session:
        person = opened(session, code)["person_id"]
        known = diary.rule_on(session.today)["symptoms"]
        if not set(symptoms) <= known.keys():
            message = N_("This symptom is not asked for.")
            raise BadInput(message, faults=(Fault("symptoms", message),))
        care.note_symptoms(
            by=machine("epidemic-control", "contact.work"), person_id=person, client_id=client_id, symptoms=symptoms,
            temperature=temperature, remark=remark,
        )  # fmt: skip
        return diary.alarming(symptoms, temperature, session.today)


def alarms(session: Session) -> list[dict[str, Any]]:
    """Entries of people of the area that ask for a call and that nobody has answered. Logged."""
    rows = session.rows(_q.alarms)
    if rows:
        session.log("contact.read", sorted({row["person_id"] for row in rows}), diary=True)
    return rows


def answered(*, by: Actor, person_id: int) -> None:
    """The commune has called about a person's entries. Raises NotFound where none waits, NotAllowed."""
    by.must("contact.work")
    with begin(by) as session:
        if not session.execute(_q.see_alarms, person_id=person_id, now=session.now, account=by.account_id):
            raise NotFound
        session.log("contact.work", [person_id], diary_answered=True)


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
