"""From a programme's TOML document to the engine's parts, checked on the way.

The form is described in `rulebook/programmes/README.md`. One document may hold all, or several documents of a folder
are read one after another: tables add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from khien.core.i18n import N_
from khien.vaccination.rules.model import (
    FIRST_DAY,
    LAST_DAY,
    AgeRule,
    Antigen,
    AntigenSpan,
    BirthImmunity,
    Condition,
    Conflict,
    Contraindication,
    Document,
    Indication,
    IntervalRule,
    PriorityGroup,
    Programme,
    Series,
    Skip,
    SkipSet,
    TargetDose,
    VaccineGroup,
    VaccineRule,
)
from khien.vaccination.rules.season import Seasons
from khien.vaccination.rules.twins import twins
from khien.vaccination.toml_section import Faults, Section

_CONDITIONS = ("age", "interval", "count", "completed_series", "observation")
_SEX = ("female", "male", "unknown")


class ProgrammeReader:
    """Collects documents; `programme()` puts them together. Faults are in each document's `Faults`."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._documents: dict[str, Document] = {}
        self._vaccines: dict[str, tuple[AntigenSpan, ...]] = {}
        self._names: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._groups: list[VaccineGroup] = []
        self._conflicts: dict[tuple[str, str], Conflict] = {}
        self._antigens: dict[str, Antigen] = {}
        self._priority: list[PriorityGroup] = []
        self._observations: dict[str, str] = {}
        self._observation_codes: dict[str, list[str]] = {}
        self._inherited = ""

    def add(self, values: dict[str, Any], faults: Faults) -> None:
        top = Section(values, "", faults)
        if "programme" in values:
            self._head = {
                "id": top.text("programme", required=True),
                "title": top.texts("title"),
                "country": top.text("country"),
                "codes": top.text("codes", "product", among=("product", "cvx")),
            }
        for part in top.rows("document"):
            key = part.text("id", required=True)
            self._documents[key] = Document(
                key, part.text("title", required=True), part.text("issued_on"), part.flag("verified", True)
            )
        for part in top.rows("observation"):
            code = part.text("code", required=True)
            self._observations[code] = part.text("title")
            for other in part.words("codes"):
                for key in (other, other.partition(":")[2]):
                    self._observation_codes.setdefault(key, []).append(code)
        for part in top.rows("vaccine"):
            self._vaccine(part)
        for part in top.rows("vaccine_group"):
            self._groups.append(
                VaccineGroup(part.text("name", required=True), part.words("antigens"), part.flag("full", True))
            )
        for part in top.rows("conflict"):
            rule = self._rule(part)
            row = Conflict(
                *rule, begin=part.length("begin"), end_if_valid=part.length("end_if_valid"), end=part.length("end")
            )
            for earlier in part.words("earlier"):
                for later in part.words("later"):
                    self._conflicts[earlier, later] = row
        for part in top.rows("priority_group"):
            rule = self._rule(part)
            self._priority.append(PriorityGroup(*rule, number=part.whole("number"), title=part.texts("title")))
        for part in top.rows("antigen"):
            antigen = self._antigen(part)
            if antigen.name in self._antigens:
                part.fault("name", N_("“{name}” is described twice."), name=antigen.name)
            self._antigens[antigen.name] = antigen
        top.close()

    def _vaccine(self, part: Section) -> None:
        code = part.text("code", required=True)
        self._names[code] = part.text("name", code)
        if cvx := part.text("cvx"):
            self._aliases[cvx] = code
        spans = [AntigenSpan(name) for name in part.words("antigens")]
        spans.extend(
            AntigenSpan(row.text("antigen", required=True), row.length("from_age"), row.length("to_age"))
            for row in part.rows("spans")
        )
        self._vaccines[code] = tuple(spans)

    def _rule(self, part: Section) -> tuple[str, bool, int, int]:
        """What every dated rule carries: without a document of its own, that of the dose or series it belongs to."""
        own = part.text("document")
        if own and own not in self._documents:
            part.fault("document", N_("The document “{name}” is not listed in this programme."), name=own)
        document = own or self._inherited
        first, last = part.day("valid_from", FIRST_DAY), part.day("valid_until", LAST_DAY)
        if first > last:
            part.fault("valid_until", N_("The rule ends before it begins."))
        return document, part.flag("verified", True), first, last

    def _antigen(self, part: Section) -> Antigen:
        name = part.text("name", required=True)
        every = tuple(self._series(row) for row in part.rows("series"))
        return Antigen(
            name=name,
            group=part.text("vaccine_group", name),
            immune_by_observation=frozenset(part.words("immune_by_observation")),
            immune_by_birth=tuple(
                BirthImmunity(
                    *self._rule(row),
                    before=row.day("before", FIRST_DAY),
                    country=row.text("country"),
                    except_observations=frozenset(row.words("except_observations")),
                )
                for row in part.rows("immune_by_birth")
            ),
            contraindications=tuple(
                Contraindication(
                    *self._rule(row),
                    observation=row.text("observation", required=True),
                    text=row.text("text"),
                    guidance=row.text("guidance"),
                    from_age=row.length("from_age"),
                    to_age=row.length("to_age"),
                    vaccines=frozenset(row.words("vaccines")),
                )
                for row in part.rows("contraindication")
            ),
            series=every,
            only=every[0] if len(every) == 1 and _for_everybody(every[0]) else None,
            routine=tuple(s for s in every if s.type != "risk" or not all(i.observation for i in s.indications)),
        )

    def _series(self, part: Section) -> Series:
        self._inherited = ""
        own = self._rule(part)
        self._inherited = own[0]
        doses = tuple(self._dose(row) for row in part.rows("dose"))
        series = Series(
            *own,
            name=part.text("name", required=True),
            type=part.text("type", "standard", among=("standard", "risk", "evaluation_only")),
            default=part.flag("default"),
            product_path=part.flag("product_path"),
            group=part.text("group", "1"),
            equivalent_groups=frozenset(part.words("equivalent_groups")),
            priority=part.text("priority", "A"),
            preference=part.whole("preference", 99),
            min_age_to_start=part.length("min_age_to_start"),
            max_age_to_start=part.length("max_age_to_start"),
            sex=frozenset(part.words("sex")),
            indications=tuple(
                Indication(
                    *self._rule(row),
                    observation=row.text("observation"),
                    text=row.text("text"),
                    guidance=row.text("guidance"),
                    from_age=row.length("from_age"),
                    to_age=row.length("to_age"),
                )
                for row in part.rows("indications")
            ),
            guidance=tuple(part.words("guidance")),
            doses=doses,
            accepted=frozenset(v for dose in doses for table in (dose.preferable, dose.allowable) for v in table),
            opens=_opens(doses),
            begins=doses[0].age.absolute_min if doses and doses[0].age and not doses[0].skips_evaluation else None,
        )
        if not series.sex.issubset(_SEX):
            part.fault("sex", N_("Expected one of: {choices}."), choices=", ".join(_SEX))
        if not series.doses:
            part.fault("dose", N_("A series needs at least one dose."))
        self._inherited = ""
        return series

    def _dose(self, part: Section) -> TargetDose:
        of_series = self._inherited
        self._inherited, _, first, _ = self._rule(part)
        dose = replace(self._target(part), valid_from=first)
        self._inherited = of_series
        return dose

    def _target(self, part: Section) -> TargetDose:
        skips = [self._skip(row) for row in part.rows("skip")]
        preferable = [self._vaccine_rule(row) for row in part.rows("preferable")]
        allowable = [self._vaccine_rule(row) for row in part.rows("allowable")]
        ages = tuple(self._age(row) for row in part.rows("ages"))
        recommended = tuple(rule for rule in preferable if rule.recommend)
        seasons = [
            (row.day("start", FIRST_DAY), row.day("end", LAST_DAY), row.flag("yearly")) for row in part.rows("season")
        ]
        return TargetDose(
            number=part.whole("number", required=True),
            kind=part.text("kind", "primary", among=("primary", "additional", "booster")),
            ages=ages,
            age=ages[0] if len(ages) == 1 and ages[0].always else None,
            intervals=tuple(self._interval(row) for row in part.rows("intervals")),
            allowable_intervals=tuple(self._interval(row) for row in part.rows("allowable_intervals")),
            preferable=_by_vaccine(preferable),
            allowable=_by_vaccine(allowable),
            taken=_by_vaccine([*preferable, *allowable]),
            inadvertent=frozenset(part.words("inadvertent")),
            skips_evaluation=tuple(skip for skip in skips if skip.context != "forecast"),
            skips_forecast=tuple(skip for skip in skips if skip.context != "evaluation"),
            recurring=part.flag("recurring"),
            season=seasons[0][:2] if seasons else None,
            yearly=bool(seasons) and seasons[0][2],
            recommended=recommended,
            document=self._inherited,
            dated=bool(recommended) and all(rule.valid_from > FIRST_DAY for rule in recommended),
        )

    def _age(self, row: Section) -> AgeRule:
        return AgeRule(
            *self._rule(row),
            absolute_min=row.length("absolute_min"),
            min=row.length("min"),
            earliest=row.length("earliest"),
            latest=row.length("latest"),
            max=row.length("max"),
        )

    def _interval(self, row: Section) -> IntervalRule:
        rule = IntervalRule(
            *self._rule(row),
            after_previous=row.flag("after_previous"),
            after_dose=row.whole("after_dose"),
            after_vaccines=frozenset(row.words("after_vaccines")),
            after_observations=frozenset(row.words("after_observations")),
            when_previous=frozenset(row.words("when_previous")),
            from_age=row.length("from_age"),
            to_age=row.length("to_age"),
            absolute_min=row.length("absolute_min"),
            min=row.length("min"),
            earliest=row.length("earliest"),
            latest=row.length("latest"),
            override=row.flag("override"),
        )
        rule = replace(
            rule, plain=rule.always and not rule.when_previous and rule.from_age is None and rule.to_age is None
        )
        references = (rule.after_previous, rule.after_dose, rule.after_vaccines, rule.after_observations)
        if sum(bool(reference) for reference in references) != 1:
            row.fault("after_previous", N_("An interval runs from exactly one thing."))
        return rule

    def _vaccine_rule(self, row: Section) -> VaccineRule:
        rule = VaccineRule(
            *self._rule(row),
            vaccine=row.text("vaccine", required=True),
            name=row.text("name"),
            from_age=row.length("from_age"),
            to_age=row.length("to_age"),
            trade_name=row.text("trade_name"),
            mvx=row.text("mvx"),
            volume=row.amount("volume"),
            recommend=row.flag("recommend"),
            after=frozenset(row.words("after")),
        )
        return replace(rule, plain=rule.always and not rule.after and not rule.mvx and not rule.trade_name)

    def _skip(self, part: Section) -> Skip:
        return Skip(
            context=part.text("context", "both", among=("evaluation", "forecast", "both")),
            any_of=part.text("match", "any", among=("any", "all")) == "any",
            text=part.text("text"),
            sets=tuple(
                SkipSet(
                    *self._rule(row),
                    any_of=row.text("match", "all", among=("any", "all")) == "any",
                    conditions=tuple(self._condition(item) for item in row.rows("conditions")),
                )
                for row in part.rows("sets")
            ),
        )

    def _condition(self, row: Section) -> Condition:
        kind = row.text("kind", required=True, among=_CONDITIONS)
        compare = row.text("compare", among=("more", "exactly", "fewer"), required=kind == "count")
        return Condition(
            kind=kind,
            start=row.day("start", FIRST_DAY),
            end=row.day("end", LAST_DAY),
            from_age=row.length("from_age"),
            to_age=row.length("to_age"),
            interval=row.length("interval"),
            count=row.whole("count"),
            compare=compare,
            valid_only=row.flag("valid_only"),
            vaccines=frozenset(row.words("vaccines")),
            series_groups=frozenset(row.words("series_groups")),
            observations=frozenset(row.words("observations")),
            absent=row.flag("absent"),
        )

    def programme(self) -> Programme:
        """The whole. Antigens that no `vaccine_group` names are groups of their own."""
        grouped = {name for group in self._groups for name in group.antigens}
        own = [VaccineGroup(a.group, (a.name,)) for a in self._antigens.values() if a.name not in grouped]
        groups = [g for g in self._groups if any(name in self._antigens for name in g.antigens)]
        programme = Programme(
            id=self._head.get("id", ""),
            title=self._head.get("title", {}),
            country=self._head.get("country", ""),
            codes=self._head.get("codes", "product"),
            documents=self._documents,
            antigens=self._antigens,
            groups=(*groups, *own),
            vaccines=self._vaccines,
            vaccine_names=self._names,
            conflicts=self._conflicts,
            priority_groups=tuple(self._priority),
            observations=self._observations,
            observation_codes={key: tuple(dict.fromkeys(ours)) for key, ours in self._observation_codes.items()},
            aliases=self._aliases,
            twins=twins(self._antigens, groups, self._vaccines),
            live_vaccines=frozenset(code for pair in self._conflicts for code in pair),
        )
        if any(dose.yearly for a in self._antigens.values() for series in a.series for dose in series.doses):
            return replace(programme, seasons=Seasons(programme))
        return programme


def _opens(doses: Sequence[TargetDose]) -> tuple[int, ...]:
    if all(dose.valid_from == FIRST_DAY for dose in doses):
        return ()
    return tuple(min(dose.valid_from for dose in doses[place:]) for place in range(len(doses)))


def _for_everybody(series: Series) -> bool:
    """No sex, age, day or risk decides whether the series concerns a person."""
    free = series.type == "standard" and series.default and not series.sex and series.min_age_to_start is None
    return free and series.always


def _by_vaccine(rules: Iterable[VaccineRule]) -> dict[str, tuple[VaccineRule, ...]]:
    """Rules of one vaccine stay together, in the file's order."""
    table: dict[str, tuple[VaccineRule, ...]] = {}
    for rule in rules:
        table[rule.vaccine] = (*table.get(rule.vaccine, ()), rule)
    return table
