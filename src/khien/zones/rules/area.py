"""What an order covers: units, households, and places within units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Whoever is registered at an address of a unit that holds these words: a hamlet, an alley, a block of flats."""

    unit_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Area:
    """`units` is an int4multirange literal of unit ids, whole subtrees as ranges; `{}` for none."""

    units: str = "{}"
    households: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def empty(self) -> bool:
        return self.units in ("", "{}") and not self.households and not self.places
