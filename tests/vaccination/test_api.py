"""The schedule as JSON: of somebody in the register for an account that may see them, of posted facts for anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

_SCRIPT = """
import datetime as dt, json, uuid
from khien.access import setup
setup.ready("en")
from django.test import Client
from khien.access import actions
from khien.core.actor import machine
from khien.core.session import begin
from khien.vaccination import actions as vaccination
from tests.register import NORTH, SOUTH, add_country, add_person, set_today

admin = machine("administration", "*")
with begin(admin, role="khien_loader") as session:
    add_country(session)
    add_person(session, 1, unit=NORTH)
    add_person(session, 2, unit=SOUTH)
    add_person(session, 3, unit=NORTH, birth_date=dt.date(2013, 4, 1))
with begin(admin, role="khien_owner") as session:
    set_today(session, dt.date(2021, 9, 15))
vaccination.load_products(by=admin)
vaccination.add_sites(by=admin, sites=[{"code": "S1", "name": "Trạm Bắc", "unit_id": NORTH, "kind": "station"}])
vaccination.receive_lot(by=admin, product="pfizer", lot_number="P1", arrived_on=dt.date(2021, 7, 1),
                        expires_on=dt.date(2021, 12, 31))
actions.add_account(by=admin, username="bridge", name="Bridge", password=None)
post = actions.assign_role(by=admin, username="bridge", role="vaccinator", unit_id=NORTH)
secret = actions.add_api_key(by=admin, assignment_id=post, name="Hospital", expires_on=dt.date(2021, 12, 31))
client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {secret}", "accept-language": "vi"})
client.cookies["language"] = "vi"
found = {}

def call(name, path, body=None, **head):
    if body is None:
        answer = client.get(path, headers=head)
    else:
        answer = client.post(path, json.dumps(body), content_type="application/json", headers=head)
    found[name] = {"status": answer.status_code, "body": answer.json()}

def dose(person, **more):
    return {"client_id": str(uuid.uuid4()), "person_id": person, "product": "pfizer", "lot_number": "P1", "site": "S1",
            "given_on": "2021-09-10", **more}

call("too young", "/api/doses", dose(3))
call("too young, given", "/api/doses", dose(3, already_given=True))
call("given", "/api/doses", dose(1))
call("register", "/api/persons/1/schedule?programme=covid_19_vn_2021")
call("past", "/api/persons/1/schedule?programme=covid_19_vn_2021&on=2021-09-01")
call("elsewhere", "/api/persons/2/schedule?programme=covid_19_vn_2021")
call("file", "/api/persons/1/schedule?programme=/etc/passwd")
facts = {"id": "a", "birth_date": "1990-05-01", "on": "2021-12-20", "sex": "female",
         "conditions": [{"code": "immune_deficiency"}],
         "doses": [{"date": "2021-08-01", "product": "pfizer"}, {"date": "2021-08-25", "cvx": "208"}]}
call("facts", "/api/programmes/covid_19_vn_2021/evaluate", {"people": [facts]})
unborn = {**facts, "doses": [{"date": "1980-01-01", "product": "pfizer"}]}
call("bad facts", "/api/programmes/covid_19_vn_2021/evaluate", {"people": [facts, unborn]})
call("broken", "/api/programmes/covid_19_vn_2021/evaluate", {"people": [{"birth_date": "x"}]})
call("unknown", "/api/programmes/nothing/evaluate", {"people": []})
call("list", "/api/programmes")
call("openapi", "/api/openapi.json")
stranger = Client(SERVER_NAME="localhost")
found["stranger"] = stranger.get("/api/persons/1/schedule?programme=covid_19_vn_2021").status_code
print(json.dumps(found))
"""


@pytest.fixture
def answers(fresh_database: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env={**os.environ, "KHIEN_MFA": "off"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_schedule_over_the_api(answers: dict) -> None:
    # a dose that the rules of its day forbid: refused with rule and document; recorded and marked where it was given
    refused = answers["too young"]
    assert refused["status"] == 422
    assert refused["body"]["findings"][0]["rule"] == "too_young"
    assert refused["body"]["findings"][0]["document"] == "Resolution 21/NQ-CP (26/02/2021)"
    given = answers["too young, given"]
    assert (given["status"], given["body"]["result"]) == (201, "recorded")
    assert given["body"]["findings"][0]["rule"] == "too_young"
    # somebody of the register, today and as seen earlier
    [dose] = answers["register"]["body"]["doses"]
    assert (dose["date"], dose["evaluations"][0]["status"]) == ("2021-09-10", "valid")
    [next_dose] = answers["register"]["body"]["forecast"]
    assert (next_dose["dose_number"], next_dose["recommended"]) == (2, "2021-10-01")
    assert answers["past"]["body"]["doses"] == []
    # absent and forbidden look the same, and no other file is opened
    assert [answers[name]["status"] for name in ("elsewhere", "file", "unknown")] == [404, 404, 404]
    assert answers["stranger"] == 401
    # facts of somebody who is in no register
    [told] = answers["facts"]["body"]
    assert told["id"] == "a"
    assert [d["evaluations"][0]["status"] for d in told["doses"]] == ["valid", "valid"]
    assert told["forecast"][0]["dose_kind"] == "additional"
    # every fault is named by its place
    assert answers["bad facts"]["status"] == 422
    assert [f["field"] for f in answers["bad facts"]["body"]["faults"]] == ["people[1].doses[0].date"]
    assert answers["broken"]["status"] == 422
    assert answers["list"]["body"] == ["childhood_vn", "covid_19_vn_2021"]
    paths = answers["openapi"]["body"]["paths"]
    assert {"/api/programmes/{programme}/evaluate", "/api/persons/{person_id}/schedule"} <= set(paths)
