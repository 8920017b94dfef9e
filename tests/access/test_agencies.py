"""Agencies: found, made, renamed and back, closed and opened again; and what an area keeps out, one lock at a time."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.urls import reverse

from khien.access import actions, store
from khien.access.rules import mark
from khien.access.store import Sought
from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, KhienError, NotAllowed, NotFound, Refused
from khien.core.session import begin
from tests.access.administrators import boss_of_the_north, logged, number_of
from tests.pages import ADMIN, page, signed_in
from tests.register import COUNTRY, NORTH, SOUTH

DAY = dt.date(2030, 1, 31)


def agency(code: str) -> dict[str, Any]:
    with begin(ADMIN) as session:
        return next(a for a in store.agencies(session, Sought()) if a["code"] == code)


@pytest.fixture
def stations(administrators: None) -> dict[str, int]:
    """A station in the north, with the northern nurse in it; the one in the south that is there already."""
    made = actions.add_agency(by=ADMIN, code="tram-bac", name="Trạm Bắc", kind="station", unit_id=NORTH)
    actions.assign_role(by=ADMIN, username="north-nurse", role="vaccinator", agency="tram-bac", unit_id=NORTH)
    return {"north": made, "south": agency("tram-nam")["id"]}


def test_an_agency_is_made_and_found_and_stands_in_a_file(stations: dict[str, int]) -> None:
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute(
            "INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, valid)"
            " SELECT 900000100 + n, 900000100 + n, 'TEST', 'X' || n, 3, 'xa', 'Xã Trùng', 'xa trung', '[2000-01-01,)'"
            " FROM generate_series(1, 2) n"
        )
    boss = signed_in("boss")
    assert "choose one" in page(boss, "/access/agencies/new/")  # no kind is given away
    given = {"code": "cdc", "name": "  CDC tỉnh ", "kind": "cdc", "nation": "on"}
    answer = boss.post("/access/agencies/new/", given)
    assert answer.status_code == 302 and "CDC tỉnh" in page(boss, answer.headers["Location"])
    for wrong, said in (
        ({"code": "cdc"}, "already exists"),
        ({"code": "có dấu"}, "letters, numbers"),
        ({"code": "new", "nation": ""}, "tick the whole country"),
        ({"code": "new", "nation": "", "unit": "Nowhere"}, "There is no administrative unit Nowhere"),
        ({"code": "new", "nation": "", "unit": "Xã Trùng"}, "2 units are called Xã Trùng"),
        ({"code": "new", "kind": ""}, "This field is required"),
    ):
        refused = boss.post("/access/agencies/new/", given | wrong)
        assert refused.status_code == 422 and said in refused.content.decode(), wrong
    for asked, found in (
        ("", {"cdc", "tram-bac", "tram-nam"}),
        ("?q=tram", {"tram-bac", "tram-nam"}),
        ("?q=TRẠM B", {"tram-bac"}),
        ("?q=%25", set()),
        ("?kind=cdc", {"cdc"}),
        (f"?unit={SOUTH}", {"tram-nam"}),
        (f"?unit={COUNTRY}", {"tram-bac", "tram-nam"}),
        ("?state=closed", set()),
    ):
        lines = boss.get(f"/access/agencies.csv{asked}").content.decode("utf-8-sig").splitlines()[1:]
        assert {line.split(",")[0] for line in lines} == found, asked
        shown = page(boss, f"/access/agencies/{asked}")
        assert all(code in shown for code in found)
    page(boss, "/access/agencies/?unit=Nowhere", 422)
    page(boss, "/access/agencies.csv?unit=Nowhere", 404)


def test_a_change_is_taken_back_and_the_taking_back_too(stations: dict[str, int]) -> None:
    boss, at = signed_in("boss"), f"/access/agencies/{stations['north']}/"
    given = {"name": "Trạm Y tế Bắc", "kind": "hospital", "unit": str(COUNTRY)}
    assert boss.post(f"{at}change/", given).status_code == 302
    changed = agency("tram-bac")
    assert (changed["name"], changed["kind"], changed["unit_id"]) == ("Trạm Y tế Bắc", "hospital", COUNTRY)
    assert "Trạm Bắc" in page(boss, at)
    boss.post(f"{at}change/", given)  # the same again is no change: what it replaced stays known
    shown = page(boss, at)
    assert f'value="{_code(COUNTRY)}"' in shown and f'value="{COUNTRY}"' not in shown
    assert "Trạm Bắc<br>Health station · " in shown
    first, second = mark(changed["previous"]), mark({"name": given["name"], "kind": "hospital", "unit_id": COUNTRY})
    for _twice in range(2):  # as a button pressed twice
        boss.post(f"{at}take-back/", {"to": first})
        back = agency("tram-bac")
        assert (back["name"], back["kind"], back["unit_id"]) == ("Trạm Bắc", "station", NORTH)
    boss.post(f"{at}take-back/", {"to": second})
    assert agency("tram-bac")["name"] == "Trạm Y tế Bắc"
    stale = boss.post(f"{at}take-back/", {"to": "another"}, follow=True).content.decode()
    assert "changed meanwhile" in stale and agency("tram-bac")["name"] == "Trạm Y tế Bắc"
    assert boss.post(f"{at}change/", given | {"name": ""}).status_code == 422
    assert [a for a in logged() if a.startswith("account.agency_")] == ["account.agency_change"] * 3
    with begin(machine("test", "*")) as session:
        told = session.value(
            "SELECT detail FROM access_log WHERE action = 'account.agency_change' ORDER BY at, lane, seq LIMIT 1"
        )
    assert told == {
        "agency": stations["north"],
        "agency_name": "Trạm Y tế Bắc", "agency_name_was": "Trạm Bắc",
        "agency_kind": "hospital", "agency_kind_was": "station",
        "agency_unit": COUNTRY, "agency_unit_was": NORTH,
    }  # fmt: skip
    with pytest.raises(Refused):
        actions.take_back_agency(by=ADMIN, agency_id=stations["south"], to=first)


def test_an_agency_closes_when_nobody_serves_in_it_any_more_and_opens_again(stations: dict[str, int]) -> None:
    boss, at = signed_in("boss"), f"/access/agencies/{stations['north']}/"
    assert "North-Nurse" in page(boss, at)
    refused = boss.post(f"{at}close/", {"last_day": "31/1/2030"}, follow=True).content.decode()
    assert "Posts in this agency that go on after that day: 1. Set their last days first.<" in refused
    with begin(ADMIN) as session:
        post = next(p for p in store.account(session, number_of("north-nurse"))["every"] if p["agency"])
    actions.change_days(by=ADMIN, assignment_id=post["id"], first_day=None, last_day=DAY)
    wrong = boss.post(f"{at}close/", {"last_day": "31/2/2030"})
    assert wrong.status_code == 422 and 'value="31/2/2030"' in wrong.content.decode()
    assert agency("tram-bac")["valid_until"] is None
    boss.post(f"{at}close/", {"last_day": "31/1/2030"})
    assert agency("tram-bac")["valid_until"] == DAY and "works until 31/01/2030" in page(boss, at)
    # No post outlives its agency.
    for attempt in (
        lambda: actions.assign_role(
            by=ADMIN, username="idle", role="vaccinator", agency="tram-bac", unit_id=NORTH, valid_from=DAY
        ),
        lambda: actions.change_days(
            by=ADMIN, assignment_id=post["id"], first_day=None, last_day=DAY + dt.timedelta(days=1)
        ),
    ):
        with pytest.raises(BadInput) as caught:
            attempt()
        assert [f.field for f in caught.value.faults] == ["valid_until"]
    actions.change_days(by=ADMIN, assignment_id=post["id"], first_day=None, last_day=dt.date(2020, 1, 31))
    actions.close_agency(by=ADMIN, agency_id=stations["north"], last_day=dt.date(2020, 1, 31))
    assert "closed, last day 31/01/2020" in page(boss, "/access/agencies/?state=closed")
    assert "Trạm Bắc" not in page(boss, "/access/accounts/new/")
    boss.post(f"{at}open/")
    assert agency("tram-bac")["valid_until"] is None and "Trạm Bắc" in page(boss, "/access/accounts/new/")
    assert [a for a in logged() if a in ("account.agency_close", "account.agency_open")] == [
        "account.agency_close", "account.agency_close", "account.agency_open",
    ]  # fmt: skip


def test_who_may_set_the_days_of_a_post_that_is_hidden_is_told(stations: dict[str, int]) -> None:
    actions.assign_role(by=ADMIN, username="south-nurse", role="vaccinator", agency="tram-bac", unit_id=SOUTH)
    with pytest.raises(Refused) as caught:
        actions.close_agency(by=boss_of_the_north(), agency_id=stations["north"], last_day=DAY)
    assert "that day: 2" in caught.value.text() and "1 of them" in caught.value.text()


@pytest.mark.parametrize("first", ["close", "open"])
def test_no_post_outlives_an_agency_that_closes_at_the_same_time(stations: dict[str, int], first: str) -> None:
    with begin(ADMIN) as session:
        post = next(p for p in store.account(session, number_of("north-nurse"))["every"] if p["agency"])
    actions.change_days(by=ADMIN, assignment_id=post["id"], first_day=None, last_day=DAY)
    deeds = {
        "close": lambda: actions.close_agency(by=ADMIN, agency_id=stations["north"], last_day=DAY),
        "open": lambda: actions.change_days(by=ADMIN, assignment_id=post["id"], first_day=None, last_day=None),
    }
    second = deeds.pop("open" if first == "close" else "close")
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            deeds[first]()
            late = other.submit(_alone, second)
            _until_somebody_waits(stations["north"])
        with pytest.raises(BadInput):
            late.result(timeout=60)
    assert (agency("tram-bac")["valid_until"] is None) == (first == "open")


def _code(unit_id: int) -> str:
    with begin(ADMIN) as session:
        return str(session.value("SELECT code FROM unit WHERE unit_id = %(unit)s", unit=unit_id))


def _alone(deed: Callable[[], None]) -> None:
    try:
        deed()
    finally:
        connection.close()  # this thread's own


def _until_somebody_waits(agency_id: int) -> None:
    for _turn in range(1000):
        with begin(machine("test", "*")) as session:
            waits = "SELECT count(*) FROM pg_locks WHERE classid = 8243 AND objid = %(agency)s AND NOT granted"
            if session.value(waits, agency=agency_id):
                return
        time.sleep(0.02)
    raise AssertionError("nobody stands in line")


def test_who_may_not_manage_accounts_finds_nothing_here(stations: dict[str, int]) -> None:
    nurse = signed_in("north-nurse")
    for address in ("/access/agencies/", "/access/agencies.csv", "/access/agencies/new/"):
        page(nurse, address, 404)
    for name in ("one_agency", "change_agency", "take_back_agency", "close_agency", "reopen_agency"):
        address = reverse(f"access:{name}", args=[stations["north"]])
        assert nurse.post(address, {"last_day": "1/1/2020"}).status_code == 404
    with begin(machine("x", "access.read")) as session:
        for ask in (lambda: store.agencies(session), lambda: store.agency(session, stations["north"])):
            with pytest.raises(NotAllowed):
                ask()


def attempts(by: Actor, stations: dict[str, int]) -> list[Callable[[], Any]]:
    """Everything that would write outside the north."""
    south, north = stations["south"], stations["north"]
    same = {"name": "Taken", "kind": "other"}
    return [
        lambda: actions.add_agency(by=by, code="far", name="Far", kind="station", unit_id=SOUTH),
        lambda: actions.add_agency(by=by, code="all", name="All", kind="ministry", unit_id=None),
        lambda: actions.change_agency(by=by, agency_id=south, unit_id=NORTH, **same),
        lambda: actions.change_agency(by=by, agency_id=north, unit_id=SOUTH, **same),
        lambda: actions.change_agency(by=by, agency_id=north, unit_id=None, **same),
        lambda: actions.take_back_agency(by=by, agency_id=south, to=""),
        lambda: actions.close_agency(by=by, agency_id=south, last_day=DAY),
        lambda: actions.reopen_agency(by=by, agency_id=south),
    ]


def test_the_first_lock_holds_with_row_level_security_off(stations: dict[str, int]) -> None:
    client = signed_in("north-boss")
    by = boss_of_the_north()
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("ALTER TABLE agency DISABLE ROW LEVEL SECURITY")
    for attempt in attempts(by, stations):
        with pytest.raises((NotFound, BadInput)):
            attempt()
    assert {agency(code)["name"] for code in ("tram-bac", "tram-nam")} == {"Trạm Bắc", "Trạm Nam"}
    with begin(by) as session:
        assert [a["code"] for a in store.agencies(session)] == ["tram-bac"]
        with pytest.raises(NotFound):
            store.agency(session, stations["south"])
    assert "tram-nam" not in page(client, "/access/agencies/") + page(client, "/access/agencies.csv")
    page(client, f"/access/agencies/{stations['south']}/", 404)
    assert client.post(f"/access/agencies/{stations['south']}/open/").status_code == 404
    actions.change_agency(by=by, agency_id=stations["north"], name="Trạm Mới", kind="station", unit_id=NORTH)
    assert agency("tram-bac")["name"] == "Trạm Mới"


def test_the_second_lock_holds_for_somebody_to_whom_python_forbids_nothing(
    stations: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from khien.access.actions import agencies as room

    area = f"{{[{NORTH},{NORTH}]}}"
    anyone = Actor(number_of("north-boss"), "Anyone", "administration", frozenset({"*"}), area)
    monkeypatch.setattr(room, "ACCOUNTS", type("Open", (), {"within": "SELECT true OR %(unit)s::integer IS NULL"}))
    from django.db import DatabaseError

    for attempt in attempts(anyone, stations):
        with pytest.raises((KhienError, DatabaseError)):
            attempt()
    assert {agency(code)["name"] for code in ("tram-bac", "tram-nam")} == {"Trạm Bắc", "Trạm Nam"}
    with begin(anyone) as session:
        assert session.execute("UPDATE agency SET name = 'Taken' WHERE unit_id IS DISTINCT FROM %(n)s", n=NORTH) == 0
        assert session.execute("DELETE FROM agency") == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege), session.connection.transaction():
            session.execute("UPDATE agency SET unit_id = NULL")
