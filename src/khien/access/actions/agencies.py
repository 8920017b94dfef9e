"""Agencies: made, renamed, moved, closed and opened again. Each needs "account.manage" in the agency's area."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from khien.access.rules import mark
from khien.access.store import ACCOUNTS, AGENCIES
from khien.access.writing import at_field, known_unit, save, writing
from khien.core.actor import Actor
from khien.core.errors import NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.text import nfc

if TYPE_CHECKING:
    from khien.access.models import Agency


_LOGGED = {"name": "name", "kind": "kind", "unit_id": "unit"}


def add_agency(*, by: Actor, code: str, name: str, kind: str, unit_id: int | None = None) -> int:
    """A new agency. Raises BadInput by field. Returns its id."""
    by.must("account.manage")
    from khien.access.models import Agency

    with writing(by) as session:
        _inside(session, unit_id)
        agency = Agency(code=code, name=nfc(name), kind=kind, unit_id=unit_id)
        save(session, agency, "account.agency", lambda: {"agency": agency.pk})
    return int(agency.pk)


def change_agency(*, by: Actor, agency_id: int, name: str, kind: str, unit_id: int | None) -> None:
    """Another name, kind or area. What stood there before is kept until the next change, see `take_back_agency`.

    Raises NotFound, BadInput by field. The code stays: files and other systems know the agency by it.
    """
    by.must("account.manage")
    with writing(by) as session:
        _change(session, _agency(session, agency_id), {"name": nfc(name), "kind": kind, "unit_id": unit_id})


def take_back_agency(*, by: Actor, agency_id: int, to: str) -> None:
    """Take the last change back, which replaced what `to` is the mark of (`rules.mark`). Once that stands there again,
    nothing is changed: a button pressed twice does not undo itself.

    Raises NotFound, Refused where the last change was another one, BadInput.
    """
    by.must("account.manage")
    with writing(by) as session:
        agency = _agency(session, agency_id)
        if agency.previous is None:
            raise Refused(N_("There is no change to take back."), rule="no_change")
        if to == mark({name: getattr(agency, name) for name in agency.previous}):
            return
        if to != mark(agency.previous):
            raise Refused(
                N_("The agency was changed meanwhile. Look at it before you take a change back."),
                rule="changed_meanwhile",
            )  # fmt: skip
        _change(session, agency, agency.previous)


def close_agency(*, by: Actor, agency_id: int, last_day: dt.date) -> None:
    """Let an agency work until `last_day` and no longer. Nothing is deleted: posts and the log name it.

    Raises NotFound, Refused while a post in it goes on after that day.
    """
    by.must("account.manage")
    with writing(by) as session:
        session.execute(AGENCIES.stand_in_line, agency=agency_id)
        agency = _agency(session, agency_id)
        longer = session.row(AGENCIES.posts_after, agency=agency_id, day=last_day, today=session.today) or {}
        if longer["posts"]:
            message = N_("Posts in this agency that go on after that day: {count}. Set their last days first.")
            if longer["hidden"]:
                message = N_(
                    "Posts in this agency that go on after that day: {count}. Set their last days first; {hidden} of"
                    " them belong to accounts that only an administrator of a wider area manages: ask that"
                    " administrator."
                )
            raise Refused(message, rule="posts_go_on", count=longer["posts"], hidden=longer["hidden"])
        agency.valid_until = last_day
        save(session, agency, "account.agency_close", lambda: {"agency": agency_id, "last": str(last_day)})


def reopen_agency(*, by: Actor, agency_id: int) -> None:
    """Let a closed agency work again. Raises NotFound."""
    by.must("account.manage")
    with writing(by) as session:
        agency = _agency(session, agency_id)
        if agency.valid_until is not None:
            agency.valid_until = None
            save(session, agency, "account.agency_open", lambda: {"agency": agency_id})


def _agency(session: Session, agency_id: int) -> Agency:
    """An agency inside the actor's area, locked until the transaction ends."""
    from khien.access.models import Agency

    found = Agency.objects.select_for_update().filter(pk=agency_id).first()
    if found is None or not session.value(ACCOUNTS.within, unit=found.unit_id):
        raise NotFound
    return found


def _change(session: Session, agency: Agency, values: dict[str, Any]) -> None:
    _inside(session, values["unit_id"])
    before = {name: getattr(agency, name) for name in values}
    changed = [name for name, value in values.items() if value != before[name]]
    if not changed:
        return
    for name, value in values.items():
        setattr(agency, name, value)
    agency.previous = before
    told: dict[str, Any] = {"agency": agency.pk}
    for name in changed:
        told |= {f"agency_{_LOGGED[name]}": values[name], f"agency_{_LOGGED[name]}_was": before[name]}
    save(session, agency, "account.agency_change", lambda: told)


def _inside(session: Session, unit_id: int | None) -> None:
    if not session.value(ACCOUNTS.within, unit=known_unit(session, unit_id)):
        raise at_field("unit", N_("The agency lies outside your own area."))
