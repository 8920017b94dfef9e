"""`khien programme`: check, show and import vaccination programmes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from khien import rulebook
from khien.cli import language, print_json
from khien.cli._day import Day
from khien.cli._programme_cases import score_cdsi
from khien.core.i18n import N_, translate
from khien.vaccination import cdsi, programmes
from khien.vaccination.rules.model import Programme, Series
from khien.vaccination.toml_writer import to_toml


@click.group()
def programme() -> None:
    """Vaccination programmes: dated rules with their legal documents."""


programme.add_command(score_cdsi)


@programme.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True)
def check(file: str, as_json: bool) -> None:
    """Check FILE (a programme's TOML file, folder or name); faults are named by file and line."""
    found = programmes.find(file)
    summary = _summary(found)
    if as_json:
        print_json(summary)
        return
    click.echo(translate(N_("{name}: {antigens} antigens, {series} series, no fault."), language(), **summary))


def _summary(found: Programme) -> dict[str, Any]:
    return {
        "name": found.id,
        "antigens": len(found.antigens),
        "series": sum(len(a.series) for a in found.antigens.values()),
        "vaccines": len(found.vaccines),
        "documents": len(found.documents),
        "unverified_documents": [d.title for d in found.documents.values() if not d.verified],
    }


@programme.command("import-cdsi")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--antigens", help="Antigens or vaccine groups, separated by commas: HepB,MMR,HPV. All by default.")
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def import_cdsi(folder: Path, antigens: str | None, output: Path, as_json: bool) -> None:
    """Write the CDSi supporting data in FOLDER (XML) as a programme of our own form."""
    names = [name.strip() for name in antigens.split(",") if name.strip()] if antigens else None
    documents = cdsi.read_folder(folder, names)
    texts = {f"{stem}.toml": to_toml(values) for stem, values in documents.items()}
    programmes.read_texts(texts, str(folder))  # what we would not read back is not written
    output.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (output / file).write_text(text, encoding="utf-8")
    if as_json:
        print_json({"written": [str(output / file) for file in texts]})
        return
    click.echo(translate(N_("{count} files written to {folder}."), language(), count=len(texts), folder=str(output)))


@programme.command()
@click.argument("name", required=False)
@click.option("--on", "day", type=Day(), help="Only rules in force on this day.")
@click.option("--json", "as_json", is_flag=True)
def show(name: str | None, day: dt.datetime | None, as_json: bool) -> None:
    """Show the programme NAME (or the list of those that ship): series, doses, documents, conditions."""
    if name is None:
        if as_json:
            print_json(programmes.shipped())
        else:
            click.echo("\n".join(programmes.shipped()))
        return
    found = programmes.find(name)
    on = day.date().toordinal() if day else None
    details = _details(found, on)
    if as_json:
        print_json(details)
        return
    tongue = language()
    click.echo(found.title.get(tongue) or found.id)
    for row in details["series"]:
        antigen, name, kind = (rulebook.named(row[key], tongue) for key in ("antigen", "name", "type"))
        click.echo(f"  {antigen}: {name} ({kind}) [{rulebook.document(row['document'], tongue)}]")
        for dose in row["doses"]:
            vaccines = ", ".join(rulebook.named(vaccine, tongue) for vaccine in dose["vaccines"])
            click.echo(f"    {dose['number']} {rulebook.named(dose['kind'], tongue)}: {vaccines}")
    for group in details["priority_groups"]:
        named = rulebook.document(group["document"], tongue)
        click.echo(f"  {group['number']}. {group['title'].get(tongue, '')} [{named}]")
    for document in details["documents"]:
        named = rulebook.document(document["title"], tongue)
        click.echo(f"  {document['id']}: {named}{'' if document['verified'] else ' (?)'}")


def _details(found: Programme, on: int | None) -> dict[str, Any]:
    def title(document: str) -> str:
        return found.documents[document].title if document in found.documents else ""

    return {
        "programme": found.id,
        "title": dict(found.title),
        "series": [
            _series(found, antigen.name, series, on) | {"document": title(series.document)}
            for antigen in found.antigens.values()
            for series in antigen.series
            if on is None or series.holds(on)
        ],
        "conditions": dict(found.observations),
        "priority_groups": [
            {"number": g.number, "title": dict(g.title), "document": title(g.document)}
            for g in found.priority_groups
            if on is None or g.holds(on)
        ],
        "documents": [
            {"id": d.id, "title": d.title, "issued_on": d.issued_on, "verified": d.verified}
            for d in found.documents.values()
        ],
    }


def _series(found: Programme, antigen: str, series: Series, on: int | None) -> dict[str, Any]:
    doses = [
        {
            "number": dose.number,
            "kind": dose.kind,
            "vaccines": [
                found.vaccine_names.get(code, code)
                for code, rules in dose.preferable.items()
                if on is None or any(rule.holds(on) for rule in rules)
            ],
        }
        for dose in series.doses
    ]
    return {"antigen": antigen, "name": series.name, "type": series.type, "doses": doses}
