"""Antigens that go together (measles, mumps, rubella) often have the very same rules: walk them once.

Two antigens of one group are twins where their rules agree for the vaccines that count for both. For a person with the
same doses of both, and of whom nothing is observed, one answer then holds for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from khien.vaccination.rules.model import Antigen, AntigenSpan, Series, Skip, TargetDose, VaccineGroup, VaccineRule


def twins(
    antigens: Mapping[str, Antigen], groups: Iterable[VaccineGroup], vaccines: Mapping[str, tuple[AntigenSpan, ...]]
) -> dict[str, str]:
    """Antigen -> an earlier one of its group with the same rules."""
    found: dict[str, str] = {}
    for group in groups:
        names = [name for name in group.antigens if name in antigens]
        for place, name in enumerate(names):
            for earlier in names[:place]:
                if earlier not in found and _alike(antigens[earlier], antigens[name], vaccines):
                    found[name] = earlier
                    break
    return found


def _alike(one: Antigen, other: Antigen, vaccines: Mapping[str, tuple[AntigenSpan, ...]]) -> bool:
    both = {one.name, other.name}
    shared = {code: both & {span.antigen for span in spans} for code, spans in vaccines.items()}
    common = frozenset(code for code, antigens in shared.items() if antigens == both)
    apart = frozenset(code for code, antigens in shared.items() if len(antigens) == 1)
    return _body(one, common, apart) == _body(other, common, apart)


def _body(antigen: Antigen, vaccines: frozenset[str], apart: frozenset[str]) -> tuple[object, ...]:
    """What decides about a person of whom nothing is observed, given of the antigen's vaccines only `vaccines`; those
    in `apart` are of one of the two, so that nobody with the same doses of both has had them.
    """
    births = tuple(replace(rule, except_observations=frozenset()) for rule in antigen.immune_by_birth)
    return births, tuple(_series(series, vaccines, apart) for series in antigen.routine)


def _series(series: Series, vaccines: frozenset[str], apart: frozenset[str]) -> Series:
    doses = tuple(_dose(dose, vaccines, apart) for dose in series.doses)
    return replace(series, name="", guidance=(), doses=doses, accepted=series.accepted & vaccines)


def _dose(dose: TargetDose, vaccines: frozenset[str], apart: frozenset[str]) -> TargetDose:
    def common(table: Mapping[str, tuple[VaccineRule, ...]]) -> dict[str, tuple[VaccineRule, ...]]:
        return {code: rules for code, rules in table.items() if code in vaccines}

    return replace(
        dose,
        preferable=common(dose.preferable),
        allowable=common(dose.allowable),
        taken=common(dose.taken),
        inadvertent=dose.inadvertent & vaccines,
        skips_evaluation=tuple(_skip(skip, apart) for skip in dose.skips_evaluation),
        skips_forecast=tuple(_skip(skip, apart) for skip in dose.skips_forecast),
    )


def _skip(skip: Skip, apart: frozenset[str]) -> Skip:
    return replace(skip, text="", sets=tuple(
        replace(part, conditions=tuple(replace(c, vaccines=c.vaccines - apart or c.vaccines) for c in part.conditions))
        for part in skip.sets
    ))  # fmt: skip
