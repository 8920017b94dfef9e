"""Questions on zones and on who is in them. Lists of people log that each of them was read.

An area beyond the actor's own is not found. `on` is a day in Viet Nam; answers on people are as of its last moment,
for today as of now.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, LiteralString

from psycopg.rows import args_row

from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.core.text import fold
from khien.zones import needs
from khien.zones.rules.area import Area, Place
from khien.zones.rules.lifecycle import COUNTING
from khien.zones.rules.presence import VIET_NAM, rule_of, sighting_hours
from khien.zones.rules.presence import Place as Presence

Row = dict[str, Any]
_q = Queries("khien.zones")
_pages = Queries("khien.zones", "pages.sql")
LISTS = ("resident_present", "temporary_present", "resident_away", "not_found", "left")


@dataclass(frozen=True, slots=True)
class Member:
    """A person whom an area concerns. See zone_lists in functions.sql for `list` and `moved`."""

    person_id: int
    list: str
    unit_id: int | None
    certainty: str
    reason: str
    since: dt.date | None
    moved: str | None
    moved_on: dt.date | None
    other_unit: int | None


def moment_of(session: Session, on: dt.date) -> dt.datetime:
    """The last moment of a day in Viet Nam, or now if the day has not ended."""
    end = dt.datetime.combine(on + dt.timedelta(days=1), dt.time(), VIET_NAM) - dt.timedelta(microseconds=1)
    return end if on < session.today else max(session.now, end - dt.timedelta(days=1))


def window_days(on: dt.date) -> int:
    """For how many days back movement is listed by default."""
    return int(rule_of("window", on)["days"])


def area_of_units(session: Session, unit_ids: Iterable[int]) -> Area:
    return Area(session.value(_q.area_of_units, ids=sorted(set(unit_ids))))


def must_reach(session: Session, area: Area) -> None:
    """Raise NotFound unless the area lies within the actor's."""
    if not session.value(_q.within_reach, **parts(area)):
        raise NotFound(N_("There is no such zone."))


def zones(session: Session, on: dt.date, *, ended: bool = False, area: str | None = None) -> list[Row]:
    """Zones with the order that counts on a day, else their newest; with `ended` also those that are over.

    Columns of `zones` in queries.sql; `area` (a multirange literal) keeps those that touch it.
    """
    session.actor.must("zone.read")
    return session.rows(_q.zones, on=on, ended=ended, area=area)


def history(session: Session, zone_id: int) -> list[Row]:
    """All orders of a zone, the newest first. Raises NotFound."""
    session.actor.must("zone.read")
    found = session.rows(_q.history, zone_id=zone_id)
    if not found:
        raise NotFound(N_("There is no such zone."))
    return found


def order_on(session: Session, zone_id: int, on: dt.date) -> Row:
    """The order of a zone that counts on a day; where none does, the newest. Raises NotFound."""
    orders = history(session, zone_id)
    counting = (o for o in orders if holds(o, on))
    return next(counting, orders[0])


def order(session: Session, zone_id: int, order_id: int) -> Row:
    """One order of a zone. Raises NotFound."""
    for found in history(session, zone_id):
        if found["order_id"] == order_id:
            return found
    raise NotFound(N_("There is no such order."))


def holds(order: Row, on: dt.date) -> bool:
    """Whether an order counts on a day. One that was superseded on its own first day never did."""
    if order["state"] not in COUNTING or order["from_day"] is None:
        return False
    return bool(order["from_day"] <= on and (order["until_day"] is None or on < order["until_day"]))


def area_of(session: Session, order: Row) -> Area:
    """What an order covers."""
    places = session.rows(_q.places, order_id=order["order_id"])
    households = session.rows(_q.households, order_id=order["order_id"])
    return Area(
        order["area"],
        tuple(r["household_id"] for r in households),
        tuple(Place(r["unit_id"], r["name"]) for r in places),
    )


def units_of(session: Session, area: Area, on: dt.date) -> list[Row]:
    """The fewest units that make up an area: unit_id, code, name, level, system, exists_then."""
    return session.rows(_q.units_of_area, area=area.units, on=on)


def addresses(session: Session, households: Iterable[int]) -> list[Row]:
    """Where households of an order are: household_id, address, unit_name; only of the actor's area."""
    return session.rows(_pages.addresses, ids=list(households))


def middles(session: Session, unit_ids: Iterable[int]) -> dict[int, tuple[float, float]]:
    """Longitude and latitude (WGS 84) of units' middles; absent where it is not known."""
    rows = session.rows(_pages.middles, ids=sorted(set(unit_ids)))
    return {r["unit_id"]: (r["lon"], r["lat"]) for r in rows if r["lon"] is not None}


def around(session: Session, unit_ids: Iterable[int], on: dt.date) -> int | None:
    """The smallest unit above communes that all of these lie in; None where there is none on that day."""
    found: int | None = session.value(_pages.around, ids=list(unit_ids), on=on)
    return found


def capacity(session: Session, unit: Row, on: dt.date) -> list[Row]:
    """The newest report of every commune of a unit: unit_id, code, name, sufficient (None: none), reported_on, note."""
    session.actor.must("zone.grade")
    return session.rows(_pages.capacity, on=on, first=unit["unit_id"], last=unit["last_id"])


def named(session: Session, person_ids: Iterable[int]) -> dict[int, Row]:
    """Names and years of birth of people on a page, of those whom the actor sees. Their list is what is logged."""
    session.actor.must("zone.people")
    return {r["person_id"]: r for r in session.rows(_pages.named, ids=sorted(set(person_ids)))}


def unit_grades(session: Session, unit_ids: Iterable[int], on: dt.date) -> dict[int, Row]:
    """Grades of units on a day: grade (strictest in any part), whole (in the whole unit), orders, zones, mixed."""
    session.actor.must("zone.read")
    return {r["unit_id"]: r for r in session.rows(_q.unit_grades, ids=list(unit_ids), on=on)}


def members(session: Session, area: Area, on: dt.date, days: int | None = None) -> list[Member]:
    """Whom an area concerns, without their data. Not logged: nobody is identified. Raises NotFound, NotAllowed."""
    session.actor.must("zone.people")
    must_reach(session, area)
    # The columns of the query are those of Member: a large list is made once, not once as dicts and once as members.
    with session.connection.cursor(row_factory=args_row(Member)) as cursor:
        return cursor.execute(_q.members, asked(session, area, on, days)).fetchall()


def people(
    session: Session, area: Area, on: dt.date, days: int | None = None, *, zone_id: int | None = None,
    disease: str = "covid-19",
) -> list[Row]:  # fmt: skip
    """Whom an area concerns, with name, birth, household, doses and needs (columns of zone_people). Logged.

    Sorted by list, household, then age. Raises NotFound, NotAllowed.
    """
    session.actor.must("zone.people")
    must_reach(session, area)
    found = session.rows(_q.people, **asked(session, area, on, days), disease=disease)
    detail = {"zone": zone_id} if zone_id is not None else {}
    if found:
        session.log("zone.people", [r["person_id"] for r in found], on=str(on), **detail)
    return found


def people_page(
    session: Session, area: Area, on: dt.date, only: str, *, page: int, skip: int = 0, days: int | None = None,
    zone_id: int | None = None, disease: str = "covid-19",
) -> list[Row]:  # fmt: skip
    """Some of one list (of LISTS, or "arrived", "left"), as `people` gives them. Logged."""
    return _part(session, _q.people_page, area, on, days, zone_id, only=only, page=page, skip=skip, disease=disease)


def household_sheets(
    session: Session, area: Area, on: dt.date, *, page: int, skip: int = 0, zone_id: int | None = None,
    disease: str = "covid-19",
) -> list[list[Row]]:  # fmt: skip
    """Those present, a list a household, `page` households after the first `skip`. Logged."""
    rows = _part(session, _q.sheets, area, on, 0, zone_id, page=page, skip=skip, disease=disease)
    return [list(home) for _number, home in groupby(rows, key=lambda r: r["home"])]


def needing(
    session: Session, area: Area, on: dt.date, need: str, *, page: int, skip: int = 0, zone_id: int | None = None,
    disease: str = "covid-19",
) -> list[Row]:  # fmt: skip
    """Those present who need one thing (of actions.NEEDS), as `people` gives them. Logged."""
    return _part(session, _pages.needing, area, on, 0, zone_id, need=need, page=page, skip=skip, disease=disease)


def _part(
    session: Session, query: LiteralString, area: Area, on: dt.date, days: int | None, zone_id: int | None, **more: Any
) -> list[Row]:
    session.actor.must("zone.people")
    must_reach(session, area)
    rows = session.rows(query, asked(session, area, on, days), **more)
    if rows:
        session.log("zone.people", [r["person_id"] for r in rows], on=str(on), zone=zone_id)
    return rows


def figures(session: Session, area: Area, on: dt.date, days: int | None = None) -> dict[str, int]:
    """How many people are in each list, came and left, and what those present need. No person is given out."""
    session.actor.must("zone.people")
    must_reach(session, area)
    rows = session.rows(_q.people, asked(session, area, on, days), disease="covid-19")
    lists = Counter(r["list"] for r in rows)
    moved = Counter(f"moved_{r['moved']}" for r in rows if r["moved"])
    return {name: lists[name] for name in LISTS} | moved | needs.counts(rows, on)


def first_day(session: Session) -> dt.date | None:
    """The first day on which any order held."""
    found: dt.date | None = session.value(_q.first_day)
    return found


def difference(
    session: Session, before: tuple[Area, dt.date], after: tuple[Area, dt.date], days: int | None = None
) -> list[Row]:
    """Whose list differs between two borders or days: person_id, before, after (a list or None), unit_id, certainty."""
    session.actor.must("zone.people")
    for area, _on in (before, after):
        must_reach(session, area)
    first, second = asked(session, *before, days), asked(session, *after, days)
    shared = {"days": first.pop("days"), "hours": first.pop("hours")}
    numbered = {f"{key}_a": value for key, value in first.items()}
    numbered |= {f"{key}_b": value for key, value in second.items() if key not in shared}
    # At one moment only those can differ who have to do with what one border holds and the other does not.
    same = before[1] == after[1] and (before[0].households, before[0].places) == (after[0].households, after[0].places)
    touching = session.value(_q.moved_border, a=before[0].units, b=after[0].units) if same else None
    found = session.rows(_q.difference, numbered | shared, touching=touching)
    if found:
        session.log("zone.people", [r["person_id"] for r in found], on=str(after[1]), difference=True)
    return found


def presence(session: Session, person_id: int, moment: dt.datetime) -> Presence:
    """Where a person is at a moment, how certain that is and why. Raises NotFound outside the actor's scope."""
    row = session.row(_q.presence, person_id=person_id, moment=moment, hours=sighting_hours(moment.date()))
    if row is None or row["unit_id"] is None:
        raise NotFound
    session.log("zone.people", [person_id])
    return Presence(row["unit_id"], row["certainty"], row["reason"], row["since"])


def stale_presence(session: Session, on: dt.date) -> int:
    """How many records say a present unit other than the residence register gives for a day."""
    return int(session.value(_q.stale_presence, on=on))


def parts(area: Area) -> dict[str, Any]:
    """An area as arguments of the SQL functions."""
    return {
        "area": area.units,
        "households": list(area.households),
        "place_units": [p.unit_id for p in area.places],
        "place_words": [fold(p.name) for p in area.places],
    }


def asked(session: Session, area: Area, on: dt.date, days: int | None) -> dict[str, Any]:
    """The arguments of the SQL functions about an area on a day; `days` None: as many as the rulebook says."""
    return {
        **parts(area),
        "moment": moment_of(session, on),
        "days": window_days(on) if days is None else days,
        "hours": sighting_hours(on),
    }
