"""`khien identity check` and `khien checkpoint device` as somebody at a terminal uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from khien.cli import main
from khien.core.session import begin
from tests.checkpoints.conftest import ADMIN, AN, add_number
from tests.register import add_country, add_person


@pytest.fixture
def run(fresh_database: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., object]:
    with begin(ADMIN) as session:
        add_country(session)
        add_number(session, add_person(session, 1), AN["number"])

    def call(*words: str, exit_code: int = 0) -> object:
        capsys.readouterr()
        try:
            main([*words, "--json"])
        except SystemExit as stopped:
            assert stopped.code == exit_code
            return json.loads(capsys.readouterr().err)
        assert exit_code == 0
        return json.loads(capsys.readouterr().out)

    return call


def check(run: Callable[..., object], **change: str) -> dict[str, object]:
    words = [w for key, value in (AN | change).items() for w in (f"--{key.replace('_', '-')}", value)]
    found = run("identity", "check", *words)
    assert isinstance(found, dict)
    return found


def test_check(run: Callable[..., object]) -> None:
    found = check(run)
    assert (found["verdict"], found["text"]) == ("match", "The declared identity matches the register.")
    found = check(run, name="Trần Văn Khác", sex="male")
    assert (found["verdict"], found["name"]) == ("name_differs", "different")
    assert "Ví Dụ" not in json.dumps(found, ensure_ascii=False)
    assert check(run, birth_date="31/12/1990")["malformed"] == ["birth_date"]
    assert check(run, sex="male")["notes"] == [{"code": "sex_differs", "text": "The sex differs from the register."}]


def test_devices(run: Callable[..., object], tmp_path: Path) -> None:
    run("checkpoint", "add", "t1", "--name", "Chốt thử", "--unit", "900000001")
    assert run("checkpoint", "add", "T1", "--name", "x", "--unit", "900000001", exit_code=3)["error"] == "bad_input"  # type: ignore[index]
    key = tmp_path / "device.pem"
    made = run("checkpoint", "device", "add", "--checkpoint", "T1", "--label", "máy 1", "--key-file", str(key))
    private = load_pem_private_key(key.read_bytes(), None)
    assert made["public_key"] == private.public_key().public_bytes_raw().hex()  # type: ignore[index, union-attr]
    assert key.stat().st_mode & 0o077 == 0
    add = ("checkpoint", "device", "add", "--checkpoint", "T1", "--label", "x")
    for public, code in (("zz", 3), ("00", 3), (made["public_key"], 3)):  # type: ignore[index]
        run(*add, "--public-key", public, exit_code=code)
    run(*add, exit_code=2)
    run(*add, "--key-file", str(key), exit_code=2)
    other = tmp_path / "other.pem"
    nowhere = ("checkpoint", "device", "add", "--checkpoint", "T9", "--label", "x")
    run(*nowhere, "--key-file", str(other), exit_code=5)
    assert not other.exists()
    number = str(made["device_id"])  # type: ignore[index]
    run("checkpoint", "device", "revoke", number)
    run("checkpoint", "device", "revoke", number)
    run("checkpoint", "device", "revoke", "999", exit_code=5)
    listed = run("checkpoint", "device", "list", "--checkpoint", "T1")
    assert [bool(d["revoked_at"]) for d in listed] == [True]  # type: ignore[attr-defined, index]
    assert [c["devices"] for c in run("checkpoint", "list")] == [0]  # type: ignore[attr-defined, index]
