"""Addresses of the checkpoint pages: limits, broken messages, other people's checkpoints."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from khien.access import actions as access
from khien.checkpoints.actions import add_checkpoint
from khien.checkpoints.movement import kit
from khien.core.actor import machine
from khien.core.session import begin
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.pages import ADMIN, PLAIN_STATIC, WORD, signed_in
from tests.register import NORTH, SOUTH, add_country, add_person

FORM = {
    "for_whom": "self", "number": "079190000011", "name": "Trần Văn Thử", "birth_date_0": "15", "birth_date_1": "1",
    "birth_date_2": "1990", "sex": "male", "q_from": "Xã Nam", "q_to": "Xã Bắc", "q_travel_on_0": "15",
    "q_travel_on_1": "9", "q_travel_on_2": "2021", "q_phone": "0900000000", "q_permanent": "Xã Nam", "q_symptoms": "no",
    "q_exposed": "no", "q_been_in_zone": "no",
}  # fmt: skip


@pytest.fixture
def place(django_database: str) -> Iterator[None]:  # noqa: F811
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_person(session, 11, unit=SOUTH, name="Trần Văn Thử")
        session.execute(
            "INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '079190000011', 11)"
        )
    maker = machine("administration", "checkpoint.manage")
    for code, unit in (("N-1", NORTH), ("S-1", SOUTH)):
        add_checkpoint(by=maker, code=code, name=code, unit_id=unit)
    access.add_account(by=ADMIN, username="gate", name="Gate", password=WORD, language="en")
    access.assign_role(by=ADMIN, username="gate", role="checkpoint-officer", unit_id=NORTH)
    with PLAIN_STATIC:
        yield


def declare(**more: Any) -> Any:
    return Client(SERVER_NAME="localhost").post(reverse("checkpoints:declare"), {**FORM, "client_id": uuid4(), **more})


def test_a_number_is_declared_a_few_times_a_day_whether_it_exists_or_not(place: None) -> None:
    with override_settings(ACCOUNT_RATE_LIMITS={"declare": "2/d/key"}):
        for number in ("079190000011", "079190009999"):
            assert [declare(number=number).status_code for _n in range(3)] == [200, 200, 429]


def test_what_is_wrong_is_named_beside_its_field_and_nothing_else(place: None) -> None:
    answer = declare(q_from="Không Đâu Cả", q_phone="abc", number="12")
    assert answer.status_code == 422
    assert declare(q_from="Không Đâu Cả").status_code == 422
    page = declare(q_phone="abc").content.decode()
    assert "Đây không phải là số điện thoại." in page and "KP1:" not in page


def test_passages_that_waited_are_taken_once_and_others_are_told_why(place: None) -> None:
    client = signed_in("gate")
    passage = {
        "client_id": str(uuid4()), "passed_at": "2021-09-14T12:00:00+00:00", "direction": "in", "pass_id": None,
        "number": "079190000011", "name": "TRAN VAN THU", "birth_date": "1990-01-15", "plate": "", "companions": 1,
        "checkpoint": "N-1",
    }  # fmt: skip
    now = json.loads(client.get(reverse("checkpoints:manifest")).content)
    assert now["scope"] == "/checkpoint/"
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE clock SET demo_on = '2021-09-15'")
    elsewhere = {**passage, "client_id": str(uuid4()), "checkpoint": "S-1"}
    future = {**passage, "client_id": str(uuid4()), "passed_at": "2021-09-17T01:00:00+00:00"}
    results = [_send(client, [passage, elsewhere, future]) for _n in range(2)]
    assert [[o["kept"] for o in r] for r in results] == [[True, False, False]] * 2
    assert [o["result"] for o in results[0]] == ["recorded", "refused", "refused"]
    assert results[1][0]["result"] == "replayed"
    assert all(o["why"] for o in results[0][1:])


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"passages": [{}]}', '{"passages": 3}', '{"passages": [{"client_id": "x"}]}', "\x00"]
)
def test_a_broken_message_is_refused_clearly(place: None, body: str) -> None:
    answer = signed_in("gate").post(reverse("checkpoints:sync"), body, content_type="application/json")
    assert answer.status_code == 422


def test_without_a_kit_there_is_none(place: None) -> None:
    assert signed_in("gate").get(reverse("checkpoints:kit")).status_code == 404


def test_a_kit_is_fetched_in_ranges_and_two_kits_are_kept_apart(
    place: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client, address, lies = signed_in("gate"), reverse("checkpoints:kit"), tmp_path / "kit"
    monkeypatch.setattr(kit, "place", lambda: lies)
    content = bytes(range(256)) * 1000
    lies.write_bytes(content)
    whole = client.get(address)
    tag = whole["ETag"]
    assert (whole.status_code, whole.getvalue(), whole["Accept-Ranges"]) == (200, content, "bytes")
    for asked, first, last in (("0-9", 0, 9), ("100-199999", 100, 199_999), ("255990-", 255_990, 255_999),
                               ("255990-999999999", 255_990, 255_999)):  # fmt: skip
        part = client.get(address, headers={"Range": f"bytes={asked}", "If-Match": tag})
        assert (part.status_code, part.getvalue()) == (206, content[first : last + 1])
        assert part["Content-Range"] == f"bytes {first}-{last}/256000"
    for beyond in ("256000-", "9-3"):
        assert client.get(address, headers={"Range": f"bytes={beyond}"}).status_code == 416
    assert client.get(address, headers={"Range": "lines=1-2"}).status_code == 200
    os.utime(lies, ns=(1, 1))  # another kit
    assert client.get(address, headers={"Range": "bytes=0-9", "If-Match": tag}).status_code == 412


def _send(client: Client, passages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = client.post(
        reverse("checkpoints:sync"), json.dumps({"passages": passages}), content_type="application/json"
    )
    assert answer.status_code == 200, answer.content.decode()
    return json.loads(answer.content)["outcomes"]
