"""Checking in by code, both ways, on public pages that tell a stranger nothing; and the symptom diary of a contact."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client, override_settings

from khien.access import actions as access
from khien.checkpoints.movement import qr
from khien.core.actor import machine
from khien.core.errors import NotFound, Refused
from khien.core.session import begin
from khien.population.rules import partial_date
from khien.tracing import actions, care, store
from khien.tracing.movement import diary, places
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.pages import ADMIN, PLAIN_STATIC, WORD, signed_in
from tests.register import NORTH, SOUTH
from tests.tracing.town import ALL, add_home, add_people, number, report

BORN = {"birth_date_0": "15", "birth_date_1": "1", "birth_date_2": "1990"}
TODAY = dt.date(2021, 8, 20)


@pytest.fixture
def shop(django_database: str) -> Iterator[int]:  # noqa: F811
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE clock SET demo_on = %(d)s", d=TODAY)
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_people(session, 3)
        add_home(session, 1, 1, 2)
    made = places.add_place(by=ALL, client_id=UUID(int=5), name="Chợ Bắc", unit_id=NORTH, kind="market", address="Số 1")
    access.add_account(by=ADMIN, username="head", name="Head", password=WORD, language="vi")
    access.assign_role(by=ADMIN, username="head", role="station-head", unit_id=NORTH)
    with PLAIN_STATIC, override_settings(MFA_REQUIRED=False):
        yield made


def visits() -> list[tuple[int, str, bool]]:
    with begin(machine("test", "*")) as session:
        rows = session.rows(
            "SELECT person_id, source::text, left_at IS NOT NULL AS gone FROM visit ORDER BY came_at, 1"
        )
    return [(r["person_id"], r["source"], r["gone"]) for r in rows]


def guest(place: int, **more: Any) -> Any:
    client = Client(SERVER_NAME="localhost")
    form = {"message": uuid4(), "number": number(1), "name": "nguyen thi vi du", "what": "come", **BORN, **more}
    return client.post(places.path_of(place), form)


def test_a_guest_checks_in_and_out_with_the_own_phone(shop: int) -> None:
    page = Client(SERVER_NAME="localhost").get(places.path_of(shop)).content.decode()
    assert "Chợ Bắc" in page and "Nguyễn Thị Ví Dụ" not in page
    assert guest(shop).status_code == 200
    assert guest(shop).status_code == 200  # twice at the door is once
    assert visits() == [(1, "guest", False)]
    guest(shop, what="leave")
    assert visits() == [(1, "guest", True)]


def test_the_answer_is_the_same_for_a_number_that_nobody_has_and_for_a_wrong_name(shop: int) -> None:
    answers = [guest(shop), guest(shop, number="001999999999"), guest(shop, name="Trần Văn Khác")]
    told = {
        (a.status_code, re.sub(r'content="[^"]+"|value="[^"]+"|[0-9]{2}:[0-9]{2}', "", a.content.decode()))
        for a in answers
    }
    assert len(told) == 1
    assert visits() == [(1, "guest", False)]
    with begin(machine("test", "*")) as session:  # kept for reconciliation, not dropped
        assert session.value("SELECT count(*) FROM visit_unmatched") == 2


def test_a_keeper_scans_cards_passes_and_personal_codes(shop: int) -> None:
    keeper = Client(SERVER_NAME="localhost")
    path = places.path_of(shop, "keeper")
    card = f"{number(1)}||Nguyễn Thị Ví Dụ|15011990|Nữ|Số 1|01072021"
    starred = qr.personal_code(number(2), "Nguyễn Thị Ví Dụ", partial_date.parse_iso("1990-01-15"), by_another=False)
    assert keeper.post(path, {"card": card, "what": "come"}).status_code == 200
    assert keeper.post(path, {"card": starred, "what": "come"}).status_code == 200
    refused = keeper.post(path, {"card": "không phải thẻ"})
    assert refused.status_code == 422
    page = keeper.post(path, {"card": card, "what": "leave"}).content.decode()
    assert "Nguyễn" not in page and number(1) not in page
    assert visits() == [(1, "keeper", True), (2, "keeper", False)]


def test_forged_closed_and_exchanged_codes_open_nothing(shop: int) -> None:
    client = Client(SERVER_NAME="localhost")
    path = places.path_of(shop)
    changed = path[:-8] + ("AAAAAAAA" if path[-8:] != "AAAAAAAA" else "BBBBBBBB")
    assert [client.get(p).status_code for p in (path, changed, "/v/nichts")] == [200, 404, 404]
    places.close_place(by=ALL, place_id=shop)
    assert client.get(path).status_code == 404


def test_a_poster_of_another_system_leads_to_the_same_place(shop: int) -> None:
    client = Client(SERVER_NAME="localhost")
    text = "https://qr.tokhaiyte.vn/location?id=abc123"
    assert client.post("/v/", {"code": text}).status_code == 422
    places.add_alias(by=ALL, place_id=shop, text=text)
    answer = client.post("/v/", {"code": "QR.tokhaiyte.vn/location?id=abc123"})
    assert (answer.status_code, answer["Location"]) == (302, places.path_of(shop))


def test_a_phone_remembers_who_it_belongs_to_and_shows_no_more_than_a_letter(shop: int) -> None:
    phone = Client(SERVER_NAME="localhost")
    path = places.path_of(shop)
    form = {
        "message": uuid4(),
        "number": number(1),
        "name": "Nguyễn Thị Ví Dụ",
        "what": "come",
        "remember": "on",
        **BORN,
    }
    answer = phone.post(path, form)
    assert answer.cookies["khien_guest"]["httponly"] and number(1) not in answer.cookies["khien_guest"].value
    page = phone.get(path).content.decode()
    assert number(1) not in page and "Ví Dụ" not in page
    phone.post(path, {"again": "1", "what": "leave"})
    assert visits() == [(1, "guest", True)]
    phone.post(path, {"forget": "1"})
    assert 'name="number"' in phone.get(path).content.decode()


def test_a_citizen_who_is_signed_in_presses_one_button(shop: int) -> None:
    access.add_account(by=ADMIN, username="dan", name="Dan", password=WORD, language="vi")
    access.assign_role(by=ADMIN, username="dan", role="citizen", unit_id=None)
    access.open_own_record(by=ADMIN, username="dan", person_id=3)
    signed_in("dan").post(places.path_of(shop), {"own": "1", "what": "come"})
    assert visits() == [(3, "guest", False)]


def test_check_ins_of_one_number_are_limited_whether_it_exists_or_not(shop: int) -> None:
    with override_settings(ACCOUNT_RATE_LIMITS={"visit": "2/d/key"}):
        for one in (number(1), "001999999999"):
            assert [guest(shop, number=one).status_code for _n in range(3)] == [200, 200, 429]


def test_a_place_is_registered_in_the_own_area_alone(shop: int) -> None:
    head = signed_in("head")
    with pytest.raises(NotFound):
        places.add_place(by=_head_of(NORTH), client_id=uuid4(), name="X", unit_id=SOUTH)
    assert "Chợ Bắc" in head.get("/places/").content.decode()
    page = head.get(f"/places/{shop}/poster/guest").content.decode()
    assert "data:image/png" in page and "Chợ Bắc" in page
    made = head.post("/places/new", {"client_id": uuid4(), "name": "Xưởng", "kind": "work", "commune": "Xã Bắc",
                                     "ventilation": "closed"})  # fmt: skip
    assert made.status_code == 302
    assert head.post("/places/new", {"client_id": uuid4(), "name": "Xưởng", "kind": "work", "commune": "Xã Nam",
                                     "ventilation": "closed"}).status_code == 422  # fmt: skip


def _head_of(unit: int) -> Any:
    from dataclasses import replace

    return replace(
        machine("epidemic-control", "place.manage", "contact.read", "contact.work"), area=f"{{[{unit},{unit}]}}"
    )


# The diary ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def code(shop: int) -> str:
    report(1, dt.date(2021, 8, 19))
    actions.trace(by=ALL, persons=[1])
    return diary.make_code(by=ALL, person_id=2)[0]


def entry(code: str, **more: Any) -> Any:
    return Client(SERVER_NAME="localhost").post(f"/diary/{code}/", {"client_id": uuid4(), **more})


def test_symptoms_reach_the_commune_and_go_when_somebody_called(code: str) -> None:
    page = Client(SERVER_NAME="localhost").get(f"/diary/{code}/").content.decode()
    assert "Nguyễn Thị Ví Dụ" not in page and number(2) not in page
    assert entry(code, symptoms=["tired"], temperature="36,8").status_code == 200
    head = signed_in("head")
    assert "Sốt" not in head.get("/tracing/contacts/").content.decode()
    assert entry(code, symptoms=["fever", "cough"], temperature="38.5").status_code == 200
    listed = head.get("/tracing/contacts/").content.decode()
    assert "Sốt, Ho, 38,5 °C" in listed
    head.post("/tracing/diary/2/answered")
    assert "Sốt, Ho" not in head.get("/tracing/contacts/").content.decode()
    with begin(_head_of(SOUTH)) as south:
        assert diary.alarms(south) == []


def test_the_same_entry_again_is_one_and_wrong_ones_are_refused(code: str) -> None:
    same = uuid4()
    for _again in range(2):
        assert entry(code, client_id=same, symptoms=["cough"]).status_code == 200
    assert entry(code, symptoms=["x"]).status_code == 422
    assert entry(code, temperature="99").status_code == 422
    with begin(machine("test", "*")) as session:
        assert session.value("SELECT count(*) FROM symptom_entry") == 1


def test_a_code_opens_for_its_time_and_a_guessed_one_never(code: str) -> None:
    anybody = Client(SERVER_NAME="localhost")
    assert [anybody.get(f"/diary/{c}/").status_code for c in (code, "A" * 22, "..")] == [200, 404, 404]
    with begin(machine("test", "*"), role="khien_owner") as session:
        assert (
            session.value("SELECT count(*) FROM diary_link WHERE position(%(c)s::bytea IN digest) > 0", c=code.encode())
            == 0
        )
        session.execute("UPDATE clock SET demo_on = '2021-09-10'")
    assert anybody.get(f"/diary/{code}/").status_code == 404


def test_only_somebody_who_is_followed_keeps_a_diary(code: str) -> None:
    with pytest.raises(Refused):
        diary.make_code(by=ALL, person_id=3)
    with pytest.raises(NotFound):
        diary.make_code(by=_head_of(SOUTH), person_id=2)
    assert signed_in("head").post("/tracing/diary/2/code").content.count(b"data:image/png") == 1
    assert Client(SERVER_NAME="localhost").post("/tracing/diary/2/code").status_code == 302  # to sign in


def test_a_temperature_alone_can_alarm(code: str) -> None:
    assert not diary.write(by=diary.DOOR, code=code, client_id=uuid4(), symptoms=[], temperature=Decimal("37.4"))
    assert diary.write(by=diary.DOOR, code=code, client_id=uuid4(), symptoms=[], temperature=Decimal("37.5"))


# Isolation and the checkpoint -----------------------------------------------------------------------------------------


def test_an_isolated_person_at_a_checkpoint_is_told_to_both(code: str) -> None:
    from khien.checkpoints.actions import add_checkpoint, check_identity
    from khien.checkpoints.rules import declared

    with begin(machine("test", "*")) as session:
        case_id = store.open_case(session, 1)["case_id"]
    care.order_isolation(by=ALL, person_id=2, case_person_id=1, case_id=case_id)
    add_checkpoint(by=machine("administration", "checkpoint.manage"), code="N-1", name="Chốt Bắc", unit_id=NORTH)
    who = declared.read({"number": number(2), "name": "Nguyễn Thị Ví Dụ", "birth_date": "1990-01-15"})
    answer = check_identity(by=machine("movement-control", "identity.check"), declared=who)
    assert "isolation" in answer.notes
    listed = signed_in("head").get("/tracing/contacts/").content.decode()
    assert "được kiểm tra" in listed
