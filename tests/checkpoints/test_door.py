"""The door from outside: signatures, clocks, replays, broken and oversized messages. Nothing unsigned is read."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.checkpoints import actions
from khien.checkpoints.door import signing
from khien.core.actor import machine
from khien.core.session import begin
from tests.checkpoints.conftest import ADMIN, AN, RunningDoor


def logged(verdict: str | None = None) -> int:
    with begin(machine("audit", "*")) as session:
        return int(
            session.value(
                "SELECT count(*) FROM access_log WHERE action = 'identity.check'"
                " AND (%(v)s::text IS NULL OR detail ->> 'verdict' = %(v)s)",
                v=verdict,
            )
        )


def log_faults() -> list[dict[str, object]]:
    with begin(machine("audit", "*")) as session:
        return session.rows("SELECT * FROM access_verify()")


def test_a_signed_check_is_answered_and_logged_with_its_device(door: RunningDoor) -> None:
    before = logged()
    status, answer = door.client().check(**AN)
    assert (status, answer["verdict"], answer["name"], answer["birth_date"]) == (200, "match", "same", "same")
    assert logged() == before + 1
    with begin(machine("audit", "*")) as session:
        row = session.row("SELECT * FROM access_log WHERE action = 'identity.check' ORDER BY at DESC LIMIT 1")
    assert row is not None
    assert (row["person_id"], row["purpose"]) == (1, "movement-control")
    assert (row["detail"]["device"], row["detail"]["verdict"]) == (door.device, "match")


def test_a_session_does_the_same_with_a_code(door: RunningDoor) -> None:
    client = door.client()
    client.begin_session()
    assert client.check(**AN | {"birth_date": "1990-02-01"})[1]["verdict"] == "birth_date_differs"
    assert client.check(**AN | {"number": "119"}) == (200, {"verdict": "malformed", "malformed": ["number"]})


def test_a_batch_is_answered_in_order_and_logged_as_one_link(door: RunningDoor) -> None:
    client = door.client()
    client.begin_session()
    numbers = [f"0011900000{n:02}" for n in range(1, 60)] + ["001190000099", "x"]
    checks = [AN | {"number": numbers[i % len(numbers)]} for i in range(1000)]
    status, answer = client.check_batch(checks)
    assert status == 200
    expected = {"x": "malformed", "001190000099": "unknown_number"}
    assert [a["verdict"] for a in answer["answers"]] == [expected.get(c["number"], "match") for c in checks]
    with begin(machine("audit", "*")) as session:
        assert session.value("SELECT count(*) FROM access_log WHERE n = 1000") == 1
    assert log_faults() == []


def test_many_at_once_share_calls_and_each_gets_its_own_answer(door: RunningDoor) -> None:
    def ask(n: int) -> tuple[int, str]:
        client = door.client()
        client.begin_session()
        name = "Nguyễn Thị Ví Dụ" if n % 2 else "Trần Văn Khác"
        return n, client.check(**AN | {"number": f"0011900000{n:02}", "name": name})[1]["verdict"]

    with ThreadPoolExecutor(16) as many:
        for n, verdict in many.map(ask, range(1, 60)):
            assert verdict == ("match" if n % 2 else "name_differs")


def test_nothing_unsigned_forged_or_changed_is_read(door: RunningDoor) -> None:
    before = logged()
    client, stranger = door.client(), door.client(key=Ed25519PrivateKey.generate())
    assert stranger.check(**AN)[0] == 401
    assert door.client(device=999).check(**AN)[0] == 401
    body = json.dumps(AN).encode()
    header = client.authorization("/v1/checks", body)
    other = json.dumps(AN | {"number": "001190000002"}).encode()
    assert client.send("/v1/checks", other, header)[2]["error"] == "bad_signature"
    assert client.send("/v1/checks/batch", body, header)[0] == 401
    for broken in ("", "x", header[:-4], header + "A", header.replace("Device", "Session"), "Khien-Device 1.2.3.4"):
        assert client.send("/v1/checks", body, broken)[0] == 401
    client.begin_session()
    header = client.authorization("/v1/checks", body)
    assert client.send("/v1/checks", other, header)[0] == 401
    token, rest = header.removeprefix("Khien-Session ").split(".", 1)
    forged = signing.encode(b"\0\0\0\xff" + signing.decode(token)[4:])
    assert client.send("/v1/checks", body, f"Khien-Session {forged}.{rest}")[2]["error"] == "session_over"
    assert logged() == before


def test_the_same_message_again_is_refused(door: RunningDoor) -> None:
    for with_session in (False, True):
        client = door.client()
        if with_session:
            client.begin_session()
        body = json.dumps(AN).encode()
        header = client.authorization("/v1/checks", body)
        assert client.send("/v1/checks", body, header)[0] == 200
        status, _, answer = client.send("/v1/checks", body, header)
        assert (status, answer["error"]) == (409, "replayed")


@pytest.mark.parametrize("offset", [-3600, 3600, 61 + 5, -61 - 5])
def test_a_clock_that_is_off_learns_the_time(door: RunningDoor, offset: int) -> None:
    status, answer = door.client(clock_offset=offset).check(**AN)
    assert (status, answer["error"]) == (401, "clock")
    assert answer["server_time"][:13] == time.strftime("%Y-%m-%dT%H", time.gmtime())
    assert answer["server_time"] in answer["message"]


def test_clocks_slightly_off_and_messages_out_of_order_are_fine(door: RunningDoor) -> None:
    for offset in (50, -50, 0, 20):
        assert door.client(clock_offset=offset).check(**AN)[0] == 200


def test_a_revoked_device_is_refused_at_once_also_within_a_session(door: RunningDoor) -> None:
    key = Ed25519PrivateKey.generate()
    device = actions.add_device(
        by=ADMIN, checkpoint="T1", label="revoked", public_key=key.public_key().public_bytes_raw()
    )
    signed, within = door.client(device, key), door.client(device, key)
    within.begin_session()
    assert signed.check(**AN)[0] == within.check(**AN)[0] == 200
    actions.revoke_device(by=ADMIN, device_id=device)
    before = logged()
    assert within.check(**AN)[1]["error"] == "device_refused"
    assert signed.check(**AN)[0] in (401, 403)
    with pytest.raises(RuntimeError):
        door.client(device, key).begin_session()
    assert logged() == before


def test_sizes_methods_and_addresses(door: RunningDoor) -> None:
    client = door.client()
    big = json.dumps(AN | {"name": "a" * 5000}).encode()
    assert client.send("/v1/checks", big, client.authorization("/v1/checks", big))[0] == 413
    many = json.dumps({"checks": [AN] * 1001}).encode()
    assert client.send("/v1/checks/batch", many, client.authorization("/v1/checks/batch", many))[0] == 422
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=10)
    for method, path, status in (
        ("GET", "/v1/checks", 405), ("DELETE", "/healthz", 405), ("GET", "/nowhere", 404), ("POST", "/nowhere", 404),
        ("GET", "/healthz", 200), ("GET", "/v1/openapi.json", 200),
    ):  # fmt: skip
        connection.request(method, path)
        response = connection.getresponse()
        assert (response.status, bool(json.loads(response.read()))) == (status, True), (method, path)
    with suppress(BrokenPipeError):  # the door answers and closes before the last piece is sent
        connection.request("POST", "/v1/checks", iter([b"x"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().status == 411
    connection.close()


def test_a_faulty_batch_names_lines_and_checks_nothing(door: RunningDoor) -> None:
    before = logged()
    status, answer = door.client().check_batch([AN, AN | {"nmae": "x"}, {"number": "1"}])
    assert status == 422
    assert [fault["line"] for fault in answer["faults"]] == [2, 3]
    assert AN["number"] not in json.dumps(answer)
    assert logged() == before


def test_refusals_speak_vietnamese(door: RunningDoor) -> None:
    body = json.dumps(AN).encode()
    answer = door.client().send("/v1/checks", body, "x", **{"Accept-Language": "vi-VN,vi"})[2]
    assert answer["message"].startswith("Yêu cầu chưa được ký")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/v1/checks", "/v1/checks/batch", "/v1/sessions"]),
    st.binary(max_size=300)
    | json_values.map(lambda v: json.dumps(v).encode())
    | st.fixed_dictionaries({"checks": st.lists(st.just(AN) | json_values, max_size=3)}).map(
        lambda v: json.dumps(v).encode()
    )
    | st.fixed_dictionaries({k: st.text() for k in AN}).map(lambda v: json.dumps(v).encode()),
)
def test_whatever_is_signed_gets_a_clear_answer(door: RunningDoor, path: str, body: bytes) -> None:
    client = door.clients[0] if door.clients else door.client()
    status, _, answer = client.send(path, body, client.authorization(path, body))
    assert status in (200, 422, 413), answer
    assert isinstance(answer, dict)


def test_two_workers_share_sessions_and_refuse_each_others_replays(open_door: Callable[..., RunningDoor]) -> None:
    door = open_door("--workers", "2")
    first = door.client()
    first.begin_session()
    body = json.dumps(AN).encode()
    headers = [first.authorization("/v1/checks", body) for _ in range(6)]
    statuses = []
    for header in headers:
        for _ in range(4):  # a new connection each time: the kernel spreads them over the workers
            client = door.client()
            statuses.append(client.send("/v1/checks", body, header)[0])
    assert sorted(statuses) == [200] * 6 + [409] * 18
