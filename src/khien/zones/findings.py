"""What does not fit in orders and movement: shown with its evidence, never silently resolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from khien.core.i18n import N_, Message, translate
from khien.core.session import Session
from khien.core.sql import Queries
from khien.population.rules.residence import terms
from khien.territory import store as territory
from khien.zones import store
from khien.zones.rules.presence import VIET_NAM, rule_of, sighting_hours

_q = Queries("khien.zones", "findings.sql")
_DAYS = 7  # of movement looked through

OVERLAP = N_("{other} (grade {other_grade}) and {strict} (grade {strict_grade}) cover the same place: grade {strict_grade} holds.")  # noqa: E501  # fmt: skip
LATE = N_("The order {document} was entered on {recorded}, after its first day {first}.")
RAN_OUT = N_("The order {document} ran out on {day}; nobody lifted it.")
ABOLISHED = N_("{unit} has not existed since {day}. In its place: {successors}.")
NOBODY_FOLLOWED = N_("{unit} does not exist on that day, and nothing is known to follow it.")
STAY_AND_SEEN = N_("Registered as staying in {register}, seen in {seen}.")
ABSENT_AND_SEEN = N_("Registered as absent from {register}, seen there.")
DOUBLE = N_("Two records of one person: in {register} and in {seen}.")
TRAVEL = N_("Passed in {before} and {hours} h later in {after}, {kilometres} km apart.")

LATE_NOTICE = N_("The stay in {unit} from {first} on was notified at {at}, too late.")
LATE_PASSAGES = N_("{count} passages of {day} at {checkpoint} came in up to {hours} h late.")
DOUBLE_PASSAGE = N_("Passed {checkpoint} twice the same way within {minutes} minutes.")

# What it was concluded from, beside the message.
EVIDENCE = {
    "orders_overlap": N_("{strict_name}: {strict_document}. {other_name}: {other_document}."),
    "order_in_past": N_("{name}: entered on {recorded_on} for {from_day}."),
    "two_places": N_("Seen at {at}."),
    "impossible_travel": N_("At {before_at} and at {passed_at}."),
    "double_event": N_("At {before_at} and at {passed_at}."),
}
TITLES = {
    "orders_overlap": N_("Orders of different grades for one place"),
    "order_in_past": N_("Orders entered after their first day"),
    "order_ran_out": N_("Orders that ran out without being lifted"),
    "abolished_unit": N_("Orders for communes that no longer exist"),
    "two_places": N_("People in two places at once"),
    "impossible_travel": N_("Journeys that nobody can have made"),
    "late_event": N_("Events that came late"),
    "double_event": N_("Events entered twice"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: orders_overlap, order_in_past, order_ran_out, abolished_unit, two_places, impossible_travel,
    late_event, double_event.

    `evidence` is what it was concluded from; `person_id` None for findings about orders.
    """

    kind: str
    message: Message
    params: dict[str, Any]
    evidence: dict[str, Any] = field(default_factory=dict)
    person_id: int | None = None

    def text(self, language: str) -> str:
        return translate(self.message, language, **self.params)

    def proof(self, language: str) -> str:
        """What it was concluded from, in words; empty where the message says it all."""
        told = EVIDENCE.get(self.kind)
        shown = {name: moment_text(value) for name, value in self.evidence.items()}
        return translate(told, language, **shown) if told and shown.get("at", "") is not None else ""

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "message": self.text("en"), "person_id": self.person_id, "evidence": self.evidence}


def of_zone(session: Session, zone_id: int | None, on: dt.date) -> list[Finding]:
    """What does not fit about one zone's order on a day, or with None about all orders."""
    session.actor.must("zone.read")
    return [*_overlaps(session, zone_id, on), *_past(session, zone_id, on), *_abolished(session, zone_id, on)]


def everything(session: Session, on: dt.date) -> list[Finding]:
    """The same for all orders, and what does not fit about people whom the actor sees. Logged."""
    session.actor.must("zone.people")
    people = [*_two_places(session, on), *_travel(session, on), *_late(session, on), *_double(session, on)]
    if people:
        session.log("zone.people", sorted({f.person_id for f in people if f.person_id is not None}), findings=True)
    return [*of_zone(session, None, on), *people]


def moment_text(value: Any) -> Any:
    """A moment as the day and minute in Viet Nam, anything else as it is."""
    if isinstance(value, dt.datetime):
        return value.astimezone(VIET_NAM).strftime("%H:%M %d/%m/%Y")
    return value.strftime("%d/%m/%Y") if isinstance(value, dt.date) else value


def show(found: Iterable[Finding], language: str, echo: Callable[[str], Any]) -> None:
    """One line a finding."""
    for one in found:
        echo(f"{one.kind}: {one.text(language)}")


def _overlaps(session: Session, zone_id: int | None, on: dt.date) -> Iterable[Finding]:
    for row in session.rows(_q.overlaps, zone_id=zone_id, on=on):
        params = {"strict": row["strict_name"], "strict_grade": row["strict_grade"], "other": row["other_name"],
                  "other_grade": row["other_grade"]}  # fmt: skip
        yield Finding("orders_overlap", OVERLAP, params, row)


def _past(session: Session, zone_id: int | None, on: dt.date) -> Iterable[Finding]:
    for row in session.rows(_q.past, zone_id=zone_id, on=on):
        if row["entered_late"]:
            params = {"document": row["document"], "recorded": moment_text(row["recorded_on"]),
                      "first": moment_text(row["from_day"])}  # fmt: skip
            yield Finding("order_in_past", LATE, params, row)
        if row["ran_out"]:
            yield Finding(
                "order_ran_out", RAN_OUT, {"document": row["document"], "day": moment_text(row["until_day"])}, row
            )


def _abolished(session: Session, zone_id: int | None, on: dt.date) -> Iterable[Finding]:
    rows = session.rows(_q.abolished, zone_id=zone_id, on=on)
    followed = territory.units_on(session, [c for r in rows for c in r["communes"]], on)
    names = territory.names(session, [u for units in followed.values() for u in units], on)
    for row in rows:
        # What follows is known by commune: a district that is gone has what follows its communes.
        after = sorted({unit for commune in row.pop("communes") for unit in followed.get(commune, [])})
        evidence = row | {"successors": after}
        if after and row["ended_on"] is not None:
            params = {
                "unit": row["unit_name"],
                "day": moment_text(row["ended_on"]),
                "successors": ", ".join(names[u] for u in after),
            }
            yield Finding("abolished_unit", ABOLISHED, params, evidence)
        else:
            yield Finding("abolished_unit", NOBODY_FOLLOWED, {"unit": row["unit_name"]}, evidence)


def _two_places(session: Session, on: dt.date) -> list[Finding]:
    rows = session.rows(_q.two_places, moment=store.moment_of(session, on), hours=sighting_hours(on))
    names = territory.names(session, [u for r in rows for u in (r["register_unit"], r["seen_unit"])], on)
    messages = {"stay": STAY_AND_SEEN, "absence": ABSENT_AND_SEEN, "double": DOUBLE}
    return [
        Finding(
            "two_places", messages[r["kind"]],
            {"register": names[r["register_unit"]], "seen": names[r["seen_unit"]]}, r, r["person_id"],
        )
        for r in rows
    ]  # fmt: skip


def _travel(session: Session, on: dt.date) -> list[Finding]:
    rule = rule_of("impossible_travel", on)
    rows = session.rows(
        _q.impossible_travel, moment=store.moment_of(session, on), days=_DAYS, kilometres=rule["kilometres"],
        speed=rule["kilometres_per_hour"],
    )  # fmt: skip
    names = territory.names(session, [u for r in rows for u in (r["before_unit"], r["unit_id"])], on)
    return [
        Finding(
            "impossible_travel", TRAVEL,
            {
                "before": names[r["before_unit"]], "after": names[r["unit_id"]], "kilometres": r["kilometres"],
                "hours": round((r["passed_at"] - r["before_at"]).total_seconds() / 3600, 1),
            },
            r, r["person_id"],
        )
        for r in rows
    ]  # fmt: skip


def _late(session: Session, on: dt.date) -> list[Finding]:
    asked = {"moment": store.moment_of(session, on), "days": _DAYS}
    morning = terms(on).entries["stay_notice_next_day"]["time"]
    notices = session.rows(_q.late_notices, asked, morning=morning)
    names = territory.names(session, [r["unit_id"] for r in notices], on)
    found = [
        Finding(
            "late_event", LATE_NOTICE,
            {"unit": names.get(r["unit_id"], ""), "first": moment_text(r["from_day"]), "at": moment_text(r["at"])},
            r, r["person_id"],
        )
        for r in notices
    ]  # fmt: skip
    for r in session.rows(_q.late_passages, asked):
        params = {"count": r["passages"], "day": moment_text(r["day"]), "checkpoint": r["name"], "hours": r["hours"]}
        found.append(Finding("late_event", LATE_PASSAGES, params, r))
    return found


def _double(session: Session, on: dt.date) -> list[Finding]:
    rule = rule_of("double", on)
    rows = session.rows(
        _q.double_passages, moment=store.moment_of(session, on), days=_DAYS, minutes=rule["minutes"]
    )  # fmt: skip
    return [
        Finding(
            "double_event", DOUBLE_PASSAGE, {"checkpoint": r["name"], "minutes": rule["minutes"]}, r, r["person_id"]
        )
        for r in rows
    ]  # fmt: skip
