"""`khien vaccination evaluate`: judge doses and forecast the next ones by a programme."""

from __future__ import annotations

import datetime as dt
import gc
import json
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from khien.cli import language
from khien.cli._day import Day
from khien.core.errors import BadInput, Fault
from khien.core.i18n import N_, translate
from khien.vaccination import evaluation, programmes, reasons
from khien.vaccination.rules.facts import Person
from khien.vaccination.rules.model import Programme

HELP = """Judge the doses of the people in FILE by a programme, and say what is next for each.

FILE has one person a line ("-": standard input), the answer one line a person in the same order.

\b
PROGRAMME is the name of a shipped programme (`khien programme show` lists them),
a TOML file, or a folder written by `khien programme import-cdsi`.

\b
A line is a JSON object; dates are YYYY-MM-DD; birth_date and on are required:
  id            any value, given back in the answer
  birth_date    the day of birth
  sex           female | male; anything else counts as unknown
  birth_country as the programme spells it; the programme's own where absent
  on            the day of evaluation; --on gives it for lines without one
  conditions    [code or title, or {"code": …, "system": "SNOMED", "date": …}] as the programme
                lists them (`khien programme show` does); "observations" means the same
  infections    [{"disease": "covid-19", "date": "2021-09-20"}]
  doses         [{"date": …, "product": "astrazeneca"}] or [{"date": …, "cvx": "08", "mvx": "MSD"}],
                with trade_name, volume (ml), lot_expires, sub_standard (true: spoilt) where known

\b
The answer holds
  doses     as they were sent: evaluations [{group, status, series, reasons}] with
            status valid | not_valid | extraneous | sub_standard
  forecast  for each vaccine group: status (not_complete | complete | immune | contraindicated |
            aged_out | not_recommended), dose_number, dose_kind, earliest, recommended, past_due,
            latest, vaccines, reasons (code, text, document), guidance
  next      the group whose next dose is recommended first, or null

Lines that break the format are named, all of them, and nothing is answered (exit code 3).
"""


@click.command(help=HELP)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--programme", "name", required=True, help="Name, TOML file or folder of the programme.")
@click.option("--on", "day", type=Day(), help="Day of evaluation of lines without one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text.")
def evaluate(file: str, name: str, day: dt.datetime | None, as_json: bool) -> None:
    programme = programmes.find(name)
    with click.open_file(file, encoding="utf-8") as lines:
        people = _read(programme, lines, day.date() if day else None)
    tongue = language()
    gc.freeze()  # the people read stay to the end: looking through them again and again costs a third of the time
    out = sys.stdout  # click.echo would flush after every line
    for key, person in people:
        answer = evaluation.answer_line(programme, person, language=tongue, key=key)
        out.write((json.dumps(answer, ensure_ascii=False) if as_json else _text(answer, tongue)) + "\n")


def _read(programme: Programme, file: IO[str], on: dt.date | None) -> list[tuple[Any, Person]]:
    """All lines, or one error that names every bad one."""
    people: list[tuple[Any, Person]] = []
    faults: list[Fault] = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            faults.append(Fault("", N_("Not JSON: {reason}"), line=number, params={"reason": error.msg}))
            continue
        person = evaluation.read_person(programme, values, on=on, line=number)
        if isinstance(person, Fault):
            faults.append(person)
        else:
            people.append((values.get("id"), person))
    if faults:
        raise BadInput(N_("{count} lines cannot be read."), faults=tuple(faults), count=len(faults))
    return people


def _text(answer: dict[str, Any], tongue: str) -> str:
    return "\n".join(_lines(answer, tongue)) + "\n"


def _lines(answer: dict[str, Any], tongue: str) -> Iterator[str]:
    yield f"{answer['id'] or ''} ({answer['on']})"
    for dose in answer["doses"]:
        for e in dose["evaluations"]:
            yield f"  {dose['date']}  {dose['name']}  {e['group']}: {reasons.status_text(e['status'], tongue)}{_why(e)}"
        if not dose["evaluations"]:
            yield f"  {dose['date']}  {dose['name']}{_why(dose)}"
    for g in answer["forecast"]:
        line = f"  → {g['group']}: {reasons.status_text(g['status'], tongue)}"
        if g["recommended"]:
            line += translate(N_("; recommended {day}, not before {earliest}"), tongue,
                              day=g["recommended"], earliest=g["earliest"])  # fmt: skip
        if g["past_due"]:
            line += translate(N_(", overdue after {day}"), tongue, day=g["past_due"])
        names = ", ".join(v["name"] for v in g["vaccines"])
        yield f"{line}{': ' + names if names else ''}{_why(g)}"


def _why(row: dict[str, Any]) -> str:
    found = [f"{r['text']} [{r['document']}]" if r["document"] else r["text"] for r in row.get("reasons", [])]
    return f" ({'; '.join(found)})" if found else ""
