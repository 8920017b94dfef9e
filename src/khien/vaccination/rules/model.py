"""The parts of a programme, as the engine reads them. All frozen; the terms are those of the CDSi logic specification.

`document` is the id of the programme's legal or medical source. `valid_from` and `valid_until` are ordinals, both days
included: a dose is judged by the rules of its day, a forecast by those of the day of evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from khien.vaccination.rules.periods import Period

FIRST_DAY, LAST_DAY = 1, 3652059


@dataclass(frozen=True, slots=True)
class Rule:
    """What every dated rule carries."""

    document: str = ""
    verified: bool = True
    valid_from: int = FIRST_DAY
    valid_until: int = LAST_DAY

    def holds(self, day: int) -> bool:
        return self.valid_from <= day <= self.valid_until

    @property
    def always(self) -> bool:
        return self.valid_from == FIRST_DAY and self.valid_until == LAST_DAY


@dataclass(frozen=True, slots=True)
class AgeRule(Rule):
    absolute_min: Period | None = None  # grace included: younger never counts
    min: Period | None = None
    earliest: Period | None = None  # first recommended age
    latest: Period | None = None  # past due from here on
    max: Period | None = None  # from here on too old


@dataclass(frozen=True, slots=True)
class IntervalRule(Rule):
    """From exactly one reference: the dose before, a target dose, the latest of some vaccines, an observation."""

    after_previous: bool = False
    after_dose: int = 0
    after_vaccines: frozenset[str] = frozenset()
    after_observations: frozenset[str] = frozenset()
    when_previous: frozenset[str] = frozenset()  # only where the dose before was one of these vaccines
    from_age: Period | None = None  # only at these ages
    to_age: Period | None = None
    absolute_min: Period | None = None
    min: Period | None = None
    earliest: Period | None = None
    latest: Period | None = None
    override: bool = False
    plain: bool = False  # it holds on every day, at every age and after every vaccine


@dataclass(frozen=True, slots=True)
class VaccineRule(Rule):
    vaccine: str = ""  # code of the programme's vocabulary: a CVX code or a product
    name: str = ""
    from_age: Period | None = None
    to_age: Period | None = None
    trade_name: str = ""
    mvx: str = ""
    volume: float | None = None  # millilitres; less is recorded as a remark, the dose counts
    recommend: bool = False  # named in the forecast
    after: frozenset[str] = frozenset()  # allowed predecessors (mixing); empty = any
    plain: bool = False  # nothing but the ages decides whether it may be given

    def in_ages(self, birth: int, day: int) -> bool:
        if self.from_age is not None and day < self.from_age.after(birth):
            return False
        return self.to_age is None or day < self.to_age.after(birth)


@dataclass(frozen=True, slots=True)
class Condition:
    kind: str  # 'age', 'interval', 'count', 'completed_series', 'observation'
    start: int = FIRST_DAY
    end: int = LAST_DAY
    from_age: Period | None = None
    to_age: Period | None = None
    interval: Period | None = None
    count: int = 0
    compare: str = ""  # 'more', 'exactly', 'fewer'
    valid_only: bool = False
    vaccines: frozenset[str] = frozenset()
    series_groups: frozenset[str] = frozenset()
    observations: frozenset[str] = frozenset()  # one of them is known of the person
    absent: bool = False  # none of them is


@dataclass(frozen=True, slots=True)
class SkipSet(Rule):
    conditions: tuple[Condition, ...] = ()
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Skip:
    """When a target dose need not be given. `context`: 'evaluation', 'forecast' or 'both'."""

    context: str
    sets: tuple[SkipSet, ...]
    any_of: bool = True
    text: str = ""


@dataclass(frozen=True, slots=True)
class TargetDose:
    number: int
    kind: str = "primary"  # 'primary', 'additional', 'booster'
    ages: tuple[AgeRule, ...] = ()
    intervals: tuple[IntervalRule, ...] = ()
    allowable_intervals: tuple[IntervalRule, ...] = ()
    preferable: Mapping[str, tuple[VaccineRule, ...]] = field(default_factory=dict)  # by vaccine code
    allowable: Mapping[str, tuple[VaccineRule, ...]] = field(default_factory=dict)
    taken: Mapping[str, tuple[VaccineRule, ...]] = field(default_factory=dict)  # preferable, then allowable
    inadvertent: frozenset[str] = frozenset()
    skips_evaluation: tuple[Skip, ...] = ()
    skips_forecast: tuple[Skip, ...] = ()
    recurring: bool = False
    season: tuple[int, int] | None = None  # first and last day recommended
    yearly: bool = False  # the season comes every year (rules/season.py)
    recommended: tuple[VaccineRule, ...] = ()  # the preferable ones to name in a forecast, in the file's order
    document: str = ""
    valid_from: int = FIRST_DAY  # before that day the schedule had no such dose
    age: AgeRule | None = None  # the one age rule, where it is in force on every day
    dated: bool = False  # each vaccine to name has a first day on which it was allowed


@dataclass(frozen=True, slots=True)
class Indication(Rule):
    observation: str = ""  # empty: everybody within the ages
    text: str = ""
    guidance: str = ""  # for the clinician, beside the forecast
    from_age: Period | None = None
    to_age: Period | None = None


@dataclass(frozen=True, slots=True)
class Series(Rule):
    name: str = ""
    type: str = "standard"  # 'standard', 'risk', 'evaluation_only'
    default: bool = False
    product_path: bool = False
    group: str = "1"
    equivalent_groups: frozenset[str] = frozenset()
    priority: str = "A"
    preference: int = 99
    min_age_to_start: Period | None = None
    max_age_to_start: Period | None = None
    sex: frozenset[str] = frozenset()
    indications: tuple[Indication, ...] = ()
    guidance: tuple[str, ...] = ()
    doses: tuple[TargetDose, ...] = ()
    accepted: frozenset[str] = frozenset()  # every vaccine that one of its doses takes
    begins: Period | None = None  # nobody younger can have a valid dose
    # By place in `doses`: the day from which that dose or a later one is foreseen; empty where all always were.
    opens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BirthImmunity(Rule):
    """Born before `before`: taken as immune, unless one of `except_observations` is known."""

    before: int = FIRST_DAY
    country: str = ""
    except_observations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Contraindication(Rule):
    observation: str = ""
    text: str = ""
    guidance: str = ""
    from_age: Period | None = None
    to_age: Period | None = None
    vaccines: frozenset[str] = frozenset()  # empty: the whole antigen


@dataclass(frozen=True, slots=True)
class Antigen:
    name: str
    group: str  # vaccine group in which it is forecast
    series: tuple[Series, ...]
    routine: tuple[Series, ...] = ()  # those that may concern a person of whom nothing is observed
    only: Series | None = None  # the one series, where it is for everybody and nothing has to be chosen
    immune_by_birth: tuple[BirthImmunity, ...] = ()
    immune_by_observation: frozenset[str] = frozenset()
    contraindications: tuple[Contraindication, ...] = ()
    # What `selection.plan` found for people of whom nothing is observed, by their sex.
    plans: dict[str, Plan] = field(default_factory=dict, init=False, compare=False, repr=False)


class Plan(NamedTuple):
    """The series that may concern a person, and which of them belong to one series group."""

    series: tuple[Series, ...]
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class VaccineGroup:
    name: str
    antigens: tuple[str, ...]
    full: bool = True  # all antigens are given together


@dataclass(frozen=True, slots=True)
class Conflict(Rule):
    """A live vaccine too soon after another: from `begin` to before the end, by whether the earlier one was valid."""

    begin: Period | None = None
    end_if_valid: Period | None = None
    end: Period | None = None


@dataclass(frozen=True, slots=True)
class AntigenSpan:
    """A vaccine counts for an antigen, if given within these ages."""

    antigen: str
    from_age: Period | None = None
    to_age: Period | None = None


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    title: str
    issued_on: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class PriorityGroup(Rule):
    number: int = 0
    title: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Programme:
    id: str
    title: Mapping[str, str]
    country: str = ""  # where a person of unknown birth country is taken to be born
    codes: str = "product"  # vocabulary of its vaccines: 'product' or 'cvx'
    documents: Mapping[str, Document] = field(default_factory=dict)
    antigens: Mapping[str, Antigen] = field(default_factory=dict)
    groups: tuple[VaccineGroup, ...] = ()
    vaccines: Mapping[str, tuple[AntigenSpan, ...]] = field(default_factory=dict)
    vaccine_names: Mapping[str, str] = field(default_factory=dict)
    conflicts: Mapping[tuple[str, str], Conflict] = field(default_factory=dict)  # by (earlier, later) vaccine
    priority_groups: tuple[PriorityGroup, ...] = ()
    observations: Mapping[str, str] = field(default_factory=dict)
    observation_codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # code of another system -> ours
    aliases: Mapping[str, str] = field(default_factory=dict)  # another code of a vaccine (its CVX) to its code here
    twins: Mapping[str, str] = field(default_factory=dict)  # antigen -> an earlier one with the very same rules
    live_vaccines: frozenset[str] = frozenset()  # all that stand in `conflicts`
    seasons: Seasons | None = field(default=None, compare=False, repr=False)  # where some come every year


class Seasons(Protocol):
    """The programme as it stands in the season of a day (rules/season.py)."""

    def on(self, day: int) -> Programme: ...
