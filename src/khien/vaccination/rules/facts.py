"""What is known of a person, and how their doses look to one antigen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from khien.vaccination.rules.model import Programme


@dataclass(frozen=True, slots=True)
class Given:
    """A dose that was given. `day` is an ordinal. `vaccine` is a code of the programme's vocabulary."""

    day: int
    vaccine: str
    mvx: str = ""
    trade_name: str = ""
    volume: float | None = None
    substandard: bool = False  # expired lot, broken cold chain: it was given, it cannot count


@dataclass(frozen=True, slots=True)
class Person:
    """`birth` and `on` (the day of evaluation) are ordinals. `observations`: what is known of the person, by the
    programme's code, with the day where it matters (an infection, the onset of a pregnancy)."""

    birth: int
    on: int
    sex: str = "unknown"  # 'female', 'male', 'unknown'
    doses: tuple[Given, ...] = ()
    observations: Mapping[str, int | None] = field(default_factory=dict)
    birth_country: str = ""


class History:
    """The person's doses of one antigen, oldest first. `numbers[i]` is the place of record i in the person's doses.

    `places[i]` is its place among all doses by day; `others` are the doses of other antigens, by place: some rules ask
    for them (Td before Tdap). `live` are the places in the person's doses of all live vaccines.
    """

    __slots__ = ("live", "numbers", "others", "person", "places", "programme", "records")

    def __init__(self, programme: Programme, person: Person, antigen: str, ordered: list[int], live: list[int]) -> None:
        self.programme, self.person = programme, person
        self.live = live
        self.records: list[Given] = []
        self.numbers: list[int] = []
        self.places: list[int] = []
        self.others: list[tuple[int, Given]] = []
        for place, number in enumerate(ordered):
            given = person.doses[number]
            if counts_for(programme, given, antigen, person.birth):
                self.records.append(given)
                self.numbers.append(number)
                self.places.append(place)
            else:
                self.others.append((place, given))

    def others_before(self, upto: int) -> list[Given]:
        """Doses of other antigens that came before the record `upto` (all, where that is past the last record)."""
        if not self.others:
            return []
        end = self.places[upto] if upto < len(self.places) else None
        return [given for place, given in self.others if end is None or place < end]


def counts_for(programme: Programme, given: Given, antigen: str, birth: int) -> bool:
    """A vaccine is a dose of those antigens that the programme maps it to at the age it was given."""
    for span in programme.vaccines.get(given.vaccine, ()):
        if span.antigen == antigen:
            if span.from_age is not None and given.day < span.from_age.after(birth):
                continue
            if span.to_age is not None and given.day >= span.to_age.after(birth):
                continue
            return True
    return False
