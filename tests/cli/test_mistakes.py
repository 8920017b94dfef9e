"""What users type wrong: never a traceback, always the exit code of DESIGN §6, in the language of the terminal."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from khien.cli import main
from khien.core.errors import WrongUsage, system_reason
from khien.core.i18n import translate
from khien.web.serving import check_port

_ID = "00000000-0000-4000-8000-000000000001"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    return int(caught.value.code or 0), shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("population", "search", "Lan", "--born", "99999"), 2),
        (("population", "search", "Lan", "--unit", "99999999999"), 2),
        (("population", "show", "a\udcff"), 3),
        (("population", "show", "--id", "9" * 18), 5),
        (("coverage", "build", "--disease", "../elsewhere"), 2),
        (("coverage", "query", "--min-age", "50", "--max-age", "5"), 2),
        (("units", "show", "nowhere"), 5),
        (("nothing",), 2),
    ],
)
def test_each_mistake_has_its_code(
    database: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int
) -> None:
    assert told(capsys, *words)[0] == code


def test_a_message_is_filled_and_in_vietnamese(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    assert told(capsys, "units", "show", "xyz")[1] == "Không có đơn vị hành chính xyz vào ngày đó.\n"


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00",
        b"[" * 100_000,
        json.dumps({"client_id": _ID, "person_id": "abc", "product": "x", "given_on": "2021-09-01"}).encode(),
        json.dumps({"client_id": _ID, "person_id": 10**30, "product": "x", "given_on": "2021-09-01"}).encode(),
        json.dumps({"client_id": _ID, "person_id": 1, "product": "x\0", "given_on": "2021-09-01"}).encode(),
        json.dumps({"client_id": _ID, "person_id": 1, "product": ["x"], "given_on": "2021-09-01"}).encode(),
    ],
)
def test_a_line_that_is_no_dose(database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: bytes) -> None:
    """Named by its number, and not even the good line before it is recorded."""
    good = json.dumps({"client_id": _ID, "person_id": 1, "product": "x", "given_on": "2021-09-01"}).encode()
    file = tmp_path / "doses.jsonl"
    file.write_bytes(good + b"\n" + line + b"\n")
    code, shown = told(capsys, "vaccination", "load", str(file))
    assert code == 3
    assert "2: dose" in shown
    assert "abc" not in shown


def test_our_own_fault_tells_where_but_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("khien.cli.card.parse_card", lambda text: {}[text])
    code, shown = told(capsys, "card", "parse", "079190001234")
    assert code == 1
    assert "card.py:" in shown
    assert "079190001234" not in shown


def test_a_port_that_is_taken_is_told_even_where_it_could_be_shared() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(WrongUsage):
            check_port("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("language", "said"), [("vi", "không có tệp hoặc thư mục này"), ("en", "there is no such file or folder")]
)
def test_what_the_system_says_of_a_file_is_said_in_both_languages(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setenv("KHIEN_LANGUAGE", language)
    code, shown = told(capsys, "population", "load", "/nowhere/people.csv")
    assert code in (2, 3, 5) and said in shown and "No such file" not in shown


def test_other_errors_of_the_system_are_told_by_number() -> None:
    assert translate("{reason}", "vi", reason=system_reason(OSError(9999, "x"))) == "hệ thống từ chối (9999)"
