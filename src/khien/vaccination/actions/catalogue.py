"""Master data of vaccination: vaccines and sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from khien.core.actor import Actor
from khien.core.session import begin
from khien.vaccination import programmes
from khien.vaccination.store.doses import SQL


def load_products(*, by: Actor) -> int:
    """Bring the table of vaccines in line with rulebook/vaccines; returns how many there are. Safe to repeat."""
    by.must("programme.load")
    columns = ("product", "name", "disease", "cvx", "atc", "eu_code", "licensed_on", "primary_doses")
    vaccines = [{key: entry.get(key) for key in columns} for entry in programmes.products().values()]
    with begin(by, role="khien_owner") as session:
        with session.connection.cursor() as cursor:
            cursor.executemany(SQL.upsert_product, vaccines)
        session.log("programme.load", products=len(vaccines))
    return len(vaccines)


def add_sites(*, by: Actor, sites: Sequence[dict[str, Any]]) -> int:
    """Add or rename vaccination sites: dicts with code, name, unit_id, kind. Returns how many were sent."""
    by.must("site.manage")
    with begin(by) as session:
        session.execute(SQL.upsert_sites, {k: [s[k] for s in sites] for k in ("code", "name", "unit_id", "kind")})
        session.log("site.manage", sites=len(sites))
    return len(sites)
