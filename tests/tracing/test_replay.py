"""A real outbreak replayed in order of report: what a trace lists before the diagnosis, whom it finds looking back.

Exposures of the published contacts become visits to the same place; some are left out, false ones are added.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

import pytest

from khien.core.session import Session
from khien.tracing import actions, backward
from khien.tracing.actions import CaseEntry
from khien.tracing.outbreak import Link, Patient, read_contacts, read_linelist
from khien.tracing.rules.window import midnight
from tests.tracing.brute import Visit
from tests.tracing.town import ALL, add_people, add_places, add_visits

_KINDS = {"hospital": "hospital", "emergency": "hospital", "family": "household"}


@dataclass(frozen=True)
class Replayed:
    """`recall`: of the truly infected, the share listed before their diagnosis; `infector`, `infector_top3`: the share
    whose true infector is first, or among the first three, looking back on the day of report; `lead` in days."""

    infected: int
    recall: float
    infector: float
    infector_top3: float
    lead: float
    listed_for_one: float
    superspreaders: list[str]


def replay(
    session: Session,
    patients: list[Patient],
    links: list[Link],
    *,
    left_out: float,
    false: float,
    serial: tuple[float, float] | None = None,
    seed: int = 1,
) -> Replayed:
    """Report case after case, tracing each forward and looking back, with nothing known that was not known that day."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    person = {patient.id: n for n, patient in enumerate(patients, 1)}
    add_people(session, len(patients))
    known = {p.id: p for p in patients}
    links = [link for link in links if link.infector in person and link.infected in person]
    shown = [link for link in links if rng.random() >= left_out]
    others = [p.id for p in patients]
    wrong = [Link(*rng.sample(others, 2), "visit") for _ in range(int(false * len(links)))]
    _meet(session, known, person, shown + wrong)
    listed: dict[int, dt.date] = {}
    entries, first, top = 0, 0, 0
    truth = {
        infected: {k.infector for k in links if k.infected == infected} for infected in {k.infected for k in links}
    }
    for patient in sorted(patients, key=lambda p: (_day(p), person[p.id])):
        day = _day(patient)
        who = person[patient.id]
        entry = CaseEntry(
            uuid4(), who, onset_on=patient.onset, sampled_on=day, reported_on=day, isolated_at=midnight(day)
        )
        actions.report_case(by=ALL, entry=entry, retrace=False)
        moment = midnight(day + dt.timedelta(days=1))
        case = {"person_id": who, "onset_on": patient.onset, "sampled_on": day}
        found = actions.trace(by=ALL, persons=[who], moment=moment, keep=False)[0]
        entries += len(found.contacts)
        for contact in found.contacts:
            listed.setdefault(contact["person_id"], day)
        if patient.id in truth:
            back = [s.infector for s in backward.suspects(by=ALL, cases=[case], moment=moment, serial=serial)[who]]
            true = {person[i] for i in truth[patient.id]}
            first += bool(true & set(back[:1]))
            top += bool(true & set(back[:3]))
    hit = [i for i in truth if listed.get(person[i], dt.date.max) < _day(known[i])]
    spread = {i: sum(link.infector == i for link in shown) for i in person}
    return Replayed(
        len(truth), len(hit) / len(truth), first / len(truth), top / len(truth),
        median((_day(known[i]) - listed[person[i]]).days for i in hit), entries / max(1, len(hit)),
        sorted(spread, key=lambda i: -spread[i])[:3],
    )  # fmt: skip


def _day(patient: Patient) -> dt.date:
    day = patient.diagnosed or patient.reported or patient.onset
    assert day is not None
    return day


def _meet(session: Session, known: dict[str, Patient], person: dict[str, int], links: list[Link]) -> None:
    """Two people at a place of their own for some hours on the days on which the infected was exposed."""
    visits: list[Visit] = []
    kinds: dict[str, str] = {}
    for n, link in enumerate(links):
        code = f"{n}"
        kinds[code] = next((kind for word, kind in _KINDS.items() if word in link.exposure.lower()), "unknown")
        patient = known[link.infected]
        last = patient.exposed_until or (patient.onset or _day(patient)) - dt.timedelta(days=2)
        day = max(patient.exposed_from or last - dt.timedelta(days=3), last - dt.timedelta(days=13))
        while day <= last:
            came = midnight(day) + dt.timedelta(hours=10)
            visits += [
                Visit(person[i], code, came, came + dt.timedelta(hours=2)) for i in (link.infector, link.infected)
            ]
            day += dt.timedelta(days=1)
    add_visits(session, add_places(session, **kinds), visits)


@pytest.mark.shared
@pytest.mark.parametrize(("left_out", "false"), [(0.0, 0.0), (0.3, 1.0)])
def test_mers_in_korea_2015(session: Session, shared: Path, left_out: float, false: float) -> None:
    folder = shared / "testdata" / "contact-tracing"
    patients = read_linelist(folder / "mers_korea_2015.linelist.csv")
    links = read_contacts(folder / "mers_korea_2015.contacts.csv")
    # Serial interval of MERS in days, mean and standard deviation: Cowling et al. 2015, its spread doubled.
    done = replay(session, patients, links, left_out=left_out, false=false, serial=(12.6, 5.6))
    print(left_out, false, done)
    assert done.recall >= 0.8 * (1 - left_out)
    assert done.infector >= 0.7 * (1 - left_out)
    assert done.lead > 0


def test_a_small_made_up_outbreak(session: Session, tmp_path: Path) -> None:
    linelist, contacts = tmp_path / "linelist.csv", tmp_path / "contacts.csv"
    linelist.write_text(
        "id,dt_onset,dt_report,dt_diag\nA,2021-08-01,2021-08-04,2021-08-04\nB,2021-08-08,2021-08-11,2021-08-11\n"
        "C,2021-08-09,2021-08-11,2021-08-11\n"
    )
    contacts.write_text("from,to,exposure\nA,B,Hospital room\nA,C,Visit\n")
    done = replay(session, read_linelist(linelist), read_contacts(contacts), left_out=0, false=0)
    assert (done.infected, done.infector, done.superspreaders[0]) == (2, 1.0, "A")
