"""The demonstration's epidemic: orders in every state of their life, people who came and left, and work for the police.

Everything is entered on the day on which it would have been: the clock of the demonstration goes through the last days.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np

from khien.checkpoints import actions as checkpoints
from khien.checkpoints.movement import actions as passing
from khien.checkpoints.movement import store as barriers
from khien.checkpoints.rules.passages import PassageEntry
from khien.core import config
from khien.core.actor import Actor, machine
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.population import actions as population
from khien.territory import store as units
from khien.zones import actions as zones
from khien.zones import movement, store
from khien.zones.rules.area import Area, Place

_sql = Queries("khien.simulation", "zones.sql")
_clock = Queries("khien.simulation")
SEED = 2021
_CITY, _NEIGHBOUR = "79", "80"  # Ho Chi Minh City, Long An
_VIET_NAM = dt.timezone(dt.timedelta(hours=7))
_DAYS = 12  # so many days of movement end on the day it plays on
_RATES = (35, 420, 180, 610, 90, 55, 260, 20, 140, 75, 310, 45, 110, 60)  # cases per 100,000 a week, ward by ward
_LATE_WARD, _LATE_CASES = 10, 240  # a ward whose old cases all came on one day


def actor() -> Actor:
    return machine("demonstration", "*")


@dataclass(frozen=True, slots=True)
class Ground:
    """The district's communes in the order of their codes; `own` is that of the police who sign in."""

    district: int
    wards: Sequence[dict[str, object]]

    def unit(self, at: int) -> int:
        return int(str(self.wards[at % len(self.wards)]["unit_id"]))

    def name(self, at: int) -> str:
        return str(self.wards[at % len(self.wards)]["name"])

    @property
    def all(self) -> list[int]:
        return [self.unit(n) for n in range(len(self.wards))]


def open_zones(on: dt.date, district_code: str, born: dt.date) -> None:
    """Let the last days pass once: orders, movement, visits, cases, needs. Nothing where there are zones already."""
    with begin(actor()) as session:
        if session.value(_sql.any_zone):
            return
        district = units.find(session, district_code, born)
        ground = Ground(district["unit_id"], units.subtree(session, district["unit_id"], level=3, on=born))
    with _days_pass(on):
        _orders_of_the_summer(on, ground)
        leaving, coming = _movers(ground)
        for n in range(_DAYS, -1, -1):
            today = on - dt.timedelta(days=n)
            _turn_to(today)
            _orders_of(n, today, ground)
            _move(today, leaving[n::_DAYS], ground, away=True)
            _move(today, coming[n::_DAYS], ground, away=False)
            if n <= 6:
                _pass(n, today, ground)
    _report(on, ground)
    zones.refresh_presence(by=actor(), on=on)


@contextmanager
def _days_pass(back_to: dt.date) -> Iterator[None]:
    try:
        yield
    finally:
        _turn_to(back_to)


def _turn_to(day: dt.date) -> None:
    with begin(actor(), role="khien_owner") as session:
        session.execute(_clock.set_demo_day, day=day)


def _message(*parts: object) -> UUID:
    return uuid5(NAMESPACE_OID, " ".join(map(str, ("demo zones", *parts))))


# Orders --------------------------------------------------------------------------------------------------------------


def _area(*unit_ids: int) -> Area:
    with begin(actor()) as session:
        return store.area_of_units(session, unit_ids)


def _signed(number: int, day: dt.date, office: str = "Ủy ban nhân dân quận") -> zones.Signed:
    return zones.Signed(f"Quyết định {number}/QĐ-UBND ngày {day:%d/%m/%Y}", f"Chủ tịch {office}")


def _orders_of_the_summer(on: dt.date, ground: Ground) -> None:
    """Directive 16 over the whole district since 09/07/2021, and an outbreak that is over."""
    first = dt.date(2021, 7, 9)
    if first < on:
        _turn_to(first)
        zones.open_zone(
            by=actor(), name="Quận 10: thực hiện Chỉ thị 16", area=_area(ground.district), grade=3, from_day=first,
            signed=_signed(2279, first, "Ủy ban nhân dân Thành phố"), regime="directive-16",
        )  # fmt: skip
    begun = on - dt.timedelta(days=30)
    _turn_to(begun + dt.timedelta(days=1))  # entered a day late: a finding
    name = f"Ổ dịch {ground.name(7)}"
    zone_id, _order = zones.open_zone(
        by=actor(), name=name, area=_area(ground.unit(7)), grade=4, signed=_signed(2514, begun), from_day=begun
    )
    over = on - dt.timedelta(days=9)
    _turn_to(over)
    zones.close_zone(by=actor(), zone_id=zone_id, signed=_signed(2790, over), on=over)


def _orders_of(n: int, today: dt.date, ground: Ground) -> None:
    """What is signed `n` days before the day it plays on."""
    centre = f"Ổ dịch {ground.name(3)}"
    if n == 10:
        area = _area(ground.unit(3))
        zones.open_zone(by=actor(), name=centre, area=area, grade=3, signed=_signed(2761, today), from_day=today)
    elif n == 5:
        area = _area(ground.unit(3), ground.unit(4))
        zones.supersede(
            by=actor(), zone_id=_zone(centre), signed=_signed(2843, today), grade=4, area=area, from_day=today
        )
    elif n == 3:
        with begin(actor()) as session:
            words = session.value(_sql.alley, unit_id=ground.unit(0))
        if words:
            zones.open_zone(
                by=actor(), name=f"Phong tỏa đường {words}, {ground.name(0)}",
                area=Area("{}", (), (Place(ground.unit(0), words),)), grade=4,
                signed=_signed(2871, today, f"Ủy ban nhân dân {ground.name(0)}"), from_day=today,
                until_day=today + dt.timedelta(days=14),
            )  # fmt: skip
    elif n == 0:
        zones.open_zone(
            by=actor(), name=f"Dự kiến: {ground.name(6)}", area=_area(ground.unit(6)), grade=4, proposed=True,
            signed=_signed(2905, today), from_day=today + dt.timedelta(days=1),
        )  # fmt: skip
    if n in (5, 3, 1, 0):
        zones.push(by=actor(), zone_id=_zone(centre))
    if n == 0:
        _visit(ground)


def _zone(name: str) -> int:
    with begin(actor()) as session:
        return next(z["zone_id"] for z in store.zones(session, session.today, ended=True) if z["name"] == name)


def _visit(ground: Ground) -> None:
    """The police of the wards have been to see about half of those who came."""
    with begin(actor()) as session:
        rows = movement.tasks(session, session.today - dt.timedelta(days=7))
    here = [r for r in rows if r["unit_id"] == ground.unit(0)]
    others = [r for r in rows if r["unit_id"] != ground.unit(0)]
    for at, row in enumerate([*here, *others[::2]]):
        if row in here and at >= len(here) * 7 // 12:
            continue
        of = {key: row[key] for key in ("person_id", "zone_id", "unit_id", "came_on")}
        found = "not_found" if at % 11 == 10 else "seen"
        zones.report_task(by=actor(), **of, state=found)  # type: ignore[arg-type]


# Movement ------------------------------------------------------------------------------------------------------------


def _movers(ground: Ground) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
    """Who leaves the two wards of the outbreak, and who comes to them, in the order of their going."""
    with begin(actor()) as session:
        inside = [ground.unit(3), ground.unit(4)]
        others = [unit for unit in ground.all if unit not in inside]
        leaving = session.rows(_sql.movers, units=inside, born=dt.date(2003, 1, 1), many=60)
        coming = session.rows(_sql.movers, units=others, born=dt.date(2003, 1, 1), many=24)
    return leaving, coming


def _move(today: dt.date, people: Sequence[dict[str, int]], ground: Ground, *, away: bool) -> None:
    """Stays with relatives or in lodgings, notified by the host on the day itself."""
    for at, person in enumerate(people):
        draw = np.random.default_rng([SEED, person["person_id"], int(away)])
        # One in five goes to the ward of the police who sign in.
        goal = 0 if at == 0 else int(draw.choice([1, 2, 5, 6, 8, 9, 10, 11, 12, 13]))
        unit = ground.unit(goal) if away else ground.unit(3 + at % 2)
        if unit == person["home_unit"]:
            continue
        population.move(
            by=actor(), person_id=person["person_id"], kind="stay", unit_id=unit, from_day=today,
            until_day=today + dt.timedelta(days=int(draw.integers(16, 29))),
            address=f"{int(draw.integers(2, 180))} hẻm {int(draw.integers(3, 60))}", source="host",
            client_id=_message(person["person_id"], today),
        )  # fmt: skip


def _pass(n: int, today: dt.date, ground: Ground) -> None:
    """People of the district pass its checkpoints by day; one is noted twice, one list comes two days late."""
    with begin(actor()) as session:
        posts = {c["unit_id"]: c["checkpoint_id"] for c in barriers.checkpoints(session)}
        people = session.rows(_sql.movers, units=ground.all, born=dt.date(2003, 1, 1), many=600)[100 + n * 60 :][:60]
        now = session.now
    draw = np.random.default_rng([SEED, n])
    lists: dict[int, list[PassageEntry]] = {}
    for at, person in enumerate(people):
        unit = ground.unit(int(draw.integers(0, len(ground.wards))))
        if unit not in posts or unit == person["home_unit"]:
            continue
        late = n == 2 and at < 3
        moment = _at(today, 6 + int(draw.integers(0, 10)), int(draw.integers(0, 60)))
        if moment > now:  # made in the morning or at night: nobody passes later than now
            moment -= dt.timedelta(days=1)
        if late:
            moment -= dt.timedelta(days=2)
        entry = PassageEntry(_message(today, at), moment, "in", person_id=person["person_id"],
                             from_unit=person["home_unit"], to_unit=unit, checked="register")  # fmt: skip
        lists.setdefault(posts[unit], []).append(entry)
        if at == 7 and n == 1:
            again = PassageEntry(_message(today, at, "again"), min(moment + dt.timedelta(minutes=3), now), "in",
                                 person_id=person["person_id"], from_unit=person["home_unit"], to_unit=unit,
                                 checked="eye")  # fmt: skip
            lists[posts[unit]].append(again)
    for checkpoint_id, entries in lists.items():
        passing.record_passages(by=actor(), checkpoint_id=checkpoint_id, entries=entries)
    if n == 1 and people:
        _impossible(today, people[0], posts, ground)


def _impossible(today: dt.date, person: dict[str, int], posts: dict[int, int], ground: Ground) -> None:
    """One card in Quận 10 and half an hour later at the gate of the neighbouring province."""
    with begin(actor()) as session:
        province = units.find(session, _NEIGHBOUR, today)
        gate = _farthest(session, province["unit_id"], today)
        day = today if session.now > _at(today, 8, 0) else today - dt.timedelta(days=1)
    code = f"CHOT-{gate['code']}"
    checkpoints.add_checkpoint(by=actor(), code=code, name=f"Chốt {gate['name']}", unit_id=gate["unit_id"])
    with begin(actor()) as session:
        far = barriers.checkpoint(session, code=code)["checkpoint_id"]
    unit = ground.unit(9)
    for at, post, goal in ((7, posts.get(unit), unit), (8, far, gate["unit_id"])):
        if post is not None:
            entry = PassageEntry(
                _message("far", at), _at(day, at, 15 if at == 7 else 0), "in", person_id=person["person_id"],
                to_unit=goal, checked="register",
            )  # fmt: skip
            passing.record_passages(by=actor(), checkpoint_id=post, entries=[entry])


def _farthest(session: Session, province: int, on: dt.date) -> dict[str, Any]:
    communes = units.subtree(session, province, level=3, on=on)
    middles = store.middles(session, [c["unit_id"] for c in communes])
    return min((c for c in communes if c["unit_id"] in middles), key=lambda c: middles[c["unit_id"]])


def _at(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), _VIET_NAM)


# Figures -------------------------------------------------------------------------------------------------------------


def _report(on: dt.date, ground: Ground) -> None:
    """Cases day by day for five weeks, one batch of old ones, what wards can treat, and who needs what."""
    with begin(actor()) as session:
        people = {r["home_unit"]: r["people"] for r in session.rows(_sql.people_of, units=ground.all)}
        needs = session.rows(_sql.needs, units=ground.all, on=on)
    draw = np.random.default_rng([SEED, 7])
    lines = []
    for at, ward in enumerate(ground.wards):
        daily = _RATES[at % len(_RATES)] / 100_000 / 7 * people.get(ward["unit_id"], 0)
        for back in range(35, -1, -1):
            reported = on - dt.timedelta(days=back)
            cases = int(draw.poisson(daily))
            if cases:
                lines.append((ward["code"], reported, reported - dt.timedelta(days=2), cases))
    late = ground.wards[_LATE_WARD % len(ground.wards)]["code"]
    lines.append((late, on - dt.timedelta(days=1), on - dt.timedelta(days=40), _LATE_CASES))
    _load(("commune", "reported_on", "onset_on", "cases"), lines, "demo-cases.csv")
    _load(("number", "kind", "from", "until"), [(n["number"], n["kind"], on, None) for n in needs], "demo-needs.csv")
    for at, enough in ((3, False), (4, True), (6, False), (0, True)):
        note = "" if enough else "Thiếu giường có ô xy"
        zones.report_capacity(by=actor(), unit_id=ground.unit(at), sufficient=enough, on=on, note=note)


def _load(columns: Sequence[str], lines: Sequence[Sequence[object]], name: str) -> None:
    file: Path = config.home() / name
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(lines)
    try:
        if "number" in columns:
            zones.load_needs(by=actor(), path=file)
        else:
            zones.load_cases(by=actor(), path=file)
    finally:
        file.unlink()
