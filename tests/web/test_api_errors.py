"""One form for every error of the JSON API, whoever made it, in the caller's language."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings

from khien.access import actions
from khien.core.actor import machine
from khien.core.session import begin
from tests.access.conftest import django_database, ready  # noqa: F401 - fixtures
from tests.access.test_pages import ADMIN, WORD
from tests.register import NORTH, add_country, add_person


@pytest.fixture
def nurse(django_database: str) -> Iterator[Client]:  # noqa: F811
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_person(session, 1, unit=NORTH)
    actions.add_account(by=ADMIN, username="nurse", name="Nurse", password=WORD, language="en")
    actions.assign_role(by=ADMIN, username="nurse", role="vaccinator", unit_id=NORTH)
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    with override_settings(MFA_REQUIRED=False):
        from khien.access.models import Account

        client.force_login(
            Account.objects.get(username="nurse"), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        yield client


def send(client: Client, body: str, language: str = "en", **headers: str) -> Any:
    return client.post("/api/doses", body, content_type="application/json",
                       headers={"accept-language": language, **headers})  # fmt: skip


def token(client: Client) -> dict[str, str]:
    page = client.get("/").content.decode()
    return {"x-csrftoken": page.split('name="csrf-token" content="')[1].split('"')[0]}


def checked(answer: Any, status: int, code: str) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert answer.status_code == status
    assert list(told) == ["error", "message", "faults"]
    assert told["error"] == code and told["message"]
    return told


def test_a_stranger_a_forged_message_broken_json_and_a_wrong_address(nurse: Client) -> None:
    stranger = Client(SERVER_NAME="localhost")
    checked(stranger.get("/api/persons/1/doses"), 401, "not_signed_in")
    checked(send(stranger, "{}"), 401, "not_signed_in")
    checked(send(nurse, "{}"), 403, "forged")
    checked(send(nurse, "{not json", **token(nurse)), 400, "bad_request")
    checked(nurse.get("/api/nichts"), 404, "not_found")
    checked(nurse.get("/api/persons/99/doses"), 404, "not_found")


def test_wrong_fields_are_named_in_the_callers_language_and_never_repeated(nurse: Client) -> None:
    wrong = json.dumps(
        {"client_id": "079190000011", "person_id": "x", "given_on": "079190000011", "product": "p" * 101}
    )
    english = checked(send(nurse, wrong, "en", **token(nurse)), 422, "bad_input")
    assert {f["field"]: f["message"] for f in english["faults"]} == {
        "dose.client_id": "This must be a UUID.", "dose.person_id": "This must be a whole number.",
        "dose.given_on": "This must be a day like 2021-09-15.",
        "dose.product": "This must have at most 100 characters.",
    }  # fmt: skip
    vietnamese = checked(send(nurse, wrong, "vi", **token(nurse)), 422, "bad_input")
    assert all("This" not in f["message"] for f in vietnamese["faults"])
    assert "079190000011" not in json.dumps([english, vietnamese])
    missing = checked(send(nurse, json.dumps({"client_id": str(uuid4())}), "vi", **token(nurse)), 422, "bad_input")
    assert {f["message"] for f in missing["faults"]} == {"Trường này là bắt buộc."}


def test_every_operation_documents_the_form(nurse: Client) -> None:
    description = nurse.get("/api/openapi.json").json()
    assert description["components"]["schemas"]["Error"]["required"] == ["error", "message", "faults"]
    for path in description["paths"].values():
        for operation in path.values():
            assert {"401", "403", "404", "422"} <= set(operation["responses"])
