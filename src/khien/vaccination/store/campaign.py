"""Reading campaigns, sessions and call lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from khien import rulebook
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.sql import Queries
from khien.territory import store as territory
from khien.vaccination import due
from khien.vaccination.store import desk

SQL = Queries("khien.vaccination", "campaign.sql")


@cache
def call_checks() -> dict[str, Mapping[str, Any]]:
    """The checks of rulebook/vaccination/calls.toml by id."""
    return {check["id"]: check for check in rulebook.load("vaccination", "calls")["check"]}


def call_rules(programme: str, on: dt.date) -> dict[str, Any]:
    """Parameters of a call list: who is in a group by age, and whom a mobile team visits, by the rules of a day."""
    rules = rulebook.load("vaccination", "calls")
    ages = [a for a in rulebook.in_force(rules["age_group"], on) if a["programme"] == programme]
    age = ages[0] if ages else {"older_than": 150, "number": 1, "last": 1}
    home = rulebook.in_force(rules["home_visit"], on)[0]
    return {
        "elder_born": _years_before(on, age["older_than"] + 1),
        "elder_group": age["number"],
        "last_group": age["last"],
        "home_born": _years_before(on, home["from_age"]),
        "home_fact": home["fact"],
    }


def _years_before(on: dt.date, years: int) -> dt.date:
    try:
        return on.replace(year=on.year - years)
    except ValueError:  # 29 February
        return on.replace(year=on.year - years, day=28)


def campaigns(session: Session) -> list[dict[str, Any]]:
    """Campaigns of the actor's area and of the units above it, newest first."""
    session.actor.must("campaign.read")
    return session.rows(SQL.campaigns, area=session.actor.area)


def campaign(session: Session, campaign_id: int) -> dict[str, Any]:
    """One campaign. Raises NotFound, also outside the actor's area."""
    session.actor.must("campaign.read")
    found = session.row(SQL.campaign, campaign_id=campaign_id, area=session.actor.area)
    if found is None:
        raise NotFound(N_("There is no such campaign."))
    return found


def allocations(session: Session, campaign_id: int) -> list[dict[str, Any]]:
    """Doses allocated within the actor's area, by vaccine and place."""
    session.actor.must("campaign.read")
    return session.rows(SQL.allocations, campaign_id=campaign_id, area=session.actor.area)


def units_to_allocate(session: Session, one: dict[str, Any]) -> list[tuple[int, str]]:
    """The units of a campaign that lie in the actor's area, from the top down, indented by their level."""
    rows = session.rows(SQL.units_to_allocate, unit_id=one["unit_id"], area=session.actor.area, on=session.today)
    return [(row["unit_id"], "\u2003" * row["depth"] + row["name"]) for row in rows]


def vaccination_session(session: Session, session_id: int) -> dict[str, Any]:
    """One session. Raises NotFound, also outside the actor's area."""
    found = session.row(SQL.session, session_id=session_id, area=session.actor.area)
    if found is None or not (session.actor.may("campaign.read") or session.actor.may("desk.work")):
        raise NotFound(N_("There is no such vaccination session."))
    return found


def sessions(session: Session, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """Sessions at the sites of the actor's area within some days, both included."""
    session.actor.must("campaign.read")
    return session.rows(SQL.sessions, area=session.actor.area, first=first, last=last)


def call_list(session: Session, session_id: int) -> list[dict[str, Any]]:
    """Who is called, households together. The read is logged."""
    session.actor.must("campaign.read")
    vaccination_session(session, session_id)
    rows = session.rows(SQL.call_list, session_id=session_id)
    if rows:
        session.log("campaign.read", [row["person_id"] for row in rows], session=session_id)
    return rows


def door_to_door(
    session: Session, campaign_id: int, unit_id: int, *, first_only: bool = True, at_home: bool = False
) -> list[dict[str, Any]]:
    """Who in a unit is due, household by household: those without any dose, whom a mobile team visits (`at_home`), or
    everybody. The read is logged."""
    one = campaign(session, campaign_id)
    return due_list(
        session, one["programme"], unit_id, group=one["vaccine_group"], first_only=first_only, at_home=at_home
    )


def due_list(
    session: Session, programme: str, unit_id: int, *, on: dt.date | None = None, group: str | None = None,
    first_only: bool = False, at_home: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Who lives in a unit of the actor's area and is due on a day (today), household by household; one row a person and
    vaccine group. The read is logged."""
    session.actor.must("campaign.read")
    day = on or session.today
    due.find_due(session, programme, _within(session, unit_id), day)
    rules = call_rules(programme, day)
    rows = session.rows(
        SQL.door_to_door, vaccine_group=group, first_only=first_only, at_home=at_home, on=day,
        home_born=rules["home_born"], home_fact=rules["home_fact"],
    )  # fmt: skip
    if rows:
        session.log("campaign.read", {row["person_id"] for row in rows}, unit=unit_id)
    return rows


def _within(session: Session, unit_id: int) -> str:
    """A unit's area as far as it is the actor's: whoever computes who is due may look further than the actor may."""
    area = territory.area_of(session, [unit_id])
    return str(
        session.value("SELECT %(area)s::int4multirange * %(own)s::int4multirange", area=area, own=session.actor.area)
    )


def _below(within: str, top: str) -> str:
    """What a commune lies in, as far as the campaign's own unit does not say it already."""
    return ", ".join(name for name in within.split(", ") if name != top)


def board(session: Session, campaign_id: int) -> dict[str, Any]:
    """The campaign's board within the actor's area: its `sessions`, and a row a commune in `units` with due, called,
    given, refused, and the doses in its fridges that may be given.
    """
    one = campaign(session, campaign_id)
    area = session.actor.area
    found = session.rows(SQL.sessions_of_campaign, campaign_id=campaign_id, area=area)
    counted = desk.figures(session, [s["session_id"] for s in found])
    due.find_due(session, one["programme"], area, session.today)
    units: dict[int, dict[str, Any]] = {}

    def row(unit_id: int) -> dict[str, Any]:
        return units.setdefault(unit_id, dict.fromkeys(("due", "called", "given", "refused", "stock"), 0))

    for each in session.rows(SQL.due_by_unit, vaccine_group=one["vaccine_group"]):
        row(each["unit_id"])["due"] = each["due"]
    for each in found:
        each["figures"] = counted[each["session_id"]]
        for key in ("called", "given", "refused"):
            row(each["unit_id"])[key] += each["figures"][key]
    products = due.products_of_group(one["programme"], one["vaccine_group"])
    disease = session.value(SQL.disease_of_group, products=products)
    for each in session.rows(SQL.stock_by_unit, area=area, disease=disease, on=session.today):
        row(each["unit_id"])["stock"] = each["doses"]
    names, within = territory.names(session, units), territory.within(session, units)
    rows = [
        {
            "unit_id": unit_id,
            "name": names.get(unit_id, ""),
            "within": _below(within.get(unit_id, ""), one["unit_name"]),
            **figures,
        }
        for unit_id, figures in units.items()
    ]
    return {"campaign": one, "sessions": found, "units": sorted(rows, key=lambda r: r["unit_id"])}
