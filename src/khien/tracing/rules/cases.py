"""Life of a case and of a contact: which state may follow which, and who has to do what next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from khien.core.i18n import N_
from khien.rulebook import in_force, load

OPEN_CASE = ("suspected", "probable", "confirmed")

_CASE: Mapping[str, tuple[str, ...]] = {
    "suspected": ("probable", "confirmed", "refuted", "died"),
    "probable": ("confirmed", "refuted", "recovered", "died"),
    "confirmed": ("recovered", "died", "refuted"),
    "recovered": ("died",),
    "died": (),
    "refuted": (),
}
_CONTACT: Mapping[str, tuple[str, ...]] = {
    "listed": ("called", "visited", "sampled", "isolated", "not_found", "case", "withdrawn", "released"),
    "called": ("visited", "sampled", "isolated", "not_found", "case", "withdrawn", "released"),
    "visited": ("called", "sampled", "isolated", "not_found", "case", "withdrawn", "released"),
    "sampled": ("isolated", "case", "withdrawn", "released"),
    "isolated": ("sampled", "released", "case", "withdrawn"),
    "not_found": ("called", "visited", "sampled", "isolated", "case", "withdrawn", "released"),
    "released": ("case", "listed"),
    "withdrawn": ("listed", "case"),
    "case": ("withdrawn",),
}
OPEN_CONTACT = ("listed", "called", "visited", "sampled", "isolated", "not_found")

CASE_STATES = {
    "suspected": N_("Suspected"), "probable": N_("Probable"), "confirmed": N_("Confirmed (F0)"),
    "recovered": N_("Recovered"), "died": N_("Died"), "refuted": N_("Refuted"),
}  # fmt: skip
CONTACT_STATES = {
    "listed": N_("To call"), "called": N_("Called, to visit"), "visited": N_("Visited, to sample"),
    "sampled": N_("Sampled, to isolate"), "isolated": N_("In isolation"), "released": N_("Released"),
    "not_found": N_("Not found"), "case": N_("Became a case"), "withdrawn": N_("Withdrawn"),
}  # fmt: skip


def case_may_become(before: str, after: str) -> bool:
    return after in _CASE[before]


def contact_may_become(before: str, after: str) -> bool:
    return after in _CONTACT[before]


def definition(on: dt.date) -> Mapping[str, Any]:
    """The case definition in force on a day: rulebook/contacts/cases.toml."""
    return in_force(load("contacts", "cases")["definition"], on)[0]
