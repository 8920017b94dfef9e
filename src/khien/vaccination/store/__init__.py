"""Reading what vaccination keeps, by subject. Every function runs one named query of an .sql file of this package."""

from khien.vaccination.store.doses import (
    SQL,
    dose_checks,
    doses_of_person,
    flag_titles,
    products,
    sites,
    standing_dose,
    usable_lots,
)

__all__ = [
    "SQL",
    "dose_checks",
    "doses_of_person",
    "flag_titles",
    "products",
    "sites",
    "standing_dose",
    "usable_lots",
]
