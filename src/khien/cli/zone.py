"""`khien zone`: orders and grades, who is inside or has left, movement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from khien.cli import language, print_json
from khien.cli._day import Day
from khien.cli._output import titled
from khien.cli._zone_entry import capacity, expire, need, needs
from khien.cli._zone_output import days_between, export, print_rows, summary
from khien.core.actor import Actor, machine
from khien.core.errors import Ambiguous, NotFound
from khien.core.i18n import N_, translate
from khien.core.session import Session, begin
from khien.territory import store as territory
from khien.zones import actions, findings, grading, movement, store
from khien.zones.actions import Signed
from khien.zones.rules.area import Area, Place

_DAY = Day()
_FILE = click.Path(dir_okay=False, path_type=Path)
_GIVEN = click.Path(exists=True, dir_okay=False, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def zone() -> None:
    """Epidemic zones: orders, grades, people, movement."""


for _command in (capacity, expire, need, needs):
    zone.add_command(_command)


def _actor(*permissions: str) -> Actor:
    return machine("epidemic-control", "zone.read", *permissions)


def _signed(command: Command) -> Command:
    command = click.option("--document", required=True, help="Number and date of the legal document.")(command)
    return click.option("--signed-by", required=True, help="Name and office of who signed.")(command)


def _area_options(command: Command) -> Command:
    command = click.option("--unit", "codes", multiple=True, help="Official code or unit id; any number.")(command)
    command = click.option(
        "--place", "places", multiple=True, help="CODE:WORDS: addresses of a unit that hold these words (a hamlet)."
    )(command)
    return click.option("--household", "households", type=int, multiple=True, help="Number of a household.")(command)


def _area(
    session: Session, codes: tuple[str, ...], places: tuple[str, ...], households: tuple[int, ...], on: dt.date
) -> Area:
    """The area of the options. Units may be of any day: an order may speak of a commune that is gone."""
    units = store.area_of_units(session, [_unit(session, code, on) for code in codes]).units if codes else "{}"
    parts = []
    for place in places:
        code, _colon, words = place.partition(":")
        if not words.strip():
            raise click.BadParameter("CODE:WORDS", param_hint="--place")
        parts.append(Place(_unit(session, code, on), words.strip()))
    return Area(units, tuple(households), tuple(parts))


def _unit(session: Session, code: str, on: dt.date | None) -> int:
    try:
        return int(territory.find(session, code, on)["unit_id"])
    except Ambiguous:
        raise
    except NotFound:  # an order may speak of a commune that is gone
        return int(territory.find(session, code)["unit_id"])


def _day(given: dt.datetime | None, session: Session) -> dt.date:
    return given.date() if given else session.today


@zone.command("open")
@click.argument("name")
@_area_options
@click.option("--grade", type=click.IntRange(1, 4), required=True, help="1 green, 2 yellow, 3 orange, 4 red.")
@click.option("--from", "first", type=_DAY, help="First day; today by default.")
@click.option("--until", "end", type=_DAY, help="First day on which it no longer holds.")
@click.option("--regime", help="A directive it applies: directive-15, directive-16, directive-19.")
@click.option("--propose", is_flag=True, help="Only propose it; `zone sign` puts it in force.")
@_signed
@click.option("--json", "as_json", is_flag=True)
def open_(
    name: str, codes: tuple[str, ...], places: tuple[str, ...], households: tuple[int, ...], grade: int,
    first: dt.datetime | None, end: dt.datetime | None, regime: str | None, propose: bool, document: str,
    signed_by: str, as_json: bool,
) -> None:  # fmt: skip
    """Open the zone NAME by an order."""
    actor = _actor("zone.open")
    with begin(actor) as session:
        area = _area(session, codes, places, households, _day(first, session))
        zone_id, order_id = actions.open_zone(
            by=actor, name=name, area=area, grade=grade, signed=Signed(document, signed_by),
            from_day=first.date() if first else None, until_day=end.date() if end else None, regime=regime,
            proposed=propose,
        )  # fmt: skip
        found = findings.of_zone(session, zone_id, session.today)
    if as_json:
        print_json({"zone": zone_id, "order": order_id, "findings": [f.as_dict() for f in found]})
        return
    click.echo(translate(N_("Zone {zone}, order {order}."), language(), zone=zone_id, order=order_id))
    findings.show(found, language(), click.echo)


@zone.command()
@click.argument("order_id", type=int)
@click.option("--from", "first", type=_DAY, help="First day; the proposed one by default.")
@_signed
def sign(order_id: int, first: dt.datetime | None, document: str, signed_by: str) -> None:
    """Put the proposed order ORDER_ID in force."""
    actions.put_in_force(
        by=_actor("zone.open"), order_id=order_id, signed=Signed(document, signed_by),
        from_day=first.date() if first else None,
    )  # fmt: skip


@zone.command()
@click.argument("order_id", type=int)
@_signed
def withdraw(order_id: int, document: str, signed_by: str) -> None:
    """Give up the proposed order ORDER_ID."""
    actions.withdraw(by=_actor("zone.close"), order_id=order_id, signed=Signed(document, signed_by))


@zone.command()
@click.argument("zone_id", type=int)
@click.option("--on", "day", type=_DAY, help="First day on which it no longer holds; today by default.")
@_signed
def close(zone_id: int, day: dt.datetime | None, document: str, signed_by: str) -> None:
    """Lift the order of the zone ZONE_ID."""
    actions.close_zone(
        by=_actor("zone.close"), zone_id=zone_id, signed=Signed(document, signed_by), on=day.date() if day else None
    )


@zone.command()
@click.argument("zone_id", type=int)
@_area_options
@click.option("--grade", type=click.IntRange(1, 4))
@click.option("--from", "first", type=_DAY, help="First day; today by default.")
@click.option("--until", "end", type=_DAY)
@click.option("--regime")
@_signed
@click.option("--json", "as_json", is_flag=True)
def supersede(
    zone_id: int, codes: tuple[str, ...], places: tuple[str, ...], households: tuple[int, ...], grade: int | None,
    first: dt.datetime | None, end: dt.datetime | None, regime: str | None, document: str, signed_by: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Change borders or grade of the zone ZONE_ID by a new order; what is not given stays."""
    actor = _actor("zone.open", "zone.grade")
    with begin(actor) as session:
        area = _area(session, codes, places, households, _day(first, session))
        order_id = actions.supersede(
            by=actor, zone_id=zone_id, signed=Signed(document, signed_by), grade=grade,
            area=None if area.empty else area, from_day=first.date() if first else None,
            until_day=end.date() if end else None, regime=regime,
        )  # fmt: skip
    print_json({"zone": zone_id, "order": order_id}) if as_json else click.echo(str(order_id))


@zone.command("list")
@click.option("--on", "day", type=_DAY, help="The day; today by default.")
@click.option("--all", "ended", is_flag=True, help="Also zones that are over.")
@click.option("--json", "as_json", is_flag=True)
def list_(day: dt.datetime | None, ended: bool, as_json: bool) -> None:
    """Zones and their orders on a day."""
    with begin(_actor()) as session:
        rows = store.zones(session, _day(day, session), ended=ended)
    columns = ("zone_id", "name", "grade", "state", "in_force", "from_day", "until_day", "document", "signed_by")
    print_rows([{c: r[c] for c in columns} for r in rows], as_json, name=N_("Zone"))


@zone.command()
@click.argument("zone_id", type=int, required=False)
@_area_options
@click.option("--on", "day", type=_DAY, help="The day; today by default.")
@click.option("--days", type=click.IntRange(0, 366), help="Who came or left in so many days.")
@click.option("--csv", "csv_file", type=_FILE, help="Write the list to a file, UTF-8 as Excel wants it.")
@click.option("--xlsx", "xlsx_file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Everybody, one JSON document.")
def people(
    zone_id: int | None, codes: tuple[str, ...], places: tuple[str, ...], households: tuple[int, ...],
    day: dt.datetime | None, days: int | None, csv_file: Path | None, xlsx_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Everybody whom the zone ZONE_ID, or an area, concerns; without a file the counts."""
    with begin(_actor("zone.people")) as session:
        on = _day(day, session)
        area = _zone_or_area(session, zone_id, codes, places, households, on)
        rows = store.people(session, area, on, days, zone_id=zone_id)
        names = territory.names(
            session, {u for r in rows for u in (r["unit_id"], r["other_unit"], r["home_unit"]) if u}
        )
    for file in (csv_file, xlsx_file):
        if file is not None:
            export(rows, names, on, file)
    if as_json:
        print_json(rows)
    else:
        summary(rows, on)


def _zone_or_area(
    session: Session, zone_id: int | None, codes: tuple[str, ...], places: tuple[str, ...],
    households: tuple[int, ...], on: dt.date,
) -> Area:  # fmt: skip
    if (zone_id is None) == (not codes and not places and not households):
        message = N_("Give a zone, or an area (--unit, --place, --household).")
        raise click.UsageError(translate(message, language()))
    if zone_id is None:
        return _area(session, codes, places, households, on)
    return store.area_of(session, store.order_on(session, zone_id, on))


@zone.command()
@click.argument("zone_id", type=int)
@_area_options
@click.option("--on", "day", type=_DAY, help="The later day; today by default.")
@click.option("--since", type=_DAY, help="The earlier day; by default the same, for another border.")
@click.option("--json", "as_json", is_flag=True)
def diff(
    zone_id: int, codes: tuple[str, ...], places: tuple[str, ...], households: tuple[int, ...],
    day: dt.datetime | None, since: dt.datetime | None, as_json: bool,
) -> None:  # fmt: skip
    """Who is concerned otherwise: between two days (--since), or under another border (--unit ...)."""
    with begin(_actor("zone.people")) as session:
        on = _day(day, session)
        first = since.date() if since else on
        before = store.area_of(session, store.order_on(session, zone_id, first))
        moved = _area(session, codes, places, households, on)
        after = store.area_of(session, store.order_on(session, zone_id, on)) if moved.empty else moved
        rows = store.difference(session, (before, first), (after, on))
    if as_json:
        print_json(rows)
        return
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["before"] or "–", row["after"] or "–")
        counts[key] = counts.get(key, 0) + 1
    print_rows([{"before": a, "after": b, "people": n} for (a, b), n in sorted(counts.items())], as_json)


@zone.command()
@click.option("--on", "day", type=_DAY, help="The day; today by default.")
@click.option("--unit", "code", help="Only communes of this unit.")
@click.option("--basis", type=click.Choice(["week", "fortnight"]), default="week", show_default=True)
@click.option("--scheme", help="Another scheme than that of the day: 4800, 218.")
@click.option("--changed", "only", is_flag=True, help="Only communes whose grade would change.")
@click.option("--json", "as_json", is_flag=True)
def grade(day: dt.datetime | None, code: str | None, basis: str, scheme: str | None, only: bool, as_json: bool) -> None:
    """Propose a grade for every commune, with the figures behind it."""
    with begin(_actor("zone.grade")) as session:
        on = _day(day, session)
        area = store.area_of_units(session, [_unit(session, code, on)]).units if code else None
        found = grading.proposals(session, on, scheme=scheme, basis=basis, area=area)
    shown = grading.changed(found) if only else found
    if as_json:
        print_json([grading.as_dict(g) for g in shown])
        return
    table = titled(
        N_("Code"), N_("Commune"), N_("People"), N_("Cases"), N_("Late cases"), N_("per 100,000 a week"),
        N_("Adults with a dose"), N_("Old, full series"), N_("In force"), N_("Proposed"), N_("Because"),
    )  # fmt: skip
    for g in shown:
        f, p = g.facts, g.proposal
        shares = ["–" if share is None else f"{share:.1%}" for share in (f.adults, f.old)]
        table.add_row(
            g.code, g.name, f"{f.population:,}", str(f.cases.counted), str(f.cases.late),
            "–" if p.weekly_rate is None else f"{p.weekly_rate:.1f}", *shares, str(f.current or "–"),
            str(p.grade or "–"), " ".join(p.steps),
        )  # fmt: skip
    Console().print(table)


@zone.command()
@click.argument("file", type=_GIVEN)
@click.option("--json", "as_json", is_flag=True)
def cases(file: Path, as_json: bool) -> None:
    """Load case counts: CSV of commune, reported_on, onset_on, cases. The same again changes nothing."""
    changed = actions.load_cases(by=machine("epidemic-control", "case.report"), path=file)
    print_json({"changed": changed}) if as_json else click.echo(f"{changed:,}")


@zone.command()
@click.option("--from", "first", type=_DAY, help="First day; a week before the last by default.")
@click.option("--to", "last", type=_DAY, help="Last day; today by default.")
@click.option("--level", type=click.Choice(["province", "district", "commune"]), default="province", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def flows(first: dt.datetime | None, last: dt.datetime | None, level: str, as_json: bool) -> None:
    """How many people went from where to where, by day."""
    with begin(_actor("zone.read")) as session:
        begun, end = days_between(first, last, session.today)
        rows = movement.flows(session, begun, end, level)
    print_rows(rows, as_json)


@zone.command()
@click.argument("zone_id", type=int)
@click.option("--on", "day", type=_DAY)
@click.option("--days", type=click.IntRange(1, 366))
@click.option("--json", "as_json", is_flag=True)
def push(zone_id: int, day: dt.datetime | None, days: int | None, as_json: bool) -> None:
    """Give the police of other communes the people who left the zone ZONE_ID, as work."""
    made = actions.push(by=_actor("zone.people"), zone_id=zone_id, on=day.date() if day else None, days=days)
    print_json({"tasks": made}) if as_json else click.echo(f"{made:,}")


@zone.command()
@click.option("--on", "day", type=_DAY)
@click.option("--json", "as_json", is_flag=True)
def check(day: dt.datetime | None, as_json: bool) -> None:
    """What does not fit: overlapping orders, abolished communes, people in two places, impossible travel."""
    with begin(_actor("zone.people")) as session:
        found = findings.everything(session, _day(day, session))
    if as_json:
        print_json([f.as_dict() for f in found])
    else:
        findings.show(found, language(), click.echo)


@zone.command()
@click.option("--on", "day", type=_DAY)
@click.option("--json", "as_json", is_flag=True)
def refresh(day: dt.datetime | None, as_json: bool) -> None:
    """Write again where the register says everybody is: stays end without anybody typing."""
    actor = machine("residence", "residence.write")
    changed = actions.refresh_presence(by=actor, on=day.date() if day else None)
    print_json({"changed": changed}) if as_json else click.echo(f"{changed:,}")
