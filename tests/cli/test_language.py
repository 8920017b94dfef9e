"""The command line speaks the language of its terminal, click's own words too; other mistakes of names."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from khien.access import actions
from khien.cli import _speak, khien, paragraphs, tell_help
from khien.core.actor import machine
from khien.core.errors import BadInput
from khien.web.messages import translated


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LANG", "LANGUAGE", "KHIEN_LANGUAGE")}
    command = [sys.executable, "-c", "from khien.cli import main; main()", *words]
    return subprocess.run(command, env={**bare, **environment}, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"KHIEN_LANGUAGE": "vi"}, ("Cách dùng:", "Thiếu tham số", "Gõ 'khien")),
        ({"LANG": "vi_VN.UTF-8"}, ("Cách dùng:", "Thiếu tham số")),
        ({"LANG": "vi_VN.UTF-8", "KHIEN_LANGUAGE": "en"}, ("Usage:", "Missing argument")),
        ({}, ("Usage:", "Missing argument")),
    ],
)
def test_usage_and_what_is_missing(environment: dict[str, str], words: tuple[str, ...]) -> None:
    done = run("units", "show", **environment)
    assert done.returncode == 2
    assert all(word in done.stderr for word in words), done.stderr


def test_help_and_wrong_values_in_vietnamese() -> None:
    told = run("trace", "--help", KHIEN_LANGUAGE="vi").stdout
    assert "Tùy chọn:" in told and "Hiện hướng dẫn này rồi thoát." in told and "mặc định: 1" in told
    assert "nằm ngoài khoảng" in run("trace", "--depth", "9", KHIEN_LANGUAGE="vi").stderr
    assert "Không có lệnh 'nichts'" in run("nichts", KHIEN_LANGUAGE="vi").stderr


def test_days_are_told_as_people_write_them() -> None:
    for tongue, written in (("en", "YYYY-MM-DD"), ("vi", "năm-tháng-ngày")):
        for words in (("coverage", "query", "--on", "15/09/2021"), ("zone", "list", "--on", "2021-02-30")):
            done = run(*words, KHIEN_LANGUAGE=tongue)
            assert done.returncode == 2 and written in done.stderr and "%" not in done.stderr
    assert "--on NĂM-THÁNG-NGÀY" in run("coverage", "query", "--help", KHIEN_LANGUAGE="vi").stdout
    assert "--from [YYYY-MM-DD|open]" in run("user", "days", "--help", KHIEN_LANGUAGE="en").stdout


def helps(command: click.Command, path: str = "khien") -> Iterator[tuple[str, str]]:
    """Where each help text stands, and what it says in English."""
    told = [command.help, *(one.help for one in command.params if isinstance(one, click.Option))]
    yield from ((path, text) for text in told if text)
    for name in command.list_commands(click.Context(command)) if isinstance(command, click.Group) else ():
        below = command.get_command(click.Context(command), name)
        assert below is not None
        yield from helps(below, f"{path} {name}")


def test_the_help_of_every_command_is_there_in_vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIEN_LANGUAGE", "en")
    known = {message for message, context in translated() if context is None}
    parts = {(path, part.removeprefix("\b\n")) for path, text in helps(tell_help(khien)) for part in paragraphs(text)}
    assert len(parts) > 350
    assert sorted((path, part) for path, part in parts if part not in known) == []


def test_help_follows_the_language_of_the_terminal_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    _speak()
    assert (
        tell_help(tell_help(khien)).help
        == "Khiên: quản lý tiêm chủng và vùng dịch trên cơ sở dữ liệu quốc gia về dân cư."
    )
    monkeypatch.setenv("KHIEN_LANGUAGE", "en")
    _speak()
    assert (tell_help(khien).help or "").startswith("Khiên: vaccination and epidemic-zone management")


def test_help_is_told_in_vietnamese_paragraph_by_paragraph() -> None:
    told = run("vaccination", "evaluate", "--help", KHIEN_LANGUAGE="vi").stdout
    assert "Đánh giá các mũi tiêm" in told and "\n    id            giá trị bất kỳ" in told
    assert "Chương trình tiêm chủng" in run("--help", KHIEN_LANGUAGE="vi").stdout
    assert "bản đối chứng" in run("bench", "load", "--help", KHIEN_LANGUAGE="vi").stdout
    assert "Vaccination programmes" in run("--help", KHIEN_LANGUAGE="en").stdout


# What each kind of value in any command says of a wrong one, a line a kind.
_WRONG = """
import click
from khien.cli import khien

def kinds(command):
    for one in command.params:
        yield from getattr(one.type, "types", [one.type])
    for name in command.list_commands(None) if isinstance(command, click.Group) else ():
        yield from kinds(command.get_command(None, name))

told = set()
for kind in kinds(khien):
    for value in ("/nowhere/x", "/", "-99999999"):
        try:
            kind.convert(value, None, None)
        except click.BadParameter as wrong:
            told.add((type(kind).__name__, wrong.format_message()))
print(*sorted(told), sep="\\n")
"""


def test_every_kind_of_value_says_in_vietnamese_what_is_wrong() -> None:
    bare = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LANG", "LANGUAGE")}
    said = {}
    for tongue in ("en", "vi"):
        done = subprocess.run(
            [sys.executable, "-c", _WRONG],
            env={**bare, "KHIEN_LANGUAGE": tongue},
            capture_output=True,
            text=True,
            check=True,
        )
        said[tongue] = [ast.literal_eval(line) for line in done.stdout.splitlines()]
    kinds = {kind for kind, _ in said["en"]}
    assert kinds >= {"IntParamType", "IntRange", "FloatParamType", "FloatRange", "Day", "Choice", "Path"}
    assert {kind for kind, _ in said["vi"]} == kinds
    english = {word for _, text in said["en"] for word in re.findall(r"[a-z]{3,}", _bare(text))}
    assert {"integer", "range", "valid", "written"} <= english
    assert [text for _, text in said["vi"] if english & set(re.findall(r"[a-zà-ỹđ]{3,}", _bare(text)))] == []


def _bare(text: str) -> str:
    """Without what was given and what can be chosen: that is not a language's."""
    return re.sub(r"'[^']*'|(values|nhận được): .*", "", text)


@pytest.mark.parametrize("name", ["nguyen van a", "", "a\tb", "tên/khác", "x" * 151])
def test_a_user_name_with_spaces_is_refused_with_its_reason(database: str, name: str) -> None:
    from khien.access import setup

    setup.ready("en")
    with pytest.raises(BadInput) as refusal:
        actions.add_account(by=machine("administration", "account.manage"), username=name, name="A", password=None)
    assert [f.field for f in refusal.value.faults] == ["username"]
