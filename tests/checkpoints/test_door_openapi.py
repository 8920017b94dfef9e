"""What the door does is what its description says: random requests made from it, each signed."""

from __future__ import annotations

import json
import secrets
import time
import urllib.request

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from khien.checkpoints.door import signing
from tests.checkpoints.conftest import RunningDoor

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_answers_fit_the_description(door: RunningDoor) -> None:
    base = f"http://127.0.0.1:{door.port}"
    with urllib.request.urlopen(f"{base}/v1/openapi.json") as answer:
        schema = schemathesis.openapi.from_dict(json.load(answer))
    seen: set[tuple[str, int]] = set()
    for operation in schema.get_all_operations():
        described = operation.ok()

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(described.as_strategy())
        def each(case: schemathesis.Case) -> None:
            body = json.dumps(case.body).encode() if case.method.upper() == "POST" else b""
            headers = {"Content-Type": "application/json"} if body else {}
            headers["Authorization"] = signing.device_authorization(
                door.key, door.device, case.method.upper(), case.path, int(time.time()), secrets.token_urlsafe(9), body
            )
            response = case.call(base_url=base, headers=headers, **({"data": body, "json": None} if body else {}))
            seen.add((case.path, response.status_code))
            case.validate_response(response, checks=CHECKS)

        each()
    assert {("/v1/checks", 200), ("/v1/checks/batch", 200), ("/healthz", 200)} <= seen
