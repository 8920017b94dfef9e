"""A command that reads many rows ends with 3 where it could take none of them, and with 0 where some are there now."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from khien.checkpoints.actions import add_checkpoint
from khien.cli import main
from khien.core import errors
from khien.core.actor import machine
from khien.core.session import begin
from tests.conftest import ROOT
from tests.register import NORTH, add_country, add_person, add_vaccines, set_today

NUMBER, NOBODY = "001190000011", "001190999999"


@pytest.fixture
def country(fresh_database: str) -> None:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        add_vaccines(session)
        set_today(session, dt.date(2021, 9, 15))
        add_person(session, 11, unit=NORTH)
        session.execute(
            "INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', %(number)s, 11)", number=NUMBER
        )
    add_checkpoint(by=machine("test", "*"), code="C-1", name="Chốt Cầu Bắc", unit_id=NORTH)


def _people(good: bool) -> str:
    commune = "T1" if good else "T9"
    return f"personal_number,name,birth_date,sex,commune,address\n{NUMBER},Lê Thử,1990-01-15,female,{commune},Số 1\n"


def _visits(good: bool) -> str:
    return f"personal_number,place,from,to,source\n{NUMBER if good else NOBODY},M1,2021-08-01T08:00,,guest\n"


def _doses(good: bool) -> str:
    told = {"client_id": str(uuid4()), "person_id": 11 if good else 99, "product": "alpha", "given_on": "2021-09-10",
            "lot_number": "A1", "site": "S1"}  # fmt: skip
    return json.dumps(told) + "\n"


def _list(good: bool) -> str:
    return f"{NUMBER if good else NOBODY}\n"


def _passages(good: bool) -> str:
    day = 15 if good else 25
    told = {"client_id": str(uuid4()), "passed_at": f"2021-09-{day}T00:00:00+07:00", "direction": "in",
            "number": NUMBER, "name": "X", "born_first": "1990-01-15", "born_last": "1990-01-15"}  # fmt: skip
    return json.dumps(told) + "\n"


LOADS = [
    (_people, ("population", "load", "FILE", "--as-of", "2021-09-15")),
    (_visits, ("visits", "load", "FILE")),
    (_doses, ("vaccination", "load", "FILE")),
    (_list, ("campaign", "prioritise", "covid_19_vn_2021", "1", "FILE", "--source", "Công ty")),
    (_passages, ("checkpoint", "record", "C-1", "--file", "FILE")),
]


@pytest.mark.parametrize(("rows", "words"), LOADS, ids=[" ".join(words[:2]) for _, words in LOADS])
def test_none_of_the_rows_some_of_them_and_all_again(
    country: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    rows: Callable[[bool], str],
    words: tuple[str, ...],
) -> None:
    file = tmp_path / "rows.csv"

    def load(text: str, *more: str) -> tuple[int, str, str]:
        file.write_text(text, encoding="utf-8")
        code: object = 0
        try:
            main([str(file) if word == "FILE" else word for word in words] + list(more))
        except SystemExit as end:
            code = end.code
        told = capsys.readouterr()
        assert isinstance(code, int)
        return code, told.out, told.err

    bad, good = rows(False), rows(True)
    code, _, err = load(bad)
    assert (code, err.splitlines()[-1]) == (3, "None of the 1 rows could be taken.")
    code, out, err = load(bad, "--json")
    assert code == 3
    assert json.loads(out)  # what became of them, as ever
    assert json.loads(err)["error"] == "nothing_taken"
    assert load(good + bad.splitlines()[-1])[0] == 0
    assert load(good)[0] == 0  # known already


def test_the_list_of_codes_is_that_of_the_errors() -> None:
    told = (ROOT / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", told, re.MULTILINE)}
    ours = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    assert listed == ours | {0, 130}
