"""Reading what vaccination keeps, by subject. Every function runs one named query of an .sql file of this package."""

from khien.vaccination.store.doses import (
    SQL,
    all_products,
    all_sites,
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
    "all_products",
    "all_sites",
    "dose_checks",
    "doses_of_person",
    "flag_titles",
    "products",
    "sites",
    "standing_dose",
    "usable_lots",
]
