"""The demonstration: a district of Ho Chi Minh City in September 2021, 100,000 invented people, a login for each role.

Every step may run again and changes nothing then, so a demonstration that was interrupted is taken up where it stopped.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from khien.access import actions as access
from khien.access import store as accounts
from khien.access.roles import roles
from khien.checkpoints import actions as checkpoints
from khien.checkpoints.movement import store as movement
from khien.core import config
from khien.core.actor import Actor, machine
from khien.core.session import begin
from khien.core.sql import Queries
from khien.coverage import snapshot
from khien.population.load.loader import load_extract
from khien.simulation import campaign, extract
from khien.simulation.nation import COLUMNS, Block, nation
from khien.territory import actions as territory
from khien.territory import sources
from khien.territory import store as units
from khien.vaccination import actions as vaccination
from khien.vaccination import store as vaccination_store

PROVINCE, DISTRICT = "79", "771"  # Ho Chi Minh City, District 10, in the list of 2021
SEED = 2021
BORN = dt.date(2021, 9, 1)  # the day the extract is of, whatever day the demonstration plays on
# code: (name, kind, level of the unit it serves)
_AGENCIES = {
    "tram-y-te": ("Trạm Y tế", "station", 3),
    "cong-an-phuong": ("Công an", "police", 3),
    "cdc": ("Trung tâm Kiểm soát bệnh tật", "cdc", 1),
    "chot": ("Chốt kiểm soát", "checkpoint", 3),
    "bo-y-te": ("Bộ Y tế", "ministry", 0),
}
_AGENCY_OF = {
    "vaccinator": "tram-y-te", "station-head": "tram-y-te", "commune-police": "cong-an-phuong", "epidemiologist": "cdc",
    "checkpoint-officer": "chot", "national-analyst": "bo-y-te", "administrator": "bo-y-te", "auditor": "bo-y-te",
}  # fmt: skip
Progress = Callable[[str, int, int], None]  # stage, done, of (0: unknown)

SQL = Queries("khien.simulation")
_BATCH = 5000


def actor() -> Actor:
    return machine("demonstration", "*")


def load_units() -> None:
    with begin(actor()) as session:
        if len(units.systems(session)) >= 2:
            return
    systems = [sources.system_2021(), sources.system_2025()]
    names = (systems[0].name, systems[1].name)
    territory.load_units(by=actor(), systems=systems, successions={names: sources.successions()})


def load_people(people: int, progress: Progress) -> None:
    """Invent the district's people once, and load them as any register extract is loaded."""
    with begin(actor(), role="khien_loader") as session:
        if session.value(SQL.has_people):
            return
    file = config.home() / "demo.parquet"
    extract.write(invented(people), file, COLUMNS)
    load_extract(file, by=actor(), as_of=BORN, progress=progress)
    file.unlink()


def invented(people: int) -> Iterator[Block]:
    """The district's people, the same whenever they are asked for."""
    return nation(people=people, seed=SEED, on=BORN, area=[DISTRICT])


def open_sites() -> dict[int, str]:
    """A vaccination site in each commune of the district; returns their codes by unit id."""
    with begin(actor()) as session:
        communes = units.subtree(session, _district(session)["unit_id"], level=3, on=BORN)
    sites = [
        {"code": f"TYT-{c['code']}", "name": f"Trạm Y tế {c['name']}", "unit_id": c["unit_id"], "kind": "station"}
        for c in communes
    ]
    vaccination.add_sites(by=actor(), sites=sites)
    return {site["unit_id"]: site["code"] for site in sites}


def open_checkpoints() -> None:
    """A checkpoint in each commune of the district."""
    with begin(actor()) as session:
        communes = units.subtree(session, _district(session)["unit_id"], level=3, on=BORN)
        have = {c["code"] for c in movement.checkpoints(session)}
    for commune in communes:
        if f"CHOT-{commune['code']}" in have:
            continue
        checkpoints.add_checkpoint(
            by=actor(), code=f"CHOT-{commune['code']}", name=f"Chốt {commune['name']}", unit_id=commune["unit_id"]
        )


def vaccinate(until: dt.date, site_of_unit: dict[int, str], progress: Progress) -> None:
    """Record the campaign's doses up to a day. Those that are there already stay as they are."""
    for lot in campaign.lots(dt.date(2021, 6, 1), dt.date(2022, 3, 1)):
        vaccination.receive_lot(by=actor(), **lot)
    with begin(actor(), role="khien_loader") as session:
        rows = session.rows(SQL.people_for_campaign, units=list(site_of_unit))
        have = session.value(SQL.count_doses)
    people = campaign.People(
        np.array([r["person_id"] for r in rows], dtype=np.int64),
        np.array([r["birth_date"] for r in rows], dtype="datetime64[D]"),
        np.array([r["home_unit"] for r in rows], dtype=np.int32),
        np.array([r["died_on"] for r in rows], dtype="datetime64[D]"),
    )
    entries = list(campaign.doses(people, until, site_of_unit, seed=SEED))
    if have >= len(entries):
        return
    done = 0
    for batch in _batches(entries, _BATCH):
        vaccination.record_doses(by=actor(), entries=batch)
        done += len(batch)
        progress("doses", done, len(entries))


def open_sessions(on: dt.date, site_of_unit: dict[int, str]) -> None:
    """A campaign of the province with its doses allocated, and at each site a session of the day it plays on, with
    vaccine in the fridge and people called; the first site sends a mobile team too."""
    with begin(actor()) as session:
        lots = vaccination_store.usable_lots(session, on)
        province = units.find(session, PROVINCE, BORN)
    if not lots:
        return
    lot = {key: lots[0][key] for key in ("product", "lot_number")}
    campaign_id = vaccination.open_campaign(
        by=actor(), client_id=uuid5(NAMESPACE_OID, f"campaign {on:%Y-%m}"), name=f"Chiến dịch tháng {on:%m/%Y}",
        programme="covid_19_vn_2021", vaccine_group="COVID-19", unit_id=province["unit_id"],
        starts_on=on.replace(day=1), ends_on=on + dt.timedelta(days=60),
    )  # fmt: skip
    vaccination.allocate(
        by=actor(), client_id=uuid5(NAMESPACE_OID, f"allocation {on}"), campaign_id=campaign_id, product=lot["product"],
        doses=100_000, unit_id=province["unit_id"],
    )  # fmt: skip
    sites = list(site_of_unit.values())
    kinds = [(site, "mobile", 20) for site in sites[:1]] + [(site, "site", 200) for site in sites]
    for site, kind, places in kinds:
        message = uuid5(NAMESPACE_OID, f"session {on} {site}" if kind == "site" else f"{kind} {on} {site}")
        opened = vaccination.open_session(
            by=actor(), client_id=message, campaign_id=campaign_id, site=site, day=on, places=places, kind=kind, **lot
        )
        if kind == "site":
            vaccination.receive_stock(by=actor(), client_id=message, site=site, doses=300, **lot)
            vaccination.allocate(
                by=actor(), client_id=message, campaign_id=campaign_id, product=lot["product"], doses=300, site=site
            )
        vaccination.call_people(by=actor(), session_id=opened)


def set_day(day: dt.date) -> None:
    """Let every decision be taken as on `day`. Only the demonstration's database has such a day."""
    with begin(actor(), role="khien_owner") as session:
        session.execute(SQL.set_demo_day, day=day)
        session.log("demo.day", day=str(day))


def add_logins(day: dt.date) -> list[tuple[str, str, str]]:
    """One account a role, made once: (role, username, password). Kept in our own folder, readable by us alone."""
    kept = config.home() / f"logins-{config.current_database()}.json"
    if kept.exists():
        logins = [(role, name, word) for role, name, word in json.loads(kept.read_text())]
        with begin(actor()) as session:
            if accounts.has_account(session, logins[0][1]):  # not those of a database that is gone
                return logins
    with begin(actor()) as session:
        district = _district(session)
        commune = units.subtree(session, district["unit_id"], level=3, on=BORN)[0]
        province = units.find(session, PROVINCE, BORN)
    place = {0: None, 1: province["unit_id"], 2: district["unit_id"], 3: commune["unit_id"]}
    name_of = {0: "", 1: province["name"], 2: district["name"], 3: f"{commune['name']}, {district['name']}"}
    for code, (title, kind, level) in _AGENCIES.items():
        named = f"{title} {name_of[level]}".strip()
        access.add_agency(by=actor(), code=code, name=named, kind=kind, unit_id=place[level])
    logins = []
    for role in roles(day).values():
        name, word = role.id, secrets.token_urlsafe(12)
        access.add_account(by=actor(), username=name, name=role.title.vi, password=word)
        agency = _AGENCY_OF.get(role.id)
        access.assign_role(by=actor(), username=name, role=role.id, unit_id=place[role.level], agency=agency)
        logins.append((role.id, name, word))
    citizen = _citizen(commune["unit_id"])
    if citizen is not None:
        access.open_own_record(by=actor(), username="citizen", person_id=citizen)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(logins, out)
    return logins


def _citizen(commune: int) -> int | None:
    """Somebody of age who lives in the commune: the one whom the citizen's account belongs to. None in a tiny demo."""
    with begin(actor()) as session:
        people = session.rows(SQL.people_for_campaign, units=[commune])
    grown_up = (p["person_id"] for p in people if p["died_on"] is None and p["birth_date"] < dt.date(2000, 1, 1))
    return next(grown_up, None)


def build_coverage() -> None:
    snapshot.build(by=actor())


def _district(session: Any) -> dict[str, Any]:
    return units.find(session, DISTRICT, BORN)


def _batches(entries: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(entries)
    while batch := list(islice(left, size)):
        yield batch
