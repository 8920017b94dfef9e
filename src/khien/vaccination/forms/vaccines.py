"""Vaccines as choices of a form, by what the page's language calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language

from khien import rulebook


def vaccine_choices(products: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(p["product"], vaccine_name(p["name"])) for p in products]


def lot_choices(lots: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """ "product|lot", so that a lot can never be chosen with another vaccine's name."""
    return [
        (f"{lot['product']}|{lot['lot_number']}",
         f"{vaccine_name(names.get(lot['product'], lot['product']))} · {lot['lot_number']}")
        for lot in lots
    ]  # fmt: skip


def vaccine_name(name: str) -> str:
    return rulebook.named(name, get_language() or "vi")
