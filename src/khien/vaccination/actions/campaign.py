"""From an order to a list of people: campaigns, allocation, sessions, calls, invitations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from khien import rulebook
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_, Message, translate
from khien.core.session import Session, begin
from khien.core.text import free_text
from khien.territory import store as territory
from khien.vaccination import due, programmes, sending
from khien.vaccination.refusal import refused_by
from khien.vaccination.store import stock
from khien.vaccination.store.campaign import SQL, call_checks, call_rules, campaign, vaccination_session
from khien.vaccination.store.doses import SQL as DOSES

_SUBJECT = N_("Invitation to vaccination on {day}")
_BODY = N_(
    "Dear {name}, you are invited to vaccination on {day} at {site} ({product}). Please bring your identity card."
)


def open_campaign(
    *, by: Actor, client_id: UUID, name: str, programme: str, vaccine_group: str, unit_id: int, starts_on: dt.date,
    ends_on: dt.date, document: str = "",
) -> int:  # fmt: skip
    """Begin a campaign for one vaccine group of a programme in a unit; its number. Replays change nothing."""
    by.must("campaign.manage")
    if not name.strip():
        raise _wrong("name", N_("Give the campaign a name."))
    if ends_on < starts_on:
        raise _wrong("ends_on", N_("Must not be before the first day."))
    if vaccine_group not in {g.name for g in programmes.find(programme).groups}:
        raise _wrong("vaccine_group", N_("The programme has no such vaccine group."))
    with begin(by) as session:
        _own_unit(session, unit_id)
        made = session.value(
            SQL.insert_campaign, client_id=client_id, name=name.strip(), programme=programme,
            vaccine_group=vaccine_group, unit_id=unit_id, starts_on=starts_on, ends_on=ends_on, document=document,
        )  # fmt: skip
        if made is not None:
            session.log("campaign.manage", campaign=made)
            return int(made)
        return int(session.value(SQL.campaign_by_message, client_id=client_id))


def allocate(
    *, by: Actor, client_id: UUID, campaign_id: int, product: str, doses: int, unit_id: int | None = None,
    site: str | None = None, document: str = "",
) -> None:  # fmt: skip
    """Promise doses to a unit or to a site. What lies below an allocated unit comes out of its allocation.

    Raises Refused where more is given on than was allocated; replays change nothing.
    """
    by.must("campaign.manage")
    if doses <= 0:
        raise _wrong("doses", N_("Must be a number above nought."))
    if (unit_id is None) == (site is None):
        raise _wrong("site", N_("Name a unit or a site."))
    with begin(by) as session:
        campaign(session, campaign_id)
        session.execute(SQL.lock_campaign, campaign_id=campaign_id)
        site_id, place = None, unit_id
        if site is not None:
            site_id, place = _site(session, site)
        else:
            assert unit_id is not None
            _own_unit(session, unit_id)
        told = (campaign_id, product, unit_id, site_id, doses)
        earlier = session.row(SQL.allocated, client_id=client_id)
        if earlier is not None:
            if tuple(earlier.values()) != told:
                raise refused_by(call_checks()["client_id_reused"])
            return
        if not session.value(DOSES.has_product, product=product):
            raise _wrong("product", N_("No such vaccine."))
        left = session.value(SQL.allocation_left, campaign_id=campaign_id, product=product, place=place, itself=unit_id)
        if left is not None and left < doses:
            raise refused_by(call_checks()["allocation_short"], left=max(left, 0))
        session.execute(
            SQL.insert_allocation, client_id=client_id, campaign_id=campaign_id, product=product, unit_id=unit_id,
            site_id=site_id, doses=doses, document=document, now=session.now, by=by.account_id,
        )  # fmt: skip
        session.log("campaign.manage", campaign=campaign_id, product=product, doses=doses)


def open_session(
    *, by: Actor, client_id: UUID, campaign_id: int, site: str, day: dt.date, product: str, places: int,
    kind: str = "site", lot_number: str | None = None,
) -> int:  # fmt: skip
    """A session at a site on a day; `kind`: 'site', 'mobile' (to the old and bedridden) or 'door'. Its number."""
    by.must("campaign.manage")
    if places <= 0:
        raise _wrong("places", N_("Must be a number above nought."))
    if kind not in ("site", "mobile", "door"):
        raise _wrong("kind", N_("Must be site, mobile or door."))
    with begin(by) as session:
        one = campaign(session, campaign_id)
        if not one["starts_on"] <= day <= one["ends_on"]:
            raise refused_by(call_checks()["day_outside_campaign"])
        site_id, _unit = _site(session, site)
        if not session.value(DOSES.has_product, product=product):
            raise _wrong("product", N_("No such vaccine."))
        if lot_number is not None:
            _known_lot(session, product, lot_number)
        made = session.value(
            SQL.insert_session, client_id=client_id, campaign_id=campaign_id, site_id=site_id, day=day, kind=kind,
            product=product, lot_number=lot_number, places=places,
        )  # fmt: skip
        if made is not None:
            session.log("campaign.manage", session=made)
            return int(made)
        return int(session.value(SQL.session_by_message, client_id=client_id))


def choose_lot(*, by: Actor, session_id: int, lot_number: str) -> None:
    """The lot that the session's desks give from now on."""
    by.must("desk.work")
    with begin(by) as session:
        one = vaccination_session(session, session_id)
        _known_lot(session, one["product"], lot_number)
        session.execute(SQL.set_lot, session_id=session_id, lot_number=lot_number)
        session.log("campaign.manage", session=session_id, lot=lot_number)


def call_people(*, by: Actor, session_id: int, units: Sequence[int] = ()) -> int:
    """Fill the session's places from those who are due in `units` (the site's own commune by default).

    By priority group, then by age, whole households at a time. Returns how many were called; calling again fills what
    is still free.
    """
    by.must("campaign.manage")
    with begin(by) as session:
        one = vaccination_session(session, session_id)
        session.execute(SQL.lock_session, session_id=session_id)
        if one["closed_at"] is not None:
            raise refused_by(call_checks()["session_closed"])
        area = territory.area_of(session, units or [one["unit_id"]])
        # Who will be due on the session's day.
        due.find_due(session, one["programme"], area, one["day"])
        called = session.rows(
            SQL.call_people, session_id=session_id, campaign_id=one["campaign_id"], programme=one["programme"],
            vaccine_group=one["vaccine_group"], product=one["product"], at_home=one["kind"] == "mobile",
            on=one["day"], now=session.now, **call_rules(one["programme"], one["day"]),
        )  # fmt: skip
        if called:
            session.log("campaign.manage", [row["person_id"] for row in called], session=session_id)
        return len(called)


def note_call(*, by: Actor, session_id: int, person_id: int, state: str, reason: str = "") -> None:
    """What came of calling somebody: 'refused' (with a reason), 'unreachable', or 'called' again."""
    by.must("desk.work")
    if state not in ("called", "refused", "unreachable"):
        raise _wrong("state", N_("Must be called, refused or unreachable."))
    if state == "refused" and not reason.strip():
        raise _wrong("reason", N_("Give the reason."))
    with begin(by) as session:
        vaccination_session(session, session_id)
        if not session.execute(
            SQL.set_call_state,
            session_id=session_id,
            person_id=person_id,
            state=state,
            reason=free_text(reason),
        ):
            raise NotFound(N_("This person is not on the session's list, or has been there already."))
        session.log("desk.work", [person_id], session=session_id, state=state)


def send_invitations(*, by: Actor, session_id: int, through: sending.Sender) -> dict[str, int]:
    """Invite everybody who is called and was not invited yet: {'sent': …, 'failed': …}.

    A message is queued in one transaction, sent, and noted as sent in another: after a crash in between it is sent
    again by the next call rather than lost.
    """
    by.must("campaign.manage")
    with begin(by) as session:
        vaccination_session(session, session_id)
        session.execute(SQL.lock_session, session_id=session_id)
        session.execute(SQL.queue_invitations, session_id=session_id)
        queued = session.rows(SQL.queued_invitations, session_id=session_id)
        if queued:
            session.log("campaign.manage", [row["person_id"] for row in queued], session=session_id, invited=True)
    done: dict[str, list[int]] = {"sent": [], "failed": []}
    for row in queued:
        try:
            through.send(_invitation(row))
        except OSError:  # SMTP's errors are OSErrors too
            done["failed"].append(row["person_id"])
        else:
            done["sent"].append(row["person_id"])
    with begin(by) as session:
        for result, people in done.items():
            session.execute(SQL.invited, session_id=session_id, result=result, people=people)
    return {result: len(people) for result, people in done.items()}


def _invitation(row: dict[str, Any]) -> sending.Message:
    told = {
        "day": f"{row['day']:%d/%m/%Y}", "name": row["name"], "site": row["site_name"],
        "product": rulebook.named(row["product_name"], "vi"),
    }  # fmt: skip
    return sending.Message(
        name=row["name"],
        email=row["email"] or "",
        address=", ".join(part for part in (row["address"], row["unit_name"]) if part),
        subject=translate(_SUBJECT, "vi", **told),
        body=translate(_BODY, "vi", **told),
    )


def _site(session: Session, code: str) -> tuple[int, int]:
    found = session.row(stock.SQL.site_by_code, code=code, area=session.actor.area)
    if found is None or not found["ours"]:
        raise _wrong("site", N_("No such vaccination site."))
    return found["site_id"], found["unit_id"]


def _own_unit(session: Session, unit_id: int) -> None:
    if not session.value("SELECT %(unit)s::int <@ %(area)s::int4multirange", unit=unit_id, area=session.actor.area):
        raise _wrong("unit_id", N_("Not a unit of your area."))


def _known_lot(session: Session, product: str, lot_number: str) -> None:
    if session.row(stock.SQL.lot, product=product, lot_number=lot_number) is None:
        raise _wrong("lot_number", N_("No such lot of this vaccine."))


def _wrong(field: str, message: Message) -> BadInput:
    return BadInput(message, faults=(Fault(field, message),))
