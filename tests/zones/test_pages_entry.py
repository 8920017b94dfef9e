"""What is entered on pages: the life of an order, households as an area, needs, capacity, undo; what does not fit."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from khien.core.actor import machine
from khien.core.session import begin
from khien.zones import actions
from tests.pages import page, signed_in
from tests.register import NORTH, SOUTH
from tests.zones.conftest import ORDER, TODAY
from tests.zones.people import reside

DESK = machine("test", "*")
SIGNED = {"document": "QĐ 9", "signed_by": "Chủ tịch"}


def date(name: str, day: dt.date) -> dict[str, str]:
    return {f"{name}_0": str(day.day), f"{name}_1": str(day.month), f"{name}_2": str(day.year)}


def test_a_proposal_is_signed_and_another_withdrawn(desks: None) -> None:
    cdc, police = signed_in("cdc"), signed_in("nam")
    first = cdc.post("/zones/new/", ORDER | {"state": "proposed"}).url
    assert "nhsuk-tag--red" in page(cdc, "/zones/")  # listed with its grade, but no unit has it
    assert 'data-value="4"' not in page(cdc, "/zones/")
    shown = page(cdc, first)
    sign = re.search(r'href="(/zones/\d+/orders/\d+/sign/)"', shown)
    assert sign
    assert '<li aria-current="step">proposed' in shown
    assert "/sign/" not in page(police, first)  # police read, and sign nothing
    page(police, sign[1], 404)
    assert "QĐ 1" in page(cdc, sign[1])  # the paper of the proposal is proposed
    assert cdc.post(sign[1], SIGNED | date("from_day", TODAY)).status_code == 302
    shown = page(cdc, first)
    assert '<li aria-current="step">in force' in shown
    assert "/sign/" not in shown
    assert cdc.post(sign[1], SIGNED | date("from_day", TODAY)).status_code == 422

    second = cdc.post("/zones/new/", ORDER | {"name": "Vùng khác", "state": "proposed"}).url
    withdraw = re.search(r'href="(/zones/\d+/orders/\d+/withdraw/)"', page(cdc, second))
    assert withdraw
    assert cdc.post(withdraw[1], SIGNED).status_code == 302
    shown = page(cdc, second)
    assert '<li aria-current="step">withdrawn' in shown
    assert "QĐ 9, Chủ tịch" in shown
    page(cdc, f"{first}orders/999999/sign/", 404)


def test_an_order_over_a_single_household_and_an_alley(desks: None) -> None:
    with begin(DESK, role="khien_loader") as session:
        session.execute("INSERT INTO household (household_id, unit_id, address) VALUES (50, %(n)s, 'Hẻm 7')", n=NORTH)
        session.execute("INSERT INTO household_member VALUES (1, 50, 'head', '[2010-01-01,)')")
        session.execute("INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '001190123456', 1)")
    cdc = signed_in("cdc")
    nobody = cdc.post("/zones/new/", ORDER | {"units": "", "homes": "001190999999"})
    assert nobody.status_code == 422
    assert "belongs to nobody" in nobody.content.decode()
    assert "001190999999" not in nobody.headers.get("Location", "")
    nothing = cdc.post("/zones/new/", ORDER | {"units": "", "homes": ""})
    assert "Enter a unit, a place or a household." in nothing.content.decode()
    made = cdc.post("/zones/new/", ORDER | {"units": "", "homes": "001190 123456"})
    assert made.status_code == 302, made.content.decode()
    shown = page(cdc, made.url)
    assert "1 household: Hẻm 7, Xã Bắc" in re.sub(r"\s+", " ", shown)
    assert "Resident, present: 1" in shown
    assert "Hẻm 7, Xã Bắc" in page(cdc, f"{made.url}change/")
    wider = ORDER | {"units": "T2: nhà trọ", "homes": "", "keep": ["50"], "document": "QĐ 2"}
    assert cdc.post(f"{made.url}change/", wider).status_code == 302
    shown = page(cdc, made.url)
    assert "Hẻm 7, Xã Bắc" in shown
    assert "nhà trọ" in shown


def test_needs_are_recorded_ended_and_taken_back(desks: None) -> None:
    cdc, police = signed_in("cdc"), signed_in("nam")
    assert "No need is recorded" in page(police, "/persons/2/needs/")
    need = {"event": "add", "kind": "dialysis", **date("from_day", TODAY)}
    assert police.post("/persons/2/needs/", need).status_code == 302
    assert police.post("/persons/2/needs/", need).status_code == 302  # known already
    wrong = police.post("/persons/2/needs/", need | {"kind": "pregnant"} | date("until_day", TODAY))
    assert wrong.status_code == 422
    zone = cdc.post("/zones/new/", ORDER | {"units": "T2"}).url
    shown = page(cdc, zone)
    assert f'href="{zone}needs/dialysis/?on=2021-09-15">1<' in shown
    assert "Nguyễn Văn Số B" in page(cdc, f"{zone}needs/dialysis/")
    assert "Nobody present needs this" in page(cdc, f"{zone}needs/oxygen/")
    page(cdc, f"{zone}needs/tired/", 404)
    assert police.post("/persons/2/needs/", {"event": "end", "kind": "dialysis"}).status_code == 422  # began today
    back = {"event": "take_back", "kind": "dialysis", "from_day": TODAY.isoformat()}
    assert police.post("/persons/2/needs/", back).status_code == 302
    assert "No need is recorded" in page(police, "/persons/2/needs/")
    page(police, "/persons/1/needs/", 404)  # not of this commune
    with begin(DESK) as session:
        rows = session.rows("SELECT detail FROM access_log WHERE action = 'zone.need' ORDER BY at")
        assert [r["detail"] for r in rows] == [{"kind": "dialysis"}, {"kind": "dialysis", "taken_back": True}]


def test_without_capacity_the_page_lowers_nothing(desks: None) -> None:
    cdc = signed_in("cdc")
    cdc.post("/zones/new/", ORDER | {"grade": "3"})
    assert "Patients cannot be treated" not in page(cdc, "/zones/grades/")
    bad = cdc.post("/zones/capacity/", {"commune": "77", "sufficient": "no", **date("on", TODAY)})
    assert bad.status_code == 422
    told = {"commune": str(NORTH), "sufficient": "no", "note": "Hết giường", **date("on", TODAY)}
    assert cdc.post("/zones/capacity/", told).status_code == 302
    assert "Hết giường" in page(cdc, "/zones/capacity/")
    assert "Patients cannot be treated: not lowered." in page(cdc, "/zones/grades/")
    page(signed_in("nam"), "/zones/capacity/", 404)


def test_a_batch_of_late_cases_shows_as_anomalous_and_re_grades_nothing(desks: None, tmp_path: Path) -> None:
    """151,919 cases of one province came on one day: its people had fallen ill over weeks."""
    cdc = signed_in("cdc")
    cdc.post("/zones/new/", ORDER | {"grade": "2", "from_day_0": "10"})
    file = tmp_path / "cases.csv"
    file.write_text(
        "commune,reported_on,onset_on,cases\nT1,2021-09-14,2021-08-01,151919\nT1,2021-09-13,2021-09-12,1\n"
        "T2,2021-09-14,2021-09-13,3\n"
    )
    assert actions.load_cases(by=DESK, path=file) == 3
    shown = page(cdc, "/zones/grades/")
    assert "1 commune reports what is not a week of cases but a batch of late ones" in shown
    only = page(cdc, "/zones/grades/?show=anomalous")
    assert "Anomalous report, late cases: not re-graded." in only
    assert "151,919" in only
    assert "Xã Nam" not in only
    row = only[only.index("Xã Bắc") :]
    assert row.count("nhsuk-tag--yellow") == 2  # in force 2, proposed 2
    changed = page(cdc, "/zones/grades/?show=changed")
    assert "Xã Bắc" not in changed
    assert "not verified" in shown


def test_overlapping_orders_show_both_and_link_to_each_other(desks: None) -> None:
    cdc, police = signed_in("cdc"), signed_in("nam")
    strict = cdc.post("/zones/new/", ORDER | {"from_day_0": "10"}).url
    mild = cdc.post("/zones/new/", ORDER | {"name": "Cả hai", "units": "T1\nT2", "grade": "2", "document": "QĐ 2"}).url
    for address in (strict, mild, "/zones/findings/"):
        shown = page(cdc, address)
        assert "cover the same place: grade 4 holds" in shown
        assert "Vùng Bắc: QĐ 1. Cả hai: QĐ 2." in shown
        assert f'href="{strict}' in shown
        assert f'href="{mild}' in shown
    listed = page(cdc, "/zones/")
    assert "several grades" in listed
    assert "Orders entered after their first day: 1" in page(cdc, "/zones/findings/")
    assert "Everything fits" in page(police, "/zones/findings/?on=2021-01-01")


def test_the_difference_between_two_days(desks: None) -> None:
    cdc = signed_in("cdc")
    zone = cdc.post("/zones/new/", ORDER | {"from_day_0": "1"}).url
    shown = page(cdc, f"{zone}difference/?first=2021-09-10&last=2021-09-15")
    assert "Nguyễn Văn Số B" in shown
    assert "Resident, away" in shown
    assert "Nothing changed" in page(cdc, f"{zone}difference/?first=2021-09-15&last=2021-09-15")
    assert "The last day lies before the first." in page(cdc, f"{zone}difference/?first=2021-09-15&last=2021-09-10")


def test_flows_are_drawn_from_the_table_day_by_day(desks: None) -> None:
    with begin(DESK, role="khien_loader") as session:
        session.execute("UPDATE unit SET lat = 21.0 - (unit_id % 10), lon = 105.8 WHERE system = 'TEST'")
    cdc = signed_in("cdc")
    week = "/zones/flows/?first=2021-09-10&last=2021-09-15&level=commune"
    shown = page(cdc, week)
    assert f'data-way="{NORTH}-{SOUTH}" data-value="1" data-from="105.8 20.0" data-to="105.8 19.0"' in shown
    assert "<khien-flow" in shown
    assert "Nobody moved" in page(cdc, f"{week}&day=2021-09-11")
    assert "1 move<" in page(cdc, f"{week}&day=2021-09-12")
    assert "The last day lies before the first." in page(
        cdc, "/zones/flows/?first=2021-09-15&last=2021-09-10&level=commune"
    )


def test_the_visits_of_a_week_as_a_file(desks: None) -> None:
    cdc, police = signed_in("cdc"), signed_in("nam")
    zone = cdc.post("/zones/new/", ORDER).url
    cdc.post(f"{zone}push/")
    lines = police.get("/zones/tasks.csv").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("State,Name,Birth date")
    assert lines[1].startswith("to visit,Nguyễn Văn Số B,1990-01-15,female,Số 1,Xã Nam,2021-09-12,Vùng Bắc,Xã Bắc")
    assert police.get("/zones/tasks.xlsx").content[:2] == b"PK"
    page(police, "/zones/tasks.pdf", 404)
    assert "Nobody is in this list" in page(police, "/zones/tasks/?state=seen")


def test_a_departure_entered_in_error_is_undone_on_the_persons_page(desks: None) -> None:
    police = signed_in("nam")
    assert 'href="/persons/2/residence/"' in page(police, "/persons/2/")
    event = {"kind": "end", "ends": "stay", "told_by": "police", "client_id": "8c7a1c9e-1d9f-4f5a-9d68-1e6c7a3a9f12"}
    gone = police.post("/persons/2/residence/", event | date("from_day", TODAY))
    assert gone.status_code == 302, gone.content.decode()
    shown = page(police, "/persons/2/")  # who entered it still sees it
    undo = re.search(r'action="(/persons/2/undo/[^"]+)"', shown)
    assert undo
    assert police.post(undo[1]).status_code == 302
    assert "taken back" in page(police, "/persons/2/")
    with begin(DESK) as session:
        assert session.value("SELECT present_unit FROM person WHERE person_id = 2") == SOUTH
    assert "Arrival, departure" not in page(signed_in("cdc"), "/persons/2/")  # the desk enters no residence


def test_a_household_is_changed_on_its_page_and_two_heads_are_refused(desks: None) -> None:
    with begin(DESK, role="khien_loader") as session:
        reside(session, 1, SOUTH, "stay", TODAY - dt.timedelta(3), TODAY + dt.timedelta(9))
        session.execute("UPDATE person SET present_unit = %(s)s WHERE person_id = 1", s=SOUTH)
        session.execute("INSERT INTO household VALUES (50, %(s)s, 'Hẻm 7')", s=SOUTH)
        session.execute(
            "INSERT INTO household_member VALUES (1, 50, 'head', '[2010-01-01,)'), (2, 50, 'spouse', '[2010-01-01,)')"
        )
        session.execute("INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '001190123456', 1)")
    police = signed_in("nam")
    shown = page(police, "/persons/2/household/?head=2")
    assert "Another head" in shown
    event = {"event": "head", "head": "2", "member_1": "head", "member_2": "head",
             "client_id": "8c7a1c9e-1d9f-4f5a-9d68-1e6c7a3a9f21", **date("on", TODAY)}  # fmt: skip
    refused = police.post("/persons/2/household/", event)
    assert refused.status_code == 422
    assert "A household has one head, not two." in refused.content.decode()
    assert police.post("/persons/2/household/", event | {"member_1": "spouse"}).status_code == 302
    shown = page(police, "/persons/2/")
    assert "head of household" in shown[shown.index("<strong>Nguyễn Văn Số B") :][:200]
    alone = {"event": "split", "member_1": "head", "member_2": "", "commune": "T2", "address": "Hẻm 9",
             "client_id": "8c7a1c9e-1d9f-4f5a-9d68-1e6c7a3a9f22", **date("on", TODAY)}  # fmt: skip
    assert police.post("/persons/1/household/", alone).status_code == 302
    assert "Hẻm 9" in page(police, "/persons/1/")
    back = {"event": "join", "number": "001190123456", "relation": "child",
            "client_id": "8c7a1c9e-1d9f-4f5a-9d68-1e6c7a3a9f23", **date("on", TODAY)}  # fmt: skip
    assert police.post("/persons/2/household/", back).status_code == 302
    assert "Hẻm 9" in page(police, "/persons/2/")
    page(signed_in("cdc"), "/persons/2/household/", 404)
