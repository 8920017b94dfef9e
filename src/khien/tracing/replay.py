"""A real outbreak replayed in order of report: what a trace lists before the diagnosis, whom it finds looking back.

The published contacts become visits to a place of their own; some are left out, false ones are added. Nothing is kept:
the replay runs in a transaction that is rolled back.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from uuid import uuid4

from khien.core.actor import Actor
from khien.core.errors import BadInput, NotFound
from khien.core.i18n import N_
from khien.core.session import Session, begin
from khien.core.sql import Queries
from khien.tracing import actions, backward, chains
from khien.tracing.outbreak import Link, Patient
from khien.tracing.rules.window import midnight

_q = Queries("khien.tracing", "replay.sql")
_KINDS = {"hospital": "hospital", "emergency": "hospital", "ward": "hospital", "family": "household",
          "household": "household", "home": "household", "work": "work", "school": "school",
          "market": "market"}  # fmt: skip
_LONGEST = 13  # days of an exposure that are replayed


@dataclass(frozen=True, slots=True)
class Replayed:
    """`recall`: of the truly infected, the share listed before their diagnosis; `infector`, `infector_top3`: the share
    whose true infector is first, or among the first three, looking back on the day of report; `lead`: median days from
    list to diagnosis, None if nobody was listed. `undated`: patients without any day, `unknown`: links that name nobody
    of the line list or join somebody to themselves; both are left out."""

    patients: int
    infected: int
    recall: float
    infector: float
    infector_top3: float
    lead: float | None
    listed_for_one: float
    superspreaders: list[str]
    undated: int
    unknown: int
    offspring: chains.Offspring | None
    serial: tuple[chains.Estimate, chains.Estimate] | None


class _Undo(Exception):
    pass


def replay(
    patients: Sequence[Patient], links: Sequence[Link], *, by: Actor, left_out: float = 0.0, false: float = 0.0,
    serial: tuple[float, float] | None = None, seed: int = 1,
) -> Replayed:  # fmt: skip
    """Report case after case, tracing each forward and looking back, with nothing known that was not known that day.

    left_out: share of the contacts that nobody scanned; false: false contacts for each true one; serial: mean and
    standard deviation of the disease's serial interval in days. Raises BadInput where nothing can be replayed, NotFound
    without administrative units, NotAllowed.
    """
    dated = [p for p in patients if _day(p) is not None]
    ids = {p.id for p in dated}
    true = [k for k in links if k.infector in ids and k.infected in ids and k.infector != k.infected]
    if len(dated) < 2 or not true:
        raise BadInput(N_("No contact joins two dated patients of the line list: nothing can be replayed."))
    found: list[Replayed] = []
    with suppress(_Undo), begin(by) as session:
        found.append(_replay(session, by, dated, true, left_out, false, serial, random.Random(seed)))  # noqa: S311
        raise _Undo
    done = found[0]
    return Replayed(
        **{name: getattr(done, name) for name in Replayed.__slots__ if name not in ("undated", "unknown")},
        undated=len(patients) - len(dated), unknown=len(links) - len(true),
    )  # fmt: skip


def _replay(
    session: Session, by: Actor, patients: list[Patient], links: list[Link], left_out: float, false: float,
    serial: tuple[float, float] | None, rng: random.Random,
) -> Replayed:  # fmt: skip
    made = session.rows(_q.people, many=len(patients))
    if not made:
        raise NotFound(N_("No administrative units are loaded. Try: khien units load"))
    person = {patient.id: row["person_id"] for patient, row in zip(patients, made, strict=True)}
    known = {p.id: p for p in patients}
    shown = [link for link in links if rng.random() >= left_out]
    pairs = [rng.sample(list(person), 2) for _ in range(int(false * len(links)))]
    wrong = [Link(one, other, "visit") for one, other in pairs]
    for number, link in enumerate(shown + wrong):
        _meet(session, known[link.infected], link, person, number)
    truth = {
        infected: {k.infector for k in links if k.infected == infected} for infected in {k.infected for k in links}
    }
    listed: dict[int, dt.date] = {}
    entries, first, top = 0, 0, 0
    for patient in sorted(patients, key=lambda p: (_sure(p), person[p.id])):
        day, who = _sure(patient), person[patient.id]
        onset = patient.onset if patient.onset and patient.onset <= day else None
        entry = actions.CaseEntry(
            uuid4(), who, onset_on=onset, sampled_on=day, reported_on=day, isolated_at=midnight(day)
        )
        actions.report_case(by=by, entry=entry, retrace=False)
        moment = midnight(day + dt.timedelta(days=1))
        traced = actions.trace(by=by, persons=[who], moment=moment, keep=False)[0]
        entries += len(traced.contacts)
        for contact in traced.contacts:
            listed.setdefault(contact.person_id, day)
        if patient.id in truth:
            case = {"person_id": who, "onset_on": onset, "sampled_on": day}
            back = [s.infector for s in backward.suspects(by=by, cases=[case], moment=moment, serial=serial)[who]]
            infectors = {person[i] for i in truth[patient.id]}
            first += bool(infectors & set(back[:1]))
            top += bool(infectors & set(back[:3]))
    hit = [i for i in truth if listed.get(person[i], dt.date.max) < _sure(known[i])]
    spread = Counter(link.infector for link in links)
    counted = Counter(min(infectors, key=lambda i: _sure(known[i])) for infectors in truth.values())
    between = [(b - a).days for k in links if (a := known[k.infector].onset) and (b := known[k.infected].onset)]
    return Replayed(
        len(patients), len(truth), len(hit) / len(truth), first / len(truth), top / len(truth),
        median((_sure(known[i]) - listed[person[i]]).days for i in hit) if hit else None, entries / max(1, len(hit)),
        [i for i, _ in spread.most_common(3)], 0, 0,
        chains.offspring([counted[p.id] for p in patients]), chains.serial_interval(between),
    )  # fmt: skip


def _day(patient: Patient) -> dt.date | None:
    return patient.diagnosed or patient.reported or patient.onset


def _sure(patient: Patient) -> dt.date:
    day = _day(patient)
    assert day is not None
    return day


def _meet(session: Session, patient: Patient, link: Link, person: dict[str, int], number: int) -> None:
    """Two people at a place of their own for two hours on each day on which the infected was exposed."""
    kind = next((kind for word, kind in _KINDS.items() if word in link.exposure.lower()), "unknown")
    last = patient.exposed_until or (patient.onset or _sure(patient)) - dt.timedelta(days=2)
    first = patient.exposed_from or last - dt.timedelta(days=3)
    first = max(min(first, last), last - dt.timedelta(days=_LONGEST))
    session.execute(
        _q.meet, code=f"replay:{number}", kind=kind, people=[person[link.infector], person[link.infected]],
        first=midnight(first) + dt.timedelta(hours=10), last=midnight(last) + dt.timedelta(hours=10),
    )  # fmt: skip
