"""The short way of one address says in every case what the whole way says, and takes only what is plain."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

_SCRIPT = """
import datetime as dt, json, sys, uuid
from io import BytesIO
from khien.access import setup
setup.ready("en")
from django.core.wsgi import get_wsgi_application
from khien.access import actions
from khien.core.actor import machine
from khien.core.session import begin
from khien.vaccination import actions as vaccination
from khien.web.plain_dose import PlainDose
from tests.register import NORTH, SOUTH, add_country, add_person, set_today

admin = machine("administration", "*")
with begin(admin, role="khien_loader") as session:
    add_country(session)
    for person, unit in ((1, NORTH), (2, SOUTH), (4, NORTH), (5, NORTH)):
        add_person(session, person, unit=unit)
    add_person(session, 3, unit=NORTH, birth_date=dt.date(2013, 4, 1))
with begin(admin, role="khien_owner") as session:
    set_today(session, dt.date(2021, 9, 15))
vaccination.load_products(by=admin)
vaccination.add_sites(by=admin, sites=[{"code": "S1", "name": "Trạm Bắc", "unit_id": NORTH, "kind": "station"}])
vaccination.receive_lot(by=admin, product="pfizer", lot_number="P1", arrived_on=dt.date(2021, 7, 1),
                        expires_on=dt.date(2021, 12, 31))

def key(name, role):
    actions.add_account(by=admin, username=name, name=name, password=None)
    post = actions.assign_role(by=admin, username=name, role=role, unit_id=NORTH)
    return actions.add_api_key(by=admin, assignment_id=post, name=name, expires_on=dt.date(2021, 12, 31))

nurse, officer = key("nurse", "vaccinator"), key("officer", "checkpoint-officer")
django, asked = get_wsgi_application(), []

def whole(environ, start_response):
    asked.append(environ["PATH_INFO"])
    return django(environ, start_response)

short = PlainDose(whole)

def call(application, message, token=nurse, **more):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/doses", "SCRIPT_NAME": "", "QUERY_STRING": "",
               "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1",
               "HTTP_AUTHORIZATION": f"Bearer {token}", "CONTENT_TYPE": "application/json",
               "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), "wsgi.url_scheme": "http",
               "wsgi.errors": sys.stderr, **more}
    told = {}
    answer = application(environ, lambda status, headers: told.update(status=status, headers=dict(headers)))
    told["body"] = json.loads(b"".join(answer))
    if told["body"].get("dose_id"):
        told["body"]["dose_id"], told["headers"]["Content-Length"] = "a number", "some"
    return told

def dose(person, **more):
    return {"client_id": str(uuid.uuid4()), "person_id": person, "product": "pfizer", "lot_number": "P1", "site": "S1",
            "given_on": "2021-09-10", **more}

found, known = {}, dose(1)
def compare(name, one, other, **more):
    before = len(asked)
    mine = call(short, one, **more)
    found[name] = {"mine": mine, "whole": call(django, other, **more), "went_whole": len(asked) > before}

compare("recorded", dose(4), dose(5))
call(short, known)
compare("replayed", known, known)
compare("refused", dose(3), dose(3))
compare("given though refused", dose(3, already_given=True), dose(3, already_given=True, given_on="2021-09-11"))
compare("elsewhere", dose(2), dose(2))
compare("no such product", dose(1, product="x"), dose(1, product="x"))
compare("no such product, asked in English", dose(1, product="x"), dose(1, product="x"), HTTP_ACCEPT_LANGUAGE="en")
compare("no such product again", dose(1, product="x"), dose(1, product="x"))
compare("reused", {**known, "given_on": "2021-09-09"}, {**known, "given_on": "2021-09-09"})
compare("not json", b"{", b"{")
compare("not a dose", {"person_id": "x"}, {"person_id": "x"})
compare("unknown key", dose(1), dose(1), token="khien_none")
compare("may not", dose(1), dose(1), token=officer)
compare("other host", dose(1), dose(1), HTTP_HOST="evil.example")
compare("language", dose(1), dose(1), HTTP_ACCEPT_LANGUAGE="en")
compare("cookie", dose(1, given_on="2021-09-20"), dose(1, given_on="2021-09-20"), HTTP_COOKIE="sessionid=x")
compare("long", {**dose(1), "product": "x" * 20000}, {**dose(1), "product": "x" * 20000})
with begin(admin) as session:
    found["doses"] = session.value("SELECT count(*) FROM dose")
print(json.dumps(found))
"""
_PLAIN = {
    "recorded",
    "replayed",
    "refused",
    "given though refused",
    "elsewhere",
    "no such product",
    "no such product again",
    "reused",
}


@pytest.fixture
def answers(fresh_database: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env={**os.environ, "KHIEN_MFA": "off"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_the_short_way_answers_as_the_whole_way_and_takes_only_what_is_plain(answers: dict) -> None:
    doses = answers.pop("doses")
    for name, told in answers.items():
        if name not in ("given though refused", "language"):  # of another day; the second of the same dose
            assert told["mine"] == told["whole"], name
        assert told["went_whole"] == (name not in _PLAIN), name
    statuses = {name: told["mine"]["status"][:3] for name, told in answers.items()}
    assert statuses["recorded"] == statuses["given though refused"] == "201"
    assert statuses["replayed"] == "200"
    assert statuses["unknown key"] == "401"
    assert statuses["may not"] == statuses["elsewhere"] == "404"
    asked_in_english = answers["no such product, asked in English"]["mine"]["body"]["fault"]
    assert asked_in_english != answers["no such product"]["mine"]["body"]["fault"]
    assert answers["no such product again"]["mine"] == answers["no such product"]["mine"]
    [given, whole] = [answers["given though refused"][side]["body"] for side in ("mine", "whole")]
    assert given["findings"] == whole["findings"][: len(given["findings"])] != []
    assert doses >= 5
