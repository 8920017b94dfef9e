"""`khien user`: a post is left without a first or a last day only where that is said."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from khien.access import actions
from khien.cli import main
from khien.core.actor import machine

ADMIN = machine("administration", "account.manage")
FIRST, LAST = "2027-01-01", "2027-06-30"


@pytest.fixture
def post(django_database: str) -> str:
    actions.add_account(by=ADMIN, username="lan", name="Lan", password=None)
    last = dt.date.fromisoformat(LAST)
    return str(actions.assign_role(by=ADMIN, username="lan", role="auditor", valid_until=last))


def held(post: str) -> tuple[str | None, str | None]:
    from khien.access.models import Assignment

    found = Assignment.objects.get(pk=int(post))
    return str(found.valid_from), str(found.valid_until)


@pytest.mark.parametrize(
    "words",
    [(), ("--from", FIRST), ("--until", "open"), ("--from", "", "--until", LAST), ("--from", "x", "--until", LAST)],
)
def test_days_that_are_left_out_open_nothing(
    post: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["user", "days", post, *words])
    assert end.value.code == 2
    assert held(post) == ("None", LAST)


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (FIRST, LAST, "từ 01/01/2027 đến 30/06/2027"),
        ("open", LAST, "từ … đến 30/06/2027"),
        (FIRST, "open", "từ 01/01/2027 đến …"),
        ("open", "open", "từ … đến …"),
    ],
)
def test_both_days_are_said(
    post: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    last: str,
    told: str,
) -> None:
    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    words = ["user", "days", post, "--from", first, "--until", last]
    main(words)
    assert told in capsys.readouterr().out
    assert held(post) == tuple("None" if day == "open" else day for day in (first, last))
    main([*words, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert [answer["from"], answer["until"]] == [None if day == "open" else day for day in (first, last)]
