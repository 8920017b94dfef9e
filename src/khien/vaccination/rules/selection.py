"""Which series stands for an antigen: relevant, scorable, prioritised, best (CDSi chapters 5 and 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from khien.vaccination.rules.facts import History, Person
from khien.vaccination.rules.forecast import Forecast, finish, forecast
from khien.vaccination.rules.model import Antigen, Plan, Series
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


def plan(antigen: Antigen, person: Person) -> Plan:
    """The series relevant to the person, by series group. Of whom nothing is observed, only the sex decides."""
    if person.observations:
        return _plan(antigen.series, person)
    found = antigen.plans.get(person.sex)
    if found is None:
        found = _plan(antigen.routine, person)
        if all(s.always and s.type != "risk" for s in antigen.routine):
            antigen.plans[person.sex] = found
    return found


def _plan(series: Iterable[Series], person: Person) -> Plan:
    mine = tuple(s for s in series if relevant(s, person))
    groups: dict[str, list[int]] = {}
    for place, one in enumerate(mine):
        groups.setdefault(one.group, []).append(place)
    return Plan(mine, tuple(tuple(places) for places in groups.values()))


class Candidates:
    """The relevant series of one antigen, each walked and forecast once, when it is first asked for."""

    def __init__(self, antigen: Antigen, history: History) -> None:
        self.antigen, self.history = antigen, history
        self.series, self._groups = plan(antigen, history.person)
        self._given = {record.vaccine for record in history.records}
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
        chosen = [found for places in self._groups if (found := self._prioritised(places)) is not None]
        if len(chosen) > 1:  # what is for older people does not stand beside what is for this age because of one dose
            chosen = [p for p in chosen if p.complete or self._old_enough(p.series)] or chosen
        return chosen if len(chosen) == 1 and _stands_alone(chosen[0]) else [p for p in chosen if _is_best(p, chosen)]

    def _prioritised(self, places: Sequence[int]) -> PatientSeries | None:
        """Tables 8-3 and 8-5."""
        scorable = self._scorable(places)
        if len(scorable) < 2:
            return scorable[0] if scorable else None
        if part := [p for p in scorable if p.complete]:
            return part[0] if len(part) == 1 else _highest(part, _score_complete)
        if part := [p for p in scorable if p.in_process]:
            return part[0] if len(part) == 1 else _highest(part, _score_in_process)
        defaults = [i for i in places if self.series[i].default]
        return self.of(defaults[0]) if len(defaults) == 1 else _highest(scorable, _score_no_valid_doses)

    def _scorable(self, places: Sequence[int]) -> list[PatientSeries]:
        """SELECTSCORE-2. Where every series begun was begun past its maximum age to start, the default stands.

        Standard series without a valid dose are out: those that take none of the person's vaccines, or begin at an age
        that the person had not reached at the last dose, need not be walked to know it.
        """
        series, given, begun = self.series, self._given, []
        for i in places:
            one = series[i]
            if one.type == "risk":
                begun.append(self.of(i))
            elif given and not given.isdisjoint(one.accepted) and self._can_begin(one):
                p = self.of(i)
                if p.track.valid_count if one.type == "standard" else p.complete:
                    begun.append(p)
        if begun:
            # What is contraindicated stands for the person only where nothing else does.
            begun = [p for p in begun if p.forecast.status != CONTRAINDICATED] or begun
            top = min((p.series.priority for p in begun if p.series.type == "risk"), default="")
            begun = [p for p in begun if p.series.type != "risk" or p.series.priority == top]
            in_time = [p for p in begun if self._started_in_time(p)]
            if in_time:
                return in_time
        standard = [i for i in places if series[i].type == "standard"]
        defaults = [i for i in standard if series[i].default]
        if begun:
            return [self.of(i) for i in defaults] or begun
        return [self.of(i) for i in defaults or standard if self._old_enough(series[i])]

    def _can_begin(self, series: Series) -> bool:
        if series.begins is None:
            return True
        return self.history.records[-1].day >= series.begins.after(self.history.person.birth)

    def _started_in_time(self, p: PatientSeries) -> bool:
        limit, person = p.series.max_age_to_start, self.history.person
        start = person.on if p.track.first_valid is None else p.track.first_valid
        return limit is None or start < limit.after(person.birth)

    def _old_enough(self, series: Series) -> bool:
        person = self.history.person
        return series.min_age_to_start is None or person.on >= series.min_age_to_start.after(person.birth)


def _stands_alone(candidate: PatientSeries) -> bool:
    return candidate.complete or candidate.series.type != "evaluation_only"


def _is_best(candidate: PatientSeries, chosen: Sequence[PatientSeries]) -> bool:
    """Table 8-14."""
    if candidate.complete:
        return True
    equivalents = [p for p in chosen if p.series.group in candidate.series.equivalent_groups]
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
    """Section 8.4. Version 4.6 left only the number of valid doses, by which a fourth dose of hepatitis B would be
    needed where three had completed the series; the CDC's own cases call it an extra dose, as these points do.
    """
    score = _rank(-p.track.valid_count, [-q.track.valid_count for q in part], (1, 0, -1))
    score += 1 if p.series.product_path and p.track.all_valid else -1
    ends = [_completed_on(q) for q in part]
    return score + _rank(_completed_on(p), ends, (2, 1, -1))


def _completed_on(p: PatientSeries) -> int:
    return max(p.track.history.records[i].day for i in p.track.satisfied.values())


def _score_in_process(p: PatientSeries, part: list[PatientSeries]) -> int:
    """Table 8-9."""
    score = 2 if p.series.product_path and p.track.all_valid else -2
    score += 3 if _completable(p) else -3
    score += _rank(-p.track.valid_count, [-q.track.valid_count for q in part], (2, 0, -2))
    score += _rank(p.track.remaining, [q.track.remaining for q in part], (2, 0, -2))
    return score + _rank(_finish(p), [_finish(q) for q in part], (1, 0, -1))


def _score_no_valid_doses(p: PatientSeries, part: list[PatientSeries]) -> int:
    """Table 8-11."""
    starts = [_start(q) for q in part]
    score = _rank(_start(p), starts, (1, 0, -1))
    score += 1 if p.forecast.status == NOT_COMPLETE and _completable(p) else -1
    return score + (-1 if p.series.product_path else 1)


_NEVER = 10**7


def _start(p: PatientSeries) -> int:
    return _NEVER if p.forecast.earliest is None else p.forecast.earliest


def _finish(p: PatientSeries) -> int:
    return _NEVER if p.forecast.earliest is None else p.end()[0]


def _completable(p: PatientSeries) -> bool:
    return p.forecast.earliest is not None and p.end()[1]
