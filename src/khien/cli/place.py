"""`khien place`: places that people check in at, and the codes on their posters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import click

from khien.checkpoints.movement import qr
from khien.cli import language, print_json
from khien.core.actor import machine
from khien.core.errors import WrongUsage
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.territory import store as territory
from khien.tracing.movement import places, posters

_ACTOR = machine("epidemic-control", "place.manage")


@click.group()
def place() -> None:
    """Places that people check in at: add, list, code, poster, alias, close."""


@place.command()
@click.argument("name")
@click.option("--commune", required=True, help="Official code or name of the commune.")
@click.option("--kind", type=click.Choice(tuple(places.KINDS)), default="unknown", show_default=True)
@click.option("--address", default="")
@click.option("--floor-area", type=click.IntRange(1, 1_000_000), help="In square metres.")
@click.option("--ventilation", type=click.Choice(tuple(places.AIR)), default="unknown", show_default=True)
@click.option("--client-id", type=click.UUID, help="Your own number of this message: sending it again changes nothing.")
@click.option("--json", "as_json", is_flag=True)
def add(
    name: str, commune: str, kind: str, address: str, floor_area: int | None, ventilation: str, client_id: UUID | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Register a place under NAME."""
    with begin(_ACTOR) as session:
        unit = territory.find(session, commune, session.today)
    made = places.add_place(
        by=_ACTOR, client_id=client_id or uuid4(), name=name, unit_id=unit["unit_id"], kind=kind, address=address,
        floor_area=floor_area, ventilation=ventilation,
    )  # fmt: skip
    if as_json:
        print_json({"place": made, "path": places.path_of(made)})
    else:
        click.echo(translate(N_("Place {place}: {path}"), language(), place=made, path=places.path_of(made)))


@place.command("list")
@click.argument("text", default="")
@click.option("--page", type=click.IntRange(1), default=1)
@click.option("--json", "as_json", is_flag=True)
def list_(text: str, page: int, as_json: bool) -> None:
    """Places, a page at a time; with TEXT those whose name holds it."""
    with begin(_ACTOR) as session:
        rows, total = places.places(session, text, page=page)
    if as_json:
        print_json({"places": rows, "total": total})
        return
    for row in rows:
        click.echo(
            f"{row['place_id']:>8}  {row['code']}  {row['name']}  {row['unit_name']}{' ×' if row['closed_at'] else ''}"
        )


@place.command()
@click.argument("place_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--role", type=click.Choice(["guest", "keeper"]), default="guest", show_default=True)
@click.option("--host", default="", help="Begin of the address on the poster, like https://khien.example.vn")
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture to this file.")
@click.option("--json", "as_json", is_flag=True)
def code(place_id: int, role: str, host: str, png: Path | None, as_json: bool) -> None:
    """The signed code of a place, for the wall or for its keeper."""
    with begin(_ACTOR) as session:
        places.place(session, place_id)
    text = host.rstrip("/") + places.path_of(place_id, role)
    if png:
        png.write_bytes(qr.png(text, scale=12))
    print_json({"code": text, "file": str(png) if png else None}) if as_json else click.echo(text)


@place.command()
@click.argument("place_ids", nargs=-1, type=click.IntRange(1, 2**63 - 1))
@click.option("--commune", help="Official code or name of a commune: all its open places.")
@click.option("--role", type=click.Choice(["guest", "keeper"]), default="guest", show_default=True)
@click.option("--host", required=True, help="Begin of the address on the poster, like https://khien.example.vn")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The PDF to write.")
@click.option("--json", "as_json", is_flag=True)
def poster(
    place_ids: tuple[int, ...], commune: str | None, role: str, host: str, out: Path, as_json: bool
) -> None:  # fmt: skip
    """The posters of places as one PDF to print, an A4 sheet each."""
    if bool(place_ids) == bool(commune):
        raise WrongUsage(N_("Name either places or a commune."))
    actor = _ACTOR
    if commune:
        with begin(actor) as session:
            unit = territory.find(session, commune, session.today)
            actor = replace(actor, area=territory.area_of(session, [unit["unit_id"]]))
    with begin(actor) as session:
        found = [places.place(session, place_id) for place_id in place_ids] if place_ids else places.open_ones(session)
        sheets = posters.sheets(session, found, host=host, role=role)
    out.write_bytes(posters.typeset(sheets)[0])
    print_json({"file": str(out), "posters": len(found)}) if as_json else click.echo(out)


@place.command()
@click.argument("place_id", type=click.IntRange(1, 2**63 - 1))
@click.argument("text")
@click.option("--json", "as_json", is_flag=True)
def alias(place_id: int, text: str, as_json: bool) -> None:
    """Make a place known under the code of another system's poster, TEXT."""
    known = places.add_alias(by=_ACTOR, place_id=place_id, text=text)
    print_json({"code": known.text, "system": known.system}) if as_json else click.echo(known.text)


@place.command()
@click.argument("place_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--json", "as_json", is_flag=True)
def close(place_id: int, as_json: bool) -> None:
    """Let the codes of a place take nothing any more."""
    places.close_place(by=_ACTOR, place_id=place_id)
    print_json({"place": place_id, "closed": True}) if as_json else click.echo(
        translate(N_("Place {place} is closed."), language(), place=place_id)
    )
