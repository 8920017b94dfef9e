"""The auditor: who did what, filtered, as a file, of one person; whether the chain is whole; looking is logged too."""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Iterator

import pytest

from khien.access import store
from khien.access.store import Asked
from khien.cli import main
from khien.core.actor import machine
from khien.core.errors import NotAllowed, NotFound
from khien.core.session import begin
from tests.pages import ONE_FACTOR, PLAIN_STATIC, officer, page, signed_in
from tests.register import NORTH, SOUTH, add_country, add_person

AUDITOR = machine("audit", "access.audit", "access.verify")


@pytest.fixture
def auditing(django_database: str) -> Iterator[dt.date]:
    """An auditor, a nurse who looked at somebody, and the real day: the log never lives on a demonstration's."""
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_person(session, 1, unit=NORTH)
        session.execute("INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '001190123456', 1)")
    for username, role, unit in (
        ("auditor", "auditor", None),
        ("nurse", "vaccinator", NORTH),
        ("boss", "administrator", None),
    ):
        officer(username, role, unit)
    with PLAIN_STATIC, ONE_FACTOR:
        nurse = signed_in("nurse")
        assert nurse.get("/persons/1/").status_code == 200
        with begin(AUDITOR) as session:
            today = store.log_day(session)
        yield today


def table(shown: str) -> str:
    return shown[shown.index("<tbody") : shown.index("</tbody>")] if "<tbody" in shown else ""


def test_the_auditor_sees_who_did_what_and_narrows_it(auditing: dt.date) -> None:
    auditor = signed_in("auditor")
    shown = table(page(auditor, "/access/log/"))
    assert "Look at a person&#x27;s record" in shown
    assert "Nurse" in shown
    only = table(page(auditor, "/access/log/?action=person.read"))
    assert "Signed in" not in only
    assert "Nurse" in only
    assert "Nurse" not in table(page(auditor, "/access/log/?username=auditor"))
    assert "Nurse" in table(page(auditor, "/access/log/?person=1"))
    assert table(page(auditor, "/access/log/?purpose=residence")) == ""
    assert "Nothing of this kind" in page(auditor, "/access/log/?first=2020-01-01&last=2020-01-02")
    page(auditor, "/access/log/?first=2020-01-02&last=2020-01-01", 422)
    page(auditor, "/access/log/?before=yesterday", 404)


def test_looking_through_the_log_is_logged_with_what_was_asked(auditing: dt.date) -> None:
    page(signed_in("auditor"), "/access/log/?person=1&action=person.read")
    with begin(AUDITOR) as session:
        row = store.log(session, Asked(auditing, auditing, action="access.log", person_id=1))[0]
    assert (row["account"], row["persons"]) == ("Auditor", 1)
    assert row["detail"]["actions"] == "person.read"
    assert row["detail"]["rows"] == 1


def test_a_person_is_found_by_a_number_that_never_stands_in_an_address(auditing: dt.date) -> None:
    auditor = signed_in("auditor")
    found = auditor.post("/access/log/person/", {"number": "001190 123456"})
    assert (found.status_code, found.headers["Location"]) == (302, "/access/log/?person=1")
    assert auditor.post("/access/log/person/", {"number": "001190999999"}).headers["Location"] == "/access/log/"
    assert "Nobody has this number." in page(auditor, "/access/log/")


def test_the_file_holds_the_same_lines_and_no_name_of_a_person(auditing: dt.date) -> None:
    answer = signed_in("auditor").get("/access/log.csv?action=person.read")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("at,lane,seq,account")
    assert any(",nurse," in line and ",person.read," in line for line in lines[1:])
    assert "Ví Dụ" not in answer.content.decode()
    assert "001190123456" not in answer.content.decode()


def test_the_chain_is_verified_on_the_page_and_a_tampered_row_is_found(auditing: dt.date) -> None:
    auditor = signed_in("auditor")
    assert auditor.post("/access/log/verify/").status_code == 302
    assert "The access log is whole." in page(auditor, "/access/log/")
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE access_log SET purpose = 'residence' WHERE action = 'person.read'")
    broken = auditor.post("/access/log/verify/").content.decode()
    assert "The access log is not whole" in broken
    assert "entries were changed" in broken


def test_others_have_no_such_pages(auditing: dt.date) -> None:
    for username in ("nurse", "boss"):
        client = signed_in(username)
        page(client, "/access/log/", 404)
        page(client, "/access/log.csv", 404)
        assert client.post("/access/log/verify/").status_code == 404
        assert 'href="/access/log/"' not in page(client, "/")
    assert 'href="/access/log/"' in page(signed_in("auditor"), "/")
    assert 'href="/access/accounts/"' in page(signed_in("boss"), "/")
    assert 'href="/access/accounts/"' not in page(signed_in("nurse"), "/")
    nobody = machine("x", "access.read")
    with begin(nobody) as session:
        with pytest.raises(NotAllowed):
            store.log(session, Asked(auditing, auditing))
        with pytest.raises(NotAllowed):
            store.person_of_number(session, "001190123456")
    with begin(AUDITOR) as session, pytest.raises(NotFound):
        store.person_of_number(session, "")


def test_details_are_told_in_words_and_days_as_everywhere(auditing: dt.date) -> None:
    with begin(machine("epidemic-control", "zone.people")) as session:
        session.log(
            "zone.people", [1], on=dt.date(2021, 9, 15).isoformat(), findings=True, rows={"visit": 2}, unit=None
        )
    shown = table(page(signed_in("auditor"), "/access/log/?action=zone.people"))
    assert "as of: 15/09/2021" in shown and "findings: yes" in shown and "2021-09-15" not in shown
    assert "rows: visit 2" in shown and "unit: –" in shown
    with begin(machine("administration", "*")) as session:
        session.log("account.agency_change", agency=1, agency_kind="station", agency_kind_was="cdc")
    shown = table(page(signed_in("auditor"), "/access/log/?action=account.agency_change"))
    assert "new kind of agency: Health station" in shown
    assert "kind of agency before: Centre for disease control" in shown


def test_kinds_of_agencies_are_in_the_language_that_was_asked_for(auditing: dt.date) -> None:
    from django.utils.translation import override

    from khien.access import log_words

    row = {"action": "account.agency_change", "purpose": "administration", "detail": {"agency_kind": "station"}}
    for language, other, told in (("vi", "en", "Trạm y tế"), ("en", "vi", "Health station")):
        with override(other):
            [entry] = log_words.named([dict(row)], language)
        assert entry["details"][0][1] == told


def test_units_are_named_as_on_the_day_of_the_entry(
    auditing: dt.date, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow = auditing + dt.timedelta(days=1)
    with begin(machine("test", "*"), role="khien_loader") as session:
        session.execute(
            "INSERT INTO unit_name (unit_id, valid, kind, name, name_folded) VALUES"
            " (%(unit)s, daterange(NULL, %(day)s), 'xa', 'Xã Cũ', 'xa cu'),"
            " (%(unit)s, daterange(%(day)s, NULL), 'xa', 'Xã Mới', 'xa moi')",
            unit=NORTH, day=tomorrow,
        )  # fmt: skip
    with begin(machine("administration", "*")) as session:
        session.log("account.agency_change", agency=1, agency_unit=NORTH, agency_unit_was=SOUTH)
        session.log("account.assign", account=1, role="vaccinator", unit=NORTH, assignment=1)
        session.log("zone.capacity", unit=999_999)
        session.log("unit.load", changed={"unit": 3, "nobody-named-this": 1})
    shown = html.unescape(page(signed_in("auditor"), "/access/log/"))
    assert f"unit: Xã Cũ ({NORTH})" in shown and "Xã Mới" not in shown
    assert f"new area of the agency: Xã Cũ ({NORTH})" in shown and f"({SOUTH})" in shown
    assert "unit: 999999" in shown and "role: Vaccinator" in shown
    assert "changed: unit 3, nobody-named-this 1" in shown
    file = signed_in("auditor").get("/access/log.csv?action=account.assign").content.decode("utf-8-sig")
    assert f"unit: Xã Cũ ({NORTH})" in file
    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    main(["access", "log", "--action", "account.assign"])
    told = capsys.readouterr().out
    assert f"đơn vị: Xã Cũ ({NORTH})" in told and "account.assign" not in told
    main(["access", "log", "--action", "account.assign", "--json"])
    newest = json.loads(capsys.readouterr().out)[0]
    assert (newest["detail"]["unit"], newest["units"]) == (NORTH, {str(NORTH): "Xã Cũ"})
