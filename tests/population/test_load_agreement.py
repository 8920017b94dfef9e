"""The loader's set-based checks and the Python rules accept the same values, and give the same keys."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.core.text import nfc
from khien.population.rules import documents, names, partial_date, personal_number
from tests.population.extracts import load, ready, register, rejects, row, write

_SPACES = st.sampled_from(["", " ", "\t", "\u00a0", "\u2003"])
_NUMBERS = st.one_of(
    st.text("0123456789", min_size=10, max_size=13),
    st.text("0123456789 A٣\u00a0", min_size=1, max_size=14),
    st.from_regex(r"[0-9]{3} ?[0-9]{9}", fullmatch=True),
)
_DATES = st.one_of(
    st.dates(dt.date(1840, 1, 1), dt.date(2021, 9, 1)).map(str),
    st.builds("{:04}-{:02}-{:02}".format, st.integers(1849, 2021), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{:04}-{:02}".format, st.integers(1849, 2021), st.integers(0, 13)),
    st.integers(0, 2021).map("{:04}".format),
    st.sampled_from(["1990-**-**", "1990-**", "1990-05-**", "1990-**-05", "199", "1990-1-1", "19900101", "90-01-01"]),
    st.text("0123456789-*/", max_size=11),
)
_OLD = st.one_of(st.text("0123456789", min_size=8, max_size=10), st.text("0123456789 .-A", max_size=12))
_INSURANCE = st.one_of(
    st.from_regex(r"[A-Za-z]{2}[0-9]{13}", fullmatch=True), st.from_regex(r"[0-9]{9,11}", fullmatch=True),
    st.text("0123456789 .-AB", max_size=16),
)  # fmt: skip
_NAMES = st.one_of(
    st.lists(
        st.sampled_from(["Nguyễn", "Đặng", "Thị", "Ví", "Dụ", "Ơn", "ử", "Hoà", "Hòa", "Ý", "É", "ü"]),
        min_size=1,
        max_size=4,
    ).map(" ".join),
    st.text(st.characters(codec="utf-8", categories=("L", "Zs", "P", "Mn")), max_size=20),
)


def accepts(parse: object, text: str) -> bool:
    try:
        parse(text)  # type: ignore[operator]
    except BadInput:
        return False
    return True


def refused(path: Path, column: str, values: list[str]) -> set[int]:
    """Indexes of the values whose row the loader refused for that column. Each row is a person of its own."""
    people = []
    for n, value in enumerate(values):
        plain = {"personal_number": "", "provisional_id": f"P{n}", "name": f"Người {n}"}
        people.append(row(**{**plain, column: value}))
    done = load(write(path, *people))
    # Numbers that several rows share, and births after the extract, are another matter than the form.
    return {
        line - 2
        for line, field, reason in rejects(done)
        if field == column
        and "nother row" not in reason
        and "another person" not in reason
        and "after the day" not in reason
    }


@pytest.mark.parametrize(
    ("column", "values", "parse"),
    [
        ("personal_number", _NUMBERS, personal_number.parse),
        ("birth_date", _DATES, partial_date.parse_iso),
        ("old_number", _OLD, documents.parse_cmnd),
        ("insurance_number", _INSURANCE, documents.parse_insurance),
    ],
)
def test_sql_accepts_what_python_accepts(
    fresh_database: str, tmp_path: Path, column: str, values: st.SearchStrategy[str], parse: object
) -> None:
    ready()

    @settings(max_examples=2, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(values.filter(lambda v: documents.normalise(v) != ""), min_size=80, max_size=120, unique=True))
    def agree(given_values: list[str]) -> None:
        bad = {n for n, value in enumerate(given_values) if not accepts(parse, value)}
        assert refused(tmp_path / "a.csv", column, given_values) == bad, given_values

    agree()


def test_names_and_keys_are_those_of_the_rules(fresh_database: str, tmp_path: Path) -> None:
    ready()

    @settings(max_examples=2, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(_NAMES, min_size=80, max_size=120))
    def agree(given_names: list[str]) -> None:
        usable = [n for n in given_names if nfc(n) and len(n) < 200]
        load(
            write(tmp_path / "a.csv", *(row(personal_number="", provisional_id=f"Q{hash(n)}", name=n) for n in usable))
        )
        [stored] = register("SELECT name, name_key, khien_name_key(name), khien_fold(name) FROM person")
        for name, key, in_sql, _folded in stored:
            assert name == nfc(name)
            assert key == in_sql == names.name_key(name), name

    agree()
