"""`khien units`: administrative units in time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.core.actor import machine
from khien.core.errors import WrongUsage
from khien.core.i18n import N_, translate
from khien.core.session import begin
from khien.territory import actions, boundaries, listfile, maps, sources, store
from khien.territory.rules import LEVELS

_DAY = Day()
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LEVELS = {0: N_("Country"), 1: N_("Province"), 2: N_("District"), 3: N_("Commune")}
_ACTOR = machine("units", "unit.load")


@click.group()
def units() -> None:
    """Administrative units in time: load, count, find, and what followed what."""


@units.command()
@click.option("--from", "listed", type=_FILE, help="Another country's list as CSV: see docs/how-to/units.md.")
@click.option("--system", help="With --from: the name of the list, such as LA-2020. With --boundaries: whose units.")
@click.option("--country", default="", help="With --from: ISO 3166-1 numeric code, to cut the map by its outline.")
@click.option("--boundaries", "drawn", type=_FILE, help="Real outlines as GeoJSON.")
@click.option("--property", "prop", default="code", show_default=True, help="With --boundaries: where the code stands.")
@click.option("--level", type=click.IntRange(0, 5), help="With --boundaries: level of the units.")
@click.option("--json", "as_json", is_flag=True)
def load(
    listed: Path | None, system: str | None, country: str, drawn: Path | None, prop: str, level: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Load both systems of Viet Nam, another list, or real boundaries. Again changes nothing."""
    if listed and drawn:
        raise WrongUsage(N_("Load a list or boundaries, not both at once."))
    if (listed or drawn) and not system:
        raise WrongUsage(N_("Name the list with --system."))
    with Console(stderr=True).status("…"):
        if drawn:
            with begin(_ACTOR) as session:
                codes = store.codes(session, system or "")
            shapes = boundaries.read(drawn, codes, prop=prop, level=level)
            changed = {"unit_boundary": actions.load_boundaries(by=_ACTOR, geometries=shapes, source=drawn.name)}
        elif listed:
            read = listfile.read(listed, system=system or "", country=country)
            changed = actions.load_units(by=_ACTOR, systems=[read])
        else:
            changed = actions.load_units(
                by=_ACTOR,
                systems=[sources.system_2021(), sources.system_2025()],
                successions={(sources.VN_2021, sources.VN_2025): sources.successions()},
            )
    if as_json:
        print_json(changed)
    else:
        click.echo(", ".join(f"{table}: {rows:,}" for table, rows in changed.items()))


@units.command()
@click.option("--on", "day", type=_DAY, help="The day; today by default.")
@click.option("--json", "as_json", is_flag=True)
def count(day: dt.datetime | None, as_json: bool) -> None:
    """How many units of each level and kind there are on a day."""
    with begin(_ACTOR) as session:
        on = day.date() if day else session.today
        store.country(session, on)
        rows = store.counts(session, on)
    answer = [_counted(system, on, rows) for system in dict.fromkeys(r["system"] for r in rows)]
    if as_json:
        print_json({"on": on, "systems": answer})
        return
    for one in answer:
        titles = (N_("Level"), N_("Kind"), N_("Number of units"))
        table = Table(*(translate(title, language()) for title in titles), title=f"{one['system']}, {on}")
        for row in (r for r in rows if r["system"] == one["system"]):
            level = translate(_LEVELS[row["level"]], language()) if row["level"] in _LEVELS else str(row["level"])
            table.add_row(level, row["kind"], f"{row['units']:,}")
        Console().print(table)
        for note in one["notes"]:
            click.echo(note)


def _counted(system: str, on: dt.date, rows: list[dict[str, Any]]) -> dict[str, Any]:
    levels: dict[str, int] = {}
    kinds: dict[str, dict[str, int]] = {}
    for row in (r for r in rows if r["system"] == system):
        level = LEVELS.get(row["level"], str(row["level"]))
        levels[level] = levels.get(level, 0) + row["units"]
        kinds.setdefault(level, {})[row["kind"]] = row["units"]
    return {"system": system, "levels": levels, "kinds": kinds, "notes": _notes(system, on)}


def _notes(system: str, on: dt.date) -> list[str]:
    """Where the list is not that of the day: said, so that nobody takes the count for an official one."""
    listed = sources.list_day(system)
    if listed is None or listed == on or (system == sources.VN_2025 and on > listed):
        return []
    notes = [translate(N_("The units are those of the list of {day}."), language(), day=listed)]
    notes += [
        translate(
            N_("On {day} the official list had {communes} communes; which ones differ is not known here."),
            language(), day=total["on"], communes=total["communes"],
        )
        for total in sources.known_totals(system)
    ]  # fmt: skip
    return notes


@units.command()
@click.argument("unit")
@click.option("--on", "day", type=_DAY, help="As of a day; by default the newest unit with the code or name.")
@click.option("--json", "as_json", is_flag=True)
def show(unit: str, day: dt.datetime | None, as_json: bool) -> None:
    """One unit by its official CODE or NAME, what it lies in, and how much lies in it."""
    on = day.date() if day else None
    with begin(_ACTOR) as session:
        found = store.find(session, unit, on)
        above = store.ancestors(session, found["unit_id"], on)
        below = store.children(session, found["unit_id"], on)
    if as_json:
        print_json(found | {"within": above, "children": below})
        return
    click.echo(", ".join(u["name"] for u in (found, *reversed(above))))
    for name in ("code", "kind", "unit_id", "system", "valid_from", "valid_to", "lat", "lon", "area_km2"):
        if found[name] is not None:
            click.echo(f"  {name}: {found[name]}")
    for child in below:
        click.echo(f"  {child['code']}  {child['name']}")


@units.command()
@click.argument("text")
@click.option("--on", "day", type=_DAY, help="Only units of that day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def search(text: str, day: dt.datetime | None, limit: int, as_json: bool) -> None:
    """Units whose name holds TEXT, with or without accents, best first."""
    with begin(_ACTOR) as session:
        found = store.search(session, text, day.date() if day else None, limit)
    if as_json:
        print_json(found)
        return
    for row in found:
        click.echo(f"{row['code']:>6}  {row['system']}  " + ", ".join(filter(None, (row["name"], row["within"]))))


@units.command()
@click.argument("unit")
@click.option("--on", "day", type=_DAY, help="The day on which CODE is meant; by default the newest unit.")
@click.option("--json", "as_json", is_flag=True)
def succession(unit: str, day: dt.datetime | None, as_json: bool) -> None:
    """What the unit with CODE came from, and what followed it."""
    with begin(_ACTOR) as session:
        found = store.find(session, unit, day.date() if day else None)
        before = store.predecessors(session, found["unit_id"])
        after = store.successors(session, found["unit_id"])
    if as_json:
        print_json({"unit": found, "predecessors": before, "successors": after})
        return
    click.echo(f"{found['code']}  {found['name']} ({found['system']})")
    for sign, rows in (("<-", before), ("->", after)):
        for row in rows:
            click.echo(f"  {sign} {row['code']}  {row['name']} ({row['how']}, {row['on_date']})")


@units.command()
@click.option("--world", type=_FILE, default=maps.WORLD, help="TopoJSON with the outlines of countries.")
@click.option("--json", "as_json", is_flag=True)
def outlines(world: Path, as_json: bool) -> None:
    """Draw all maps anew from centroids and loaded boundaries."""
    with Console(stderr=True).status("…"), begin(_ACTOR) as session:
        drawn = {s["system"]: str(maps.draw(session, s["first_id"], world)) for s in store.systems(session)}
    if as_json:
        print_json(drawn)
    else:
        for system, folder in drawn.items():
            click.echo(f"{system}: {folder}")
