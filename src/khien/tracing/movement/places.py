"""Places that people check in at: registering them, their signed codes, and noting who comes and goes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from khien.checkpoints.movement import keys
from khien.checkpoints.rules import passes
from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, Fault, NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.population.rules.card import parse_card
from khien.rulebook import load
from khien.tracing.rules import place_code
from khien.tracing.rules.place_code import OtherCode, PlaceCode

_q = Queries("khien.tracing.movement")

PAGE = 50
DOOR = machine("epidemic-control", "visit.note")  # the public pages: may note, and read nothing
KINDS = {
    "market": N_("Market, shop"), "work": N_("Workplace"), "school": N_("School"), "hospital": N_("Hospital, clinic"),
    "hotel": N_("Hotel, lodging"), "restaurant": N_("Restaurant, café"), "worship": N_("Place of worship"),
    "travel": N_("Vehicle, station"), "office": N_("Public office"), "unknown": N_("Other"),
}  # fmt: skip
AIR = {
    "unknown": N_("Not known"), "open": N_("In the open air"), "natural": N_("Windows"),
    "mechanical": N_("Ventilation"), "closed": N_("Closed, air conditioning only"),
}  # fmt: skip


def add_place(
    *, by: Actor, client_id: UUID, name: str, unit_id: int, kind: str = "unknown", address: str = "",
    floor_area: int | None = None, ventilation: str = "unknown",
) -> int:  # fmt: skip
    """Register a place in the actor's area; its id. The same client_id again gives the same place. Raises NotFound for
    a unit outside the area, NotAllowed."""
    by.must("place.manage")
    code = f"K-{client_id.hex[:20]}"
    with begin(by) as session:
        made = session.value(_q.add_place, code=code, kind=kind, name=name, unit_id=unit_id, floor_area=floor_area,
                             ventilation=ventilation, address=address)  # fmt: skip
        if made is not None:
            session.log("place.manage", (), place=made)
            return int(made)
        found = session.row(_q.place_of_code, code=code)
        if found is None:
            raise NotFound
        return int(found["place_id"])


def close_place(*, by: Actor, place_id: int) -> None:
    """Its codes take nothing any more. Raises NotFound, NotAllowed."""
    by.must("place.manage")
    with begin(by) as session:
        if session.value(_q.close_place, place_id=place_id, now=session.now) is None:
            raise NotFound
        session.log("place.manage", (), place=place_id, closed=True)


def add_alias(*, by: Actor, place_id: int, text: str) -> OtherCode:
    """Make a place known under the code on another system's poster. Raises BadInput, NotFound, NotAllowed."""
    by.must("place.manage")
    code = place_code.parse(text)
    if not isinstance(code, OtherCode):
        raise _fault("code", N_("This is one of our own codes."))
    with begin(by) as session:
        place(session, place_id)
        session.execute(_q.add_alias, code=code.text, place_id=place_id)
        session.log("place.manage", (), place=place_id, alias=code.system or "other")
    return code


def place(session: Session, place_id: int) -> dict[str, Any]:
    """One place of the actor's area. Raises NotFound."""
    found = session.row(_q.place_of_area, place_id=place_id)
    if found is None:
        raise NotFound
    return found


def places(session: Session, text: str = "", *, page: int = 1) -> tuple[list[dict[str, Any]], int]:
    """A page of the area's places by name, and how many there are."""
    text = text.strip()
    rows = session.rows(_q.places, text=text, page=PAGE, offset=(page - 1) * PAGE)
    return rows, session.value(_q.count_places, text=text)


def open_ones(session: Session) -> list[dict[str, Any]]:
    """All open places of the area, by name."""
    rows, total = places(session)
    for page in range(2, -(-total // PAGE) + 1):
        rows += places(session, page=page)[0]
    return [row for row in rows if row["closed_at"] is None]


def path_of(place_id: int, role: str = "guest") -> str:
    """Path of the place's code, signed by the newest key: it follows the host on the poster."""
    key = keys.signing_key()
    code = PlaceCode(place_id, role, passes.key_id(key.public_key().public_bytes_raw()))
    return str(load("contacts", "place_codes")["ours"]["path"]) + place_code.token(code, key.sign(code.signed_part()))


def opened(session: Session, text: str, role: str | None = None) -> tuple[dict[str, Any], str]:
    """The open place of a scanned code and the role it gives. Raises NotFound for a forged, unknown or closed one, and
    for one of another role; BadInput for what is no code of a place."""
    code = place_code.parse(text)
    if isinstance(code, OtherCode):
        found, given = session.row(_q.place_of_code, code=code.text), "guest"
    else:
        mine, signature = code
        given = mine.role
        found = session.row(_q.place, place_id=mine.place_id) if _signed(mine, signature) else None
    if found is None or found["closed_at"] is not None or role not in (None, given):
        raise NotFound
    return found, given


def _signed(code: PlaceCode, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = keys.public_keys().get(code.key_id)
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, code.signed_part())
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Guest:
    """Who checks in, as a code or a form says it. One of: own record, pass, number or ending of a starred number."""

    number: str = field(default="", repr=False)
    ending: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    born_first: dt.date | None = field(default=None, repr=False)
    born_last: dt.date | None = field(default=None, repr=False)
    pass_id: UUID | None = None
    own: int | None = None


def guest_of(text: str) -> Guest:
    """What a scanned card, personal code or pass says. Raises BadInput for what names nobody."""
    if passes.looks_like(text):
        a_pass, signature = passes.parse(text)
        if not keys.signed_by(a_pass, signature, keys.public_keys()):
            raise _fault("card", N_("The pass is forged: no key of ours signed it."))
        return Guest(pass_id=a_pass.pass_id)
    card = parse_card(text)
    number = card.personal_number or card.old_number or card.insurance_number or card.provisional_id or card.passport
    if card.name is None or card.birth_date is None or not (number or card.masked_number):
        raise _fault(
            "card", N_("This says too little. Scan a card, a pass or a personal code, or type name and number.")
        )
    ending = (card.masked_number or "")[-6:] if not number else ""
    if "*" in ending:
        raise _fault(
            "card", N_("This says too little. Scan a card, a pass or a personal code, or type name and number.")
        )
    return Guest(number or "", ending, card.name, card.birth_date.first_day, card.birth_date.last_day)


def note(
    *, by: Actor, code: str, guest: Guest, role: str, leaving: bool = False, message: UUID | None = None
) -> dict[str, Any]:
    """Note that somebody came to the place of a code, or leaves it; the place. Nothing tells whether the register knows
    them. Raises NotFound for a code that opens nothing, BadInput, NotAllowed."""
    by.must("visit.note")
    with begin(by) as session:
        found, given = opened(session, code, role)
        session.execute(
            _q.note_visit, message=message or uuid4(), place_id=found["place_id"], moment=session.now, leaving=leaving,
            source=given, pass_id=guest.pass_id, number=guest.number, ending=guest.ending, name=guest.name,
            born_first=guest.born_first, born_last=guest.born_last, own=guest.own,
        )  # fmt: skip
    return found


def _fault(name: str, message: str) -> BadInput:
    return BadInput(message, faults=(Fault(name, message),))
