"""How commands print rows."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from khien.cli import language, print_json
from khien.core.i18n import N_, translate

# What the columns are called for people; programs get the keys.
TITLES = {
    "address": N_("Address"),
    "after": N_("After"),
    "before": N_("Before"),
    "birth_date": N_("Birth date"),
    "called": N_("Called"),
    "campaign_id": N_("Number of the campaign"),
    "closed": N_("Closed"),
    "code": N_("Code"),
    "day": N_("Day"),
    "difference": N_("Difference"),
    "document": N_("Document"),
    "dose_id": N_("Number of the dose"),
    "dose_kind": N_("Kind of dose"),
    "dose_number": N_("Dose"),
    "doses": N_("Number of doses"),
    "due": N_("Due"),
    "earliest": N_("Earliest"),
    "email": N_("Email"),
    "ends_on": N_("Last day"),
    "fact_id": N_("Number of the entry"),
    "from_code": N_("Code of the unit left"),
    "from_day": N_("First day"),
    "from_name": N_("Unit left"),
    "from_unit": N_("Id of the unit left"),
    "given": N_("Given"),
    "given_on": N_("Day of the dose"),
    "grade": N_("Grade"),
    "group": N_("Vaccine group"),
    "holds": N_("Holds today"),
    "in_force": N_("In force"),
    "invited": N_("Invited"),
    "kind": N_("Kind"),
    "late": N_("Recorded late"),
    "lot_number": N_("Lot"),
    "name": N_("Name"),
    "now": N_("Holds today"),
    "open": N_("Of them open"),
    "partition": N_("Partition"),
    "past_due": N_("Past due"),
    "people": N_("People"),
    "person_id": N_("Number in the register"),
    "phone": N_("Phone"),
    "places": N_("Places"),
    "priority": N_("Priority group"),
    "product": N_("Code of the vaccine"),
    "product_name": N_("Vaccine"),
    "programme": N_("Programme"),
    "recommended": N_("Recommended"),
    "recorded": N_("Recorded"),
    "recorded_at": N_("Recorded at"),
    "refused": N_("Refused"),
    "session_id": N_("Number of the session"),
    "signed_by": N_("Signed by"),
    "since": N_("Since"),
    "site_name": N_("Vaccination site"),
    "source": N_("Told by"),
    "starts_on": N_("First day"),
    "state": N_("State"),
    "status": N_("Status"),
    "stock": N_("Doses in stock"),
    "tasks": N_("Tasks"),
    "to_code": N_("Code of the unit reached"),
    "to_name": N_("Unit reached"),
    "to_unit": N_("Id of the unit reached"),
    "unit_id": N_("Id of the unit"),
    "unit_name": N_("Unit"),
    "until": N_("No longer from"),
    "until_day": N_("No longer from"),
    "used": N_("Used"),
    "vaccine_group": N_("Vaccine group"),
    "walk_in": N_("Came without being called"),
    "wasted": N_("Thrown away"),
    "withdrawn": N_("Withdrawn"),
    "within": N_("Within"),
    "zone_id": N_("Number of the zone"),
}


def titled(*titles: str) -> Table:
    """A table with these English titles, in the terminal's language."""
    return Table(*(translate(title, language()) for title in titles))


def print_rows(rows: list[dict[str, Any]], as_json: bool, *, name: str = TITLES["name"]) -> None:
    """Rows with the same keys, as a table or as JSON. `name`: what has the names, where they are not of people."""
    if as_json:
        print_json(rows)
        return
    titles = TITLES | {"name": name}
    table = titled(*(titles.get(key, key) for key in (rows[0] if rows else ())))
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    Console().print(table)
