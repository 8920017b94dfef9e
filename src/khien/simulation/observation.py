"""What is known of an epidemic: the truth, and what health workers would see of it through imperfect data.

Times are written with their time zone (stored in UTC); Viet Nam is seven hours ahead all year.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khien.simulation.course import HOSPITAL, NEVER
from khien.simulation.epidemic import Day, Epidemic
from khien.simulation.extract import write
from khien.simulation.mixing import HOME, IMPORTED, SETTINGS

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
_UTC_OFFSET = np.timedelta64(7, "h")
_TIME = "TIMESTAMP WITH TIME ZONE"

VISITS = {"personal_number": "VARCHAR", "place": "VARCHAR", "from": _TIME, "to": _TIME, "source": "VARCHAR"}
CASES = {
    "personal_number": "VARCHAR", "onset_on": "DATE", "sampled_on": "DATE", "reported_on": "DATE", "status": "VARCHAR",
    "hospital": "BOOLEAN", "died_on": "DATE",
}  # fmt: skip
PLACES = {
    "place": "VARCHAR", "kind": "VARCHAR", "name": "VARCHAR", "commune": "VARCHAR", "floor_area": "INTEGER",
    "ventilation": "VARCHAR",
}  # fmt: skip
INFECTIONS = {
    "personal_number": "VARCHAR", "infector": "VARCHAR", "infected_at": _TIME, "setting": "VARCHAR", "place": "VARCHAR",
    "generation": "INTEGER", "onset_on": "DATE", "symptomatic": "BOOLEAN", "infectious_from": _TIME,
    "infectious_until": _TIME, "hospital": "BOOLEAN", "died_on": "DATE", "reported_on": "DATE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of one simulated epidemic; `attack` is the share of people infected."""

    people: int
    infections: int
    reported: int
    deaths: int
    visits: int
    attack: float


def simulated(
    epidemic: Epidemic,
    *,
    days: int,
    scan: float,
    folder: Path,
    seen: Callable[[Day], None] = lambda day: None,
) -> Outcome:
    """Run the epidemic and write visits, cases and places, and under truth/ the infections, as Parquet.

    scan: the chance that a visit is recorded, each for itself. What would be known after the last day is left out:
    later reports and deaths. Files of the same name are replaced.
    """
    names = place_names(epidemic)

    def observed() -> Iterator[Columns]:
        for day in epidemic.days(days):
            seen(day)
            yield _visits(epidemic, day, names, scan)

    visits = write(observed(), folder / "visits.parquet", tuple(VISITS), VISITS)
    places = _places(epidemic, names)
    write([places], folder / "places.parquet", tuple(PLACES), PLACES)
    cases = _cases(epidemic, days)
    reported = write([cases], folder / "cases.parquet", tuple(CASES), CASES)
    truth = _infections(epidemic, names)
    infections = write([truth], folder / "truth" / "infections.parquet", tuple(INFECTIONS), INFECTIONS)
    people = len(epidemic.residents)
    deaths = int((epidemic.courses.died < days).sum())
    outcome = Outcome(people, infections, reported, deaths, visits, infections / people)
    run = {"first_day": epidemic.first_day.isoformat(), "days": days, "scan": scan, **asdict(outcome)}
    text = json.dumps({**run, "parameters": epidemic.facts}, ensure_ascii=False, indent=1, default=str)
    (folder / "truth" / "run.json").write_text(text + "\n", encoding="utf-8")
    return outcome


def place_names(epidemic: Epidemic) -> NDArray[np.object_]:
    """The key of every place: letter of its setting, commune, running number."""
    places, codes = epidemic.town.places, epidemic.residents.communes
    letters = np.array([name[0].upper() for name in SETTINGS], dtype=object)
    made = zip(letters[places.setting], codes[places.commune], places.running.tolist(), strict=True)
    return np.array([f"{letter}{code}-{number:06d}" for letter, code, number in made], dtype=object)


def _visits(epidemic: Epidemic, day: Day, names: NDArray[np.object_], scan: float) -> Columns:
    rng = np.random.default_rng(np.random.SeedSequence([epidemic.seed, 7, day.number]))
    visits = day.visits.where(rng.random(len(day.visits.person)) < scan)
    settings = epidemic.facts["settings"]
    sources = np.array([settings[name].get("scanned_by") for name in SETTINGS], dtype=object)
    midnight = _midnight(day.date)
    return {
        "personal_number": epidemic.residents.key[visits.person],
        "place": names[visits.place],
        "from": midnight + visits.start.astype("timedelta64[m]"),
        "to": midnight + visits.end.astype("timedelta64[m]"),
        "source": sources[visits.setting],
    }


def _midnight(day: dt.date) -> np.datetime64:
    """The beginning of the day in Viet Nam, in UTC."""
    return np.datetime64(day, "us") - _UTC_OFFSET


def _places(epidemic: Epidemic, names: NDArray[np.object_]) -> Columns:
    places, settings = epidemic.town.places, epidemic.facts["settings"]
    public = np.flatnonzero(places.setting != HOME)
    setting, running = places.setting[public], places.running[public].tolist()
    by = [settings[name] for name in SETTINGS]
    return {
        "place": names[public],
        "kind": np.array(SETTINGS, dtype=object)[setting],
        "name": np.array([by[s]["name"].format(n=n + 1) for s, n in zip(setting, running, strict=True)], dtype=object),
        "commune": epidemic.residents.communes[places.commune[public]],
        "floor_area": np.array([one.get("floor_area", 0) for one in by])[setting],
        "ventilation": np.array([one.get("ventilation") for one in by], dtype=object)[setting],
    }


def _date(epidemic: Epidemic, days: Ints, before: int = NEVER) -> NDArray[np.datetime64]:
    """Midnights (no time zone) of day numbers; not-a-time for those on or after `before`."""
    dates = (np.datetime64(epidemic.first_day, "D") + days).astype("datetime64[us]")
    return np.where(days < before, dates, np.datetime64("NaT"))


def _cases(epidemic: Epidemic, days: int) -> Columns:
    """Cases reported by the end, in order of report."""
    courses = epidemic.courses
    rows = np.flatnonzero(courses.reported < days)
    rows = rows[np.lexsort((rows, courses.sampled[rows], courses.reported[rows]))]
    onset = np.where(courses.symptomatic[rows], courses.onset[rows], NEVER)
    return {
        "personal_number": epidemic.residents.key[rows],
        "onset_on": _date(epidemic, onset, days),
        "sampled_on": _date(epidemic, courses.sampled[rows]),
        "reported_on": _date(epidemic, courses.reported[rows]),
        "status": np.full(len(rows), "confirmed", dtype=object),
        "hospital": courses.severity[rows] == HOSPITAL,
        "died_on": _date(epidemic, courses.died[rows], days),
    }


def _infections(epidemic: Epidemic, names: NDArray[np.object_]) -> Columns:
    """Everybody infected, in order of time: by whom, when, where."""
    courses, key = epidemic.courses, epidemic.residents.key
    rows = np.flatnonzero(epidemic.infected < NEVER)
    rows = rows[np.lexsort((rows, epidemic.minute[rows], epidemic.infected[rows]))]
    inside = epidemic.infector[rows] >= 0
    settings = np.array([*SETTINGS, "imported"], dtype=object)  # IMPORTED = -1 is the last
    assert IMPORTED == -1
    day = _date(epidemic, epidemic.infected[rows]) - _UTC_OFFSET
    return {
        "personal_number": key[rows],
        "infector": np.where(inside, key[epidemic.infector[rows]], np.array(None, dtype=object)),
        "infected_at": day + epidemic.minute[rows].astype("timedelta64[m]"),
        "setting": settings[epidemic.setting[rows]],
        "place": np.where(inside, names[epidemic.place[rows]], np.array(None, dtype=object)),
        "generation": epidemic.generation[rows],
        "onset_on": _date(epidemic, courses.onset[rows]),
        "symptomatic": courses.symptomatic[rows],
        "infectious_from": _date(epidemic, courses.infectious_from[rows]) - _UTC_OFFSET,
        "infectious_until": _date(epidemic, courses.infectious_until[rows]) - _UTC_OFFSET,
        "hospital": courses.severity[rows] == HOSPITAL,
        "died_on": _date(epidemic, courses.died[rows]),
        "reported_on": _date(epidemic, courses.reported[rows]),
    }
