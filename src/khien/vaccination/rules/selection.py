"""Which series stands for an antigen: relevant, scorable, prioritised, best (CDSi chapters 5 and 8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from khien.vaccination.rules.facts import History, Person
from khien.vaccination.rules.forecast import Forecast, finish, forecast
from khien.vaccination.rules.model import Antigen, Series
from khien.vaccination.rules.state import COMPLETE, CONTRAINDICATED, NOT_COMPLETE, Track
from khien.vaccination.rules.walk import walk


@dataclass(slots=True)
class PatientSeries:
    series_antigen: str
    series: Series
    track: Track
    forecast: Forecast
    _end: tuple[int, bool] | None = None

    def end(self) -> tuple[int, bool]:
        """When it can be finished at the earliest, and whether before its maximum age; reckoned once."""
        if self._end is None:
            self._end = finish(self.track, self.forecast)
        return self._end

    @property
    def complete(self) -> bool:
        return self.forecast.status == COMPLETE

    @property
    def in_process(self) -> bool:
        return self.forecast.status == NOT_COMPLETE and self.track.valid_count > 0


def relevant(series: Series, person: Person) -> bool:
    """Right for the person's sex and, where it is for a risk, for one they have at this age."""
    if series.sex and person.sex not in series.sex:
        return False
    if not series.holds(person.on):
        return False
    if series.type != "risk":
        return True
    for rule in series.indications:
        if rule.observation and rule.observation not in person.observations:
            continue
        if rule.from_age is not None and person.on < rule.from_age.after(person.birth):
            continue
        if rule.to_age is not None and person.on >= rule.to_age.after(person.birth):
            continue
        if rule.holds(person.on):
            return True
    return False


def best_series(antigen: Antigen, history: History) -> list[PatientSeries]:
    """The series that stand for the person: usually one, one for each series group that has its own."""
    series = antigen.only
    if series is None:
        return Candidates(antigen, history).best()
    track = walk(series, history, _none_complete)
    return [PatientSeries(antigen.name, series, track, forecast(antigen, track, _none_complete))]


def _none_complete(_groups: frozenset[str]) -> bool:
    """There is no other series that could be complete."""
    return False


class Candidates:
    """The relevant series of one antigen, each walked and forecast once, when it is first asked for."""

    def __init__(self, antigen: Antigen, history: History) -> None:
        self.antigen, self.history = antigen, history
        person = history.person
        self.series = [s for s in (antigen.series if person.observations else antigen.routine) if relevant(s, person)]
        self._done: dict[int, PatientSeries] = {}
        self._open: set[int] = set()

    def of(self, place: int) -> PatientSeries:
        found = self._done.get(place)
        if found is None:
            series = self.series[place]
            self._open.add(place)
            track = walk(series, self.history, self._complete)
            found = self._done[place] = PatientSeries(
                self.antigen.name, series, track, forecast(self.antigen, track, self._complete)
            )
            self._open.discard(place)
        return found

    def _complete(self, groups: frozenset[str]) -> bool:
        """Whether a series of one of `groups` is complete; one that is being walked just now does not count."""
        return any(
            series.group in groups and place not in self._open and self.of(place).complete
            for place, series in enumerate(self.series)
        )

    def best(self) -> list[PatientSeries]:
        """One series for each series group that should have one (table 8-14), prioritised among its equivalents."""
        groups: dict[str, list[int]] = {}
        for place, series in enumerate(self.series):
            groups.setdefault(series.group, []).append(place)
        chosen = {name: found for name, places in groups.items() if (found := self._prioritised(places)) is not None}
        return [found for name, found in chosen.items() if _is_best(found, chosen)]

    def _prioritised(self, places: Sequence[int]) -> PatientSeries | None:
        scorable = self._scorable(places)
        if not scorable:
            return None
        for part in (
            [p for p in scorable if p.complete],
            [p for p in scorable if p.in_process],
        ):
            if len(part) == 1:
                return part[0]
            if part:
                return _highest(part, _score_complete if part[0].complete else _score_in_process)
        defaults = [p for p in scorable if p.series.default]
        if len(scorable) == 1 or len(defaults) == 1:
            return (defaults or scorable)[0]
        return _highest(scorable, _score_no_valid_doses)

    def _scorable(self, places: Sequence[int]) -> list[PatientSeries]:
        """Section 8.1. A series begun past its maximum age to start gives way to one that was not.

        Standard series without a valid dose are out: those that take none of the person's vaccines, or begin at an age
        that the person had not reached at the last dose, need not be walked to know it.
        """
        series = self.series
        given = {record.vaccine for record in self.history.records}
        risk = [self.of(i) for i in places if series[i].type == "risk"]
        others = [
            self.of(i)
            for i in places
            if series[i].type != "risk" and not series[i].accepted.isdisjoint(given) and self._can_begin(series[i])
        ]
        with_doses = [p for p in others if p.series.type == "standard" and p.track.valid_count]
        evaluated = [p for p in others if p.series.type == "evaluation_only" and p.complete]
        candidates = [*risk, *with_doses, *evaluated]
        # What is contraindicated stands for the person only where nothing else does.
        candidates = [p for p in candidates if p.forecast.status != CONTRAINDICATED] or candidates
        top = min((p.series.priority for p in candidates if p.series.type == "risk"), default="")
        candidates = [p for p in candidates if p.series.type != "risk" or p.series.priority == top]
        if candidates:
            return [p for p in candidates if self._started_in_time(p)] or candidates
        standard = [i for i in places if series[i].type == "standard"]
        defaults = [i for i in standard if series[i].default]
        return [self.of(i) for i in defaults or standard if self._old_enough(series[i])]

    def _can_begin(self, series: Series) -> bool:
        first = series.doses[0]
        if first.skips_evaluation or first.age is None:
            return True
        least = first.age.days(self.history.person.birth).absolute_min
        return least is None or self.history.records[-1].day >= least

    def _started_in_time(self, p: PatientSeries) -> bool:
        limit, person = p.series.max_age_to_start, self.history.person
        start = person.on if p.track.first_valid is None else p.track.first_valid
        return limit is None or start < limit.after(person.birth)

    def _old_enough(self, series: Series) -> bool:
        person = self.history.person
        return series.min_age_to_start is None or person.on >= series.min_age_to_start.after(person.birth)


def _is_best(candidate: PatientSeries, chosen: dict[str, PatientSeries]) -> bool:
    if candidate.complete:
        return True
    equivalents = [p for name, p in chosen.items() if name in candidate.series.equivalent_groups]
    if any(p.complete for p in equivalents) or candidate.series.type == "evaluation_only":
        return False
    return candidate.series.type == "risk" or not any(p.series.type == "risk" for p in equivalents)


Score = Callable[[PatientSeries, list[PatientSeries]], int]


def _highest(part: list[PatientSeries], score: Score) -> PatientSeries:
    return max(part, key=lambda p: (score(p, part), -p.series.preference))


def _rank(mine: int, all_of_them: list[int], points: tuple[int, int, int]) -> int:
    """`points` for being the only one with the least value, one of several, or not among them."""
    least = min(all_of_them)
    if mine != least:
        return points[2]
    return points[0] if all_of_them.count(least) == 1 else points[1]


def _score_complete(p: PatientSeries, part: list[PatientSeries]) -> int:
    """Section 8.4."""
    score = _rank(-p.track.valid_count, [-q.track.valid_count for q in part], (1, 0, -1))
    score += 1 if p.series.product_path and p.track.all_valid else -1
    ends = [_completed_on(q) for q in part]
    return score + _rank(_completed_on(p), ends, (2, 1, -1))


def _completed_on(p: PatientSeries) -> int:
    return max(p.track.history.records[i].day for i in p.track.satisfied.values())


def _score_in_process(p: PatientSeries, part: list[PatientSeries]) -> int:
    """Section 8.5."""
    products = [0 if q.series.product_path and q.track.all_valid else 1 for q in part]
    score = -2
    if p.series.product_path and p.track.all_valid:
        score = 2 if products.count(0) == 1 else 0
    score += 3 if _completable(p) else -3
    score += _rank(-p.track.valid_count, [-q.track.valid_count for q in part], (2, 0, -2))
    score += _rank(p.track.remaining, [q.track.remaining for q in part], (2, 0, -2))
    return score + _rank(_finish(p), [_finish(q) for q in part], (1, 0, -1))


def _score_no_valid_doses(p: PatientSeries, part: list[PatientSeries]) -> int:
    """Section 8.6."""
    starts = [_start(q) for q in part]
    score = _rank(_start(p), starts, (1, 0, -1))
    score += 1 if p.forecast.status == NOT_COMPLETE and _completable(p) else -1
    score += 1 if p.series.sex else 0
    return score + (-1 if p.series.product_path else 1)


_NEVER = 10**7


def _start(p: PatientSeries) -> int:
    return _NEVER if p.forecast.earliest is None else p.forecast.earliest


def _finish(p: PatientSeries) -> int:
    return _NEVER if p.forecast.earliest is None else p.end()[0]


def _completable(p: PatientSeries) -> bool:
    return p.forecast.earliest is not None and p.end()[1]
