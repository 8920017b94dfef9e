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
    """The person's doses of one antigen, oldest first. `numbers[i]` is the place of record i in the person's doses."""

    __slots__ = ("live", "numbers", "person", "programme", "records")

    def __init__(self, programme: Programme, person: Person, antigen: str, ordered: list[int], live: list[int]) -> None:
        self.programme, self.person = programme, person
        self.live = live
        doses, birth = person.doses, person.birth
        self.numbers = [i for i in ordered if counts_for(programme, doses[i], antigen, birth)]
        self.records = [doses[i] for i in self.numbers]


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
