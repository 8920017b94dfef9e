"""Pages of zones as a provincial desk and a commune's police use them."""

from __future__ import annotations

import datetime as dt
import re

from khien.core.actor import machine
from khien.core.session import begin
from tests.pages import page, signed_in
from tests.register import SOUTH
from tests.zones.conftest import ORDER, TODAY


def test_from_an_order_to_the_visit_of_who_left(desks: None) -> None:
    cdc = signed_in("cdc")
    assert "No zone on this day" in page(cdc, "/zones/")
    assert "no administrative unit" in cdc.post("/zones/new/", ORDER | {"units": "T77"}).content.decode()
    made = cdc.post("/zones/new/", ORDER)
    assert made.status_code == 302, made.content.decode()
    address = made.url
    assert "nhsuk-tag--red" in page(cdc, "/zones/")
    assert "nhsuk-tag--red" not in page(cdc, "/zones/?on=2021-09-14")
    shown = page(cdc, address)
    assert "Resident, present: 2" in shown
    assert "Nguyễn Văn Số A" in shown
    left = page(cdc, f"{address}?list=left")
    assert "Nguyễn Văn Số B" in left
    assert "Xã Nam" in left
    assert cdc.get(f"{address}people.csv").content.startswith(b"\xef\xbb\xbf")
    assert cdc.get(f"{address}people.xlsx").content[:2] == b"PK"
    assert page(cdc, f"{address}sheets/").count("khien-sheet") == 2

    assert cdc.post(f"{address}push/").status_code == 302
    police = signed_in("nam")
    work = page(police, "/zones/tasks/")
    assert "1 person came from zones this week: 0 seen, 1 to visit." in work
    told = {
        "person_id": 2,
        "zone_id": address.split("/")[2],
        "unit_id": SOUTH,
        "came_on": "2021-09-12",
        "state": "seen",
    }
    assert police.post("/zones/tasks/", told).status_code == 302
    assert "1 seen, 0 to visit" in page(police, "/zones/tasks/")
    assert police.post("/zones/tasks/", told | {"person_id": 3}).status_code == 404
    assert police.post("/zones/tasks/", told | {"person_id": "x"}).status_code == 404

    assert "QĐ 1" in page(police, address)  # orders are public to who may look at zones
    assert "Nguyễn Văn Số A" not in page(police, address)  # its people are not
    page(police, f"{address}people.csv", 404)


def test_borders_change_and_the_order_is_lifted(desks: None) -> None:
    cdc = signed_in("cdc")
    address = cdc.post("/zones/new/", ORDER | {"from_day_0": "10"}).url
    assert "T1" in page(cdc, f"{address}change/")
    changed = cdc.post(f"{address}change/", ORDER | {"units": "T1\nT2: tổ 3", "grade": "3", "document": "QĐ 2"})
    assert changed.status_code == 302, changed.content.decode()
    shown = page(cdc, address)
    assert "superseded" in shown
    assert "tổ 3" in shown
    # As a word: a form's token may hold the two letters by chance.
    assert not re.search(r"\bT2\b", page(cdc, f"{address}close/"))
    end = {"on_0": "16", "on_1": "9", "on_2": "2021", "document": "QĐ 3", "signed_by": "Chủ tịch"}
    assert cdc.post(f"{address}close/", end).status_code == 302
    assert "lifted" in page(cdc, address)
    assert cdc.post(f"{address}close/", end).status_code == 422


def test_grades_and_flows_show(desks: None) -> None:
    cdc = signed_in("cdc")
    assert "Xã Bắc" in page(cdc, "/zones/grades/?on=2021-11-26")
    assert "1 move<" in page(cdc, "/zones/flows/?first=2021-09-10&last=2021-09-15&level=commune")
    assert "Nobody moved" in page(cdc, "/zones/flows/?first=2021-09-01&last=2021-09-02&level=commune")
    page(cdc, "/zones/999/", 404)
    page(cdc, "/zones/?n=5&unit=900000001")


def test_a_residence_event_is_entered_once(desks: None) -> None:
    police = signed_in("nam")
    assert "to be notified by" in page(police, "/persons/2/residence/")
    event = {
        "kind": "temporary", "commune": "T2", "address": "Số 9", "from_day_0": "15", "from_day_1": "9",
        "from_day_2": "2021",
        "until_day_0": "15", "until_day_1": "3", "until_day_2": "2022", "told_by": "host",
        "client_id": "8c7a1c9e-1d9f-4f5a-9d68-1e6c7a3a9f11",
    }  # fmt: skip
    short = police.post(
        "/persons/2/residence/", event | {"until_day_1": "9", "until_day_2": "2021", "until_day_0": "20"}
    )
    assert short.status_code == 422
    assert "lasts at least 30 days" in short.content.decode()
    for _twice in range(2):
        assert police.post("/persons/2/residence/", event).status_code == 302
    end = {"kind": "end", "ends": "stay", "from_day_0": "15", "from_day_1": "9", "from_day_2": "2021",
           "told_by": "police",
           "client_id": "8c7a1c9e-1d9f-4f5a-9d68-1e6c7a3a9f12"}  # fmt: skip
    assert police.post("/persons/2/residence/", end).status_code == 302
    with begin(machine("test", "*")) as session:
        spells = session.rows(
            "SELECT kind::text, upper(valid) AS until FROM residence WHERE person_id = 2 ORDER BY kind"
        )
        assert [(s["kind"], s["until"]) for s in spells] == [
            ("permanent", None), ("stay", TODAY), ("temporary", dt.date(2022, 3, 15)),
        ]  # fmt: skip
    page(police, "/persons/1/residence/", 404)
