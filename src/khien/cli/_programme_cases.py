"""`khien programme score-cdsi`: the CDC's test cases against a programme."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from khien.cli import language, print_json
from khien.core.i18n import N_, translate
from khien.vaccination import programmes
from khien.vaccination.cdsi_cases import read_cases, score


@click.command("score-cdsi")
@click.argument("name", metavar="PROGRAMME")
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lines", type=click.Path(dir_okay=False, path_type=Path),
              help="Also write the people of the table as lines for `khien vaccination evaluate`.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True)
def score_cdsi(name: str, cases: Path, lines: Path | None, as_json: bool) -> None:
    """Evaluate the CDC's table of test cases (CSV) by PROGRAMME and list every expectation that differs."""
    table = read_cases(cases)
    if lines is not None:
        lines.write_text("".join(json.dumps(c.line, ensure_ascii=False) + "\n" for c in table), encoding="utf-8")
    found = score(programmes.find(name), table)
    if as_json:
        print_json(asdict(found))
        return
    tongue = language()
    for d in found.differences:
        click.echo(f"{d.case}  {d.group}  {d.part}: {d.expected or '–'} ≠ {d.found or '–'}  {', '.join(d.why)}")
    totals = {key: value for key, value in asdict(found).items() if key != "differences"}
    click.echo(
        translate(
            N_("{cases} cases: {doses_right} of {doses} doses, {forecasts_right} of {forecasts} forecasts, "
               "{dose_numbers_right} of {dose_numbers} dose numbers as expected."), tongue, **totals
        )
    )  # fmt: skip
