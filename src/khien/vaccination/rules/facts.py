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

    @property
    def place(self) -> tuple[int, bool, str, str, str]:
        """Its place in a history. Of several on one day none came first: their order must not hang on the input's."""
        return self.day, self.substandard, self.vaccine, self.mvx, self.trade_name


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

    `ordered` are all doses by day: some rules ask for those of other antigens (Td before Tdap). `live` are the places
    in the person's doses of all live vaccines.
    """

    __slots__ = ("live", "numbers", "ordered", "person", "programme", "records")

    def __init__(
        self, programme: Programme, person: Person, numbers: list[int], ordered: list[int], live: list[int]
    ) -> None:
        self.programme, self.person = programme, person
        self.numbers, self.ordered, self.live = numbers, ordered, live
        self.records = [person.doses[i] for i in numbers]

    def others_before(self, upto: int) -> list[Given]:
        """Doses of other antigens that came before the record `upto` (all, where that is past the last record)."""
        if len(self.ordered) == len(self.numbers):
            return []
        doses, found = self.person.doses, []
        end = self.numbers[upto] if upto < len(self.numbers) else None
        for number in self.ordered:
            if number == end:
                break
            if number not in self.numbers:
                found.append(doses[number])
        return found


def in_order(person: Person) -> list[int]:
    """The numbers of the doses up to the day of evaluation, oldest first."""
    days = [given.day for given in person.doses]
    ordered = sorted(range(len(days)), key=days.__getitem__)
    if len(set(days)) < len(days):
        ordered.sort(key=lambda i: person.doses[i].place)
    while ordered and days[ordered[-1]] > person.on:
        ordered.pop()
    return ordered


def by_antigen(programme: Programme, person: Person, ordered: list[int]) -> dict[str, list[int]]:
    """The numbers of the person's doses for each antigen, oldest first.

    A vaccine is a dose of those antigens that the programme maps it to at the age it was given.
    """
    found: dict[str, list[int]] = {}
    doses, vaccines, birth = person.doses, programme.vaccines, person.birth
    for number in ordered:
        given = doses[number]
        for span in vaccines.get(given.vaccine, ()):
            if span.from_age is not None and given.day < span.from_age.after(birth):
                continue
            if span.to_age is not None and given.day >= span.to_age.after(birth):
                continue
            numbers = found.setdefault(span.antigen, [])
            if not numbers or numbers[-1] != number:
                numbers.append(number)
    return found
