"""What holds clusters together: places that explain several cases, cases that infected many, contacts who bridge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from khien.core.actor import Actor
from khien.core.session import begin
from khien.core.sql import Queries
from khien.tracing import backward, outbreak, store
from khien.tracing.network import Network

_q = Queries("khien.tracing.movement")

MOST = 20


@dataclass(frozen=True, slots=True)
class Held:
    """`places`: backward.SharedPlace with its name; `spreaders`: case number, number infected; `bridges`: contacts whom
    cases of several clusters met: person, clusters (numbers as on the page of chains), cases."""

    places: list[dict[str, Any]]
    spreaders: list[dict[str, Any]]
    bridges: list[dict[str, Any]]


def held(*, by: Actor, net: Network) -> Held:
    """Of the network's cases. Logged with its cases and the contacts named. Raises NotAllowed."""
    by.must("trace.run")
    found = backward.shared_places(by=by, cases=net.cases)[:MOST] if net.cases else []
    with begin(by) as session:
        names = store.place_names(session, [p.place_id for p in found])
        rows = session.rows(_q.bridging, persons=[c["person_id"] for c in net.cases]) if net.cases else []
        bridges = bridging(rows, net.clusters)[:MOST]
        shown = {r["person_id"]: r for r in session.rows(_q.people, persons=[b["person_id"] for b in bridges])}
        if bridges:
            session.log("contact.read", [b["person_id"] for b in bridges], bridges=True)
    places = [
        {"name": names[p.place_id]["name"] or names[p.place_id]["code"], "code": names[p.place_id]["code"],
         "kind": names[p.place_id]["kind"], "unit_name": names[p.place_id]["unit_name"], "cases": p.cases,
         "visitors": p.visitors, "first_at": p.first_at, "last_at": p.last_at, "excess": p.excess}
        for p in found if p.excess > 0
    ]  # fmt: skip
    return Held(places, spreaders(net), [{**b, **shown[b["person_id"]]} for b in bridges if b["person_id"] in shown])


def spreaders(net: Network) -> list[dict[str, Any]]:
    """Cases that infected several, as far as it is known, most first."""
    counts: dict[int, int] = {}
    for infector, _certainty in net.links.values():
        counts[infector] = counts.get(infector, 0) + 1
    cases = {c["person_id"]: c for c in net.cases}
    several = sorted(((n, p) for p, n in counts.items() if n > 1), key=lambda one: (-one[0], one[1]))
    return [
        {"person_id": p, "case_id": cases[p]["case_id"], "infected": n, "unit_name": cases[p]["unit_name"]}
        for n, p in several[:MOST]
    ]


def bridging(rows: Sequence[dict[str, Any]], clusters: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Of people (person_id, cases: persons whose contact they are) those whom cases of several clusters met; most
    clusters first. Clusters are numbered from 1 in their order."""
    group = {person: n for n, members in enumerate(clusters, 1) for person in members}
    found = []
    for row in rows:
        met = sorted({group[p] for p in row["cases"] if p in group})
        if len(met) > 1:
            found.append({"person_id": row["person_id"], "clusters": met, "cases": len(row["cases"])})
    return sorted(found, key=lambda one: (-len(one["clusters"]), -one["cases"], one["person_id"]))


def table(*, by: Actor, net: Network, name: str) -> list[list[Any]]:
    """Header and rows of "linelist" or "contacts", the tables that epidemiology packages read. Raises NotAllowed."""
    by.must("trace.run")
    if name == "linelist":
        with begin(by) as session:
            return outbreak.linelist(net.cases, session.today)
    numbers = {c["person_id"]: c["case_id"] for c in net.cases}
    return outbreak.contacts(
        (numbers[infector], numbers[infected], net.exposures.get(infected, ""), round(sure, 3),
         "decided" if infected in net.decided else "estimated")
        for infected, (infector, sure) in net.links.items()
    )  # fmt: skip
