"""`khien bench schedule`: the schedule engine on one core, beside the time to read the same people."""

from __future__ import annotations

import datetime as dt
import gc
import json
import random
from collections.abc import Iterator
from typing import Any

import click

from khien.core import bench
from khien.vaccination import evaluation, programmes
from khien.vaccination.rules.engine import evaluate
from khien.vaccination.rules.facts import Person
from khien.vaccination.rules.model import Programme, Series

_ON = dt.date(2022, 6, 1)
_OLDEST = {"childhood_vn": 1_800}  # days; the others are for all ages
_ALL_AGES = 29_000


@click.command()
@click.option("--people", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--programme", "name", default="covid_19_vn_2021", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def schedule(people: int, name: str, as_json: bool) -> None:
    """Evaluate PEOPLE invented people; the reference reads their lines (JSON, dates, codes) and does nothing more."""
    programme = programmes.find(name)
    lines = list(_lines(programme, people, random.Random(20_220_601)))  # noqa: S311 - invented people, not secrets
    with bench.stopwatch() as reading:
        read = [evaluation.read_person(programme, json.loads(line)) for line in lines]
        read_seconds = reading()
    gc.freeze()
    with bench.stopwatch() as working:
        for person in read:
            assert isinstance(person, Person)
            evaluate(programme, person)
        seconds = working()
    bench.show(bench.rate("schedule", people, seconds, read_seconds, "people/s"), as_json)


def _lines(programme: Programme, people: int, dice: random.Random) -> Iterator[str]:
    oldest = _OLDEST.get(programme.id, _ALL_AGES)
    for number in range(people):
        birth = _ON.toordinal() - dice.randrange(oldest)
        doses = [{"date": _iso(day), "product": vaccine} for day, vaccine in _doses(programme, birth, dice)]
        sex = dice.choice(["female", "male"])
        yield json.dumps(
            {"id": number, "birth_date": _iso(birth), "sex": sex, "on": _iso(_ON.toordinal()), "doses": doses}
        )


def _iso(day: int) -> str:
    return dt.date.fromordinal(day).isoformat()


def _doses(programme: Programme, birth: int, dice: random.Random) -> list[tuple[int, str]]:
    """A course of life: most doses near their day, some too early, some never."""
    given: list[tuple[int, str]] = []
    for antigen in programme.antigens.values():
        covered = any(span.antigen == antigen.name for _, v in given for span in programme.vaccines[v])
        if not covered:
            given.extend(_course(antigen.series[0], birth, dice))
    return given


def _course(series: Series, birth: int, dice: random.Random) -> Iterator[tuple[int, str]]:
    day = birth
    for dose in series.doses:
        rules: list[Any] = [r for table in dose.preferable.values() for r in table]
        if not rules or dice.random() < 0.15:
            return
        rule = dice.choice(rules)
        least = [age.min.after(birth) for age in dose.ages[:1] if age.min is not None]
        least.extend(r.min.after(day) for r in dose.intervals[:1] if r.after_previous and r.min is not None)
        opens = rule.valid_from if rule.valid_from > birth else birth
        day = max([day, opens, *least]) + dice.randrange(-4, 40)
        if not birth <= day <= _ON.toordinal():
            return
        yield day, rule.vaccine
