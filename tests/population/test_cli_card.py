"""`khien card parse`: JSON out, exit code 3 and no echo of a malformed text."""

import io
import json
import unicodedata

import pytest

from khien.cli import main

QR = "001190123456|012345678|Nguyễn Thị Ví Dụ|15011990|Nữ|Số 1, Trúc Bạch|01072021"


def test_a_decomposed_text_comes_out_composed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["card", "parse", unicodedata.normalize("NFD", QR), "--json"])
    card = json.loads(capsys.readouterr().out)
    assert card["name"] == "Nguyễn Thị Ví Dụ" and card["sex"] == "female" and card["birth_date"] == "1990-01-15"


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + QR.encode() + b"\r\n")))
    main(["card", "parse", "-"])
    assert "name: Nguyễn Thị Ví Dụ" in capsys.readouterr().out


@pytest.mark.parametrize("raw", [b"\xff\xfe|", QR.replace("Nữ", "X").encode(), b""])
def test_malformed(raw: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    with pytest.raises(SystemExit) as left:
        main(["card", "parse", "-", "--json"])
    said = capsys.readouterr()
    assert left.value.code == 3 and said.out == ""
    assert json.loads(said.err)["faults"] and "190123" not in said.err
