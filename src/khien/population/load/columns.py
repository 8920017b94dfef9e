"""The columns of a register extract: one row a person. The reference page is made from this table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_


@dataclass(frozen=True, slots=True)
class Column:
    """`required` means that the header must have it; `length` is the most characters a value may have."""

    name: str
    length: int
    what: str
    required: bool = False


COLUMNS = (
    Column("personal_number", 40, "12 digits; empty for people without one", True),
    Column("provisional_id", 60, "the sender's own key of people without a personal number"),
    Column("name", 200, "as on the card, UTF-8", True),
    Column("birth_date", 40, "YYYY-MM-DD, YYYY-MM or YYYY", True),
    Column("sex", 20, "male, female, other or unknown; empty is unknown", True),
    Column("nationality", 20, "ISO 3166-1 alpha-3; empty is VNM"),
    Column("old_number", 40, "9-digit number of the old identity card (CMND)"),
    Column("insurance_number", 40, "health insurance: 10 digits, or 2 letters and 13 digits"),
    Column("card_kind", 20, "cmnd, cccd, cccd_chip or can_cuoc"),
    Column("card_issued_on", 40, "YYYY-MM-DD"),
    Column("card_expires_on", 40, "YYYY-MM-DD, last day of validity; empty if it does not expire"),
    Column("household", 100, "any text that members of one household share"),
    Column("relation", 20, "to the head: head, spouse, child, parent, sibling, grandparent, grandchild or other"),
    Column("commune", 20, "official code of the commune of permanent residence on the day of the extract", True),
    Column("address", 500, "below the commune: house, street, hamlet"),
    Column("temporary_commune", 20, "official code of the commune of temporary residence"),
    Column("temporary_address", 500, "below that commune"),
    Column("temporary_from", 40, "YYYY-MM-DD, first day"),
    Column("temporary_until", 40, "YYYY-MM-DD, last day; empty while open"),
    Column("stay_commune", 20, "official code of the commune of a stay under 30 days"),
    Column("stay_address", 500, "below that commune"),
    Column("stay_from", 40, "YYYY-MM-DD, first day"),
    Column("stay_until", 40, "YYYY-MM-DD, last day; empty while open"),
    Column("absent_from", 40, "YYYY-MM-DD, first day of a declared absence from the commune of permanent residence"),
    Column("absent_until", 40, "YYYY-MM-DD, last day; empty while open"),
    Column("died_on", 40, "YYYY-MM-DD"),
)
NAMES = tuple(c.name for c in COLUMNS)


def check_header(header: Sequence[str]) -> tuple[str, ...]:
    """The header as column names, in the order of the file. Raises BadInput naming every column that is wrong."""
    found = tuple(h.strip().lower() for h in header)
    faults = [Fault(c.name, N_("This column is missing."), 1) for c in COLUMNS if c.required and c.name not in found]
    for place, name in enumerate(found, 1):
        if name not in NAMES:
            faults.append(Fault(name or f"#{place}", N_("No such column is known."), 1))
        elif name in found[: place - 1]:
            faults.append(Fault(name, N_("This column stands twice."), 1))
    if faults:
        raise BadInput(N_("The columns of the file are not those of a register extract."), faults=tuple(faults))
    return found
