"""An outbreak for the demonstration: infections simulated, cases reported, contacts traced, work begun.

Same seed, same outbreak. The newest cases wait to be traced by whoever tries it.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterable
from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

from khien.checkpoints.movement import actions as movement
from khien.checkpoints.movement import store as checkpoints
from khien.checkpoints.rules.passages import PassageEntry
from khien.core import config
from khien.core.actor import Actor
from khien.core.session import begin
from khien.core.sql import Queries
from khien.simulation import extract, residents
from khien.simulation.epidemic import Epidemic, parameters
from khien.simulation.nation import COLUMNS, Block
from khien.simulation.observation import simulated
from khien.tracing import actions, care
from khien.tracing.case_files import load_cases
from khien.tracing.visits import load_places, load_visits

SQL = Queries("khien.simulation", "demo_tracing.sql")
_CASES = 60  # reported by the day the demonstration plays on
_LONGEST = 40  # days of the outbreak before that day
_SCAN = 0.15  # share of visits that somebody scanned
_SEED = 2021


def outbreak(blocks: Iterable[Block], day: dt.date, by: Actor) -> None:
    """Let an infection spread among the people of a synthetic register until `day`, once; everything a district would
    have recorded of it is loaded and worked on as by hand."""
    with begin(by) as session:
        if session.value(SQL.has_cases):
            return
    folder = config.home() / "demo-outbreak"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        extract.write(blocks, folder / "people.parquet", COLUMNS)
        people = residents.read(folder / "people.parquet", day)
        days = _days(people, day)
        simulated(_epidemic(people, day - dt.timedelta(days=days)), days=days + 1, scan=_SCAN, folder=folder)
        load_places(folder / "places.parquet", by=by)
        load_visits(folder / "visits.parquet", by=by)
        load_cases(folder / "cases.parquet", by=by)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _traced(day, by)
    _worked(by)


def _epidemic(people: residents.Residents, first: dt.date) -> Epidemic:
    return Epidemic(people, seed=_SEED, first_day=first, imported=max(2, len(people) // 25_000), facts=parameters(2.6))


def _days(people: residents.Residents, day: dt.date) -> int:
    """How many days it takes until so many cases are reported: small towns take fewer."""
    running = _epidemic(people, day - dt.timedelta(days=_LONGEST))
    for one in running.days(_LONGEST):
        if (running.courses.reported <= one.number).sum() >= _CASES:
            return one.number
    return _LONGEST


def _traced(day: dt.date, by: Actor) -> None:
    with begin(by) as session:
        early = [row["person_id"] for row in session.rows(SQL.cases_until, until=day - dt.timedelta(days=1))]
    if early:
        actions.trace(by=by, persons=early, depth=2)


def _worked(by: Actor) -> None:
    """Some calls and orders; diaries, one of them alarming; somebody isolated who was seen at a checkpoint."""
    rng = random.Random(_SEED)  # noqa: S311 - the same demonstration every time
    with begin(by) as session:
        rows = session.rows(SQL.first_contacts, most=60)
        places = checkpoints.checkpoints(session)
    isolated = []
    for row in rows:
        whom = {"person_id": row["person_id"], "case_person_id": row["case_person_id"], "case_id": row["case_id"]}
        luck = rng.random()
        if luck < 0.55:
            care.work_on_contact(by=by, state="called" if luck < 0.45 else "not_found", **whom)
        if luck < 0.30:
            care.order_isolation(by=by, **whom)
            isolated.append(row["person_id"])
    for n, person in enumerate(isolated[:3]):
        care.note_symptoms(
            by=by, person_id=person, client_id=uuid5(NAMESPACE_OID, f"demo diary {person}"),
            symptoms=["fever", "cough"] if n == 0 else [], temperature=Decimal("38.4") if n == 0 else Decimal("36.7"),
        )  # fmt: skip
    with begin(by) as session:
        now = session.now
    if isolated and places:
        seen = PassageEntry(
            client_id=uuid5(NAMESPACE_OID, f"demo breach {isolated[-1]}"), passed_at=now, direction="out",
            person_id=isolated[-1], checked="register",
        )  # fmt: skip
        movement.record_passages(by=by, checkpoint_id=places[0]["checkpoint_id"], entries=[seen])
