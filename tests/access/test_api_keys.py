"""Other systems use the JSON API with a key: nothing more than the post behind it may, and not for ever."""

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
from khien.access import actions, keys, store
from khien.access.models import ApiKey
from khien.core.actor import machine
from khien.core.session import begin
from tests.register import NORTH, SOUTH, add_country, add_person, add_vaccines, set_today

admin = machine("administration", "*")
with begin(admin, role="khien_loader") as session:
    add_country(session)
    add_person(session, 1, unit=NORTH)
    add_person(session, 2, unit=SOUTH)
with begin(admin, role="khien_owner") as session:
    add_vaccines(session)
    set_today(session, dt.date(2021, 9, 14))
actions.add_account(by=admin, username="bridge", name="Bridge", password=None)
post = actions.assign_role(by=admin, username="bridge", role="vaccinator", unit_id=NORTH)
secret = actions.add_api_key(by=admin, assignment_id=post, name="Hospital", expires_on=dt.date(2021, 12, 31))
later = actions.add_api_key(
    by=admin, assignment_id=post, name="Later", valid_from=dt.date(2021, 9, 16), expires_on=dt.date(2021, 12, 31)
)
other = actions.add_api_key(
    by=admin, assignment_id=post, name="Corrections", purpose="data-correction", expires_on=dt.date(2021, 12, 31)
)
over = actions.add_api_key(by=admin, assignment_id=post, name="Old", expires_on=dt.date(2021, 9, 14))
with begin(admin, role="khien_owner") as session:
    set_today(session, dt.date(2021, 9, 15))
client = Client(SERVER_NAME="localhost")

def send(key, person, **more):
    body = {"client_id": str(uuid.uuid4()), "person_id": person, "product": "alpha", "lot_number": "A1", "site": "S1",
            "given_on": "2021-09-10", **more}
    head = {"authorization": f"Bearer {key}"} if key else {}
    answer = client.post("/api/doses", json.dumps(body), content_type="application/json", headers=head)
    return answer.status_code

found = {
    "purpose": keys.actor_of_key(other).purpose,
    "key that has not begun": send(later, 1),
    "good": send(secret, 1),
    "other area": send(secret, 2),
    "no key": send(None, 1),
    "wrong key": send("khien_wrong", 1),
    "key that is over": send(over, 1),
    "not its permission": client.get("/coverage/", headers={"authorization": f"Bearer {secret}"}).status_code,
    "bad body": send(secret, 1, given_on="yesterday"),
}
with begin(admin) as session:
    kept = {k["name"]: k for k in store.api_keys(session)}
    digests = [bytes(d["digest"]) for d in session.rows("SELECT digest FROM api_key")]
    used = session.rows("SELECT detail FROM access_log WHERE action = 'account.api_key_used'")
found["last use"] = {name: str(k["last_used_on"]) for name, k in kept.items()}
found["uses logged"] = [u["detail"]["key"] == kept["Hospital"]["id"] for u in used]
found["seen without a scope"] = ApiKey.objects.count()
actions.revoke_api_key(by=admin, key_id=kept["Hospital"]["id"])
keys._known.clear()  # as some seconds later
found["revoked"] = send(secret, 1)
found["kept in clear"] = any(secret.encode() in digest for digest in digests)
print(json.dumps(found))
"""


@pytest.fixture
def answers(fresh_database: str) -> dict:
    environment = {**os.environ, "KHIEN_MFA": "off"}
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_key_opens_what_its_post_may_until_it_ends(answers: dict) -> None:
    assert answers == {
        "good": 201,
        "other area": 404,
        "no key": 401,
        "wrong key": 401,
        "key that is over": 401,
        "not its permission": 302,  # pages are for people who sign in
        "bad body": 422,
        "revoked": 401,
        "kept in clear": False,
        "key that has not begun": 401,
        "purpose": "data-correction",
        "last use": {"Hospital": "2021-09-15", "Old": "None", "Later": "None", "Corrections": "2021-09-15"},
        "uses logged": [False, True],
        "seen without a scope": 0,
    }
