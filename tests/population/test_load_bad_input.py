"""Bad extracts: a clear word by line and field, the good rows loaded, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from khien.cli.population import population
from khien.core.errors import BadInput
from tests.population.extracts import load, ready, register, rejects, row, write

HEADER = "personal_number,name,birth_date,sex,commune,address\n"


@pytest.fixture(autouse=True)
def _country(fresh_database: str) -> None:
    ready()


@pytest.mark.parametrize(
    ("fields", "field", "word"),
    [
        ({"personal_number": "01190000001"}, "personal_number", "11 digits"),
        ({"personal_number": "00119000000A"}, "personal_number", "digits only"),
        ({"personal_number": "0011900000011"}, "personal_number", "exactly 12"),
        ({"name": ""}, "name", "missing"),
        ({"name": "12345"}, "name", "letters"),
        ({"name": "A" * 201}, "name", "longer"),
        ({"address": "A" * 501}, "address", "longer"),
        ({"birth_date": ""}, "birth_date", "missing"),
        ({"birth_date": "1990-02-30"}, "birth_date", "not a date"),
        ({"birth_date": "15/01/1990"}, "birth_date", "like 2021-09-15"),
        ({"birth_date": "2021-09-02"}, "birth_date", "after the day"),
        ({"sex": "nữ"}, "sex", "not one of those the column may have: male, female"),
        ({"commune": ""}, "commune", "missing"),
        ({"commune": "T9"}, "commune", "No commune"),
        ({"temporary_commune": "T2", "temporary_from": "2021-05-02", "temporary_until": "2021-05-01"},
         "temporary_until", "before the first"),
        ({"temporary_from": "2021-05-02"}, "temporary_commune", "missing"),
        ({"stay_commune": "T2", "stay_from": "hôm qua"}, "stay_from", "not a date"),
        ({"absent_until": "2021-05-02"}, "absent_from", "missing"),
        ({"died_on": "1989-12-31"}, "died_on", "before the birth"),
        ({"died_on": "2021-12-31"}, "died_on", "after the day"),
        ({"old_number": "12345678"}, "old_number", "9 digits"),
        ({"insurance_number": "A1"}, "insurance_number", "health insurance"),
        ({"card_kind": "cccd"}, "card_issued_on", "missing"),
        ({"household": "A", "relation": "boss"}, "relation", "not one of those"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_and_the_rest_loaded(
    tmp_path: Path, fields: dict[str, str], field: str, word: str
) -> None:
    done = load(write(tmp_path / "a.csv", row(**fields), row(personal_number="001190000002")))
    found = rejects(done)
    assert [(line, name) for line, name, _ in found] == [(2, field)]
    assert word in found[0][2]
    assert register("SELECT value FROM identifier") == [[("001190000002",)]]


def test_the_command_names_the_first_faults_and_the_file_has_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KHIEN_LANGUAGE", "vi")
    rows = [row(personal_number=f"0011900000{n:02}", birth_date="1990-02-30") for n in range(12)]
    path = write(tmp_path / "a.csv", *rows, row(personal_number="001190000099"))
    shown = CliRunner().invoke(population, ["load", str(path), "--as-of", "2021-09-01"])
    assert shown.exit_code == 0
    told = [line for line in shown.stderr.splitlines() if "birth_date" in line]
    reason = "Ngày không có trong lịch hoặc sai định dạng: ghi theo thứ tự năm-tháng-ngày, ví dụ 2021-09-15."
    assert told[0] == f"  2: birth_date: {reason}"
    assert 1 < len(told) < 12 and "00119" not in shown.output
    assert len((tmp_path / "a.csv.rejects.csv").read_text(encoding="utf-8").splitlines()) == 13


def test_two_heads_are_both_refused_and_the_others_loaded(tmp_path: Path) -> None:
    people = [
        row(personal_number=f"00119000000{n}", household="A", relation=relation)
        for n, relation in enumerate(("head", "head", "child"))
    ]
    done = load(write(tmp_path / "a.csv", *people))
    assert [(line, field) for line, field, _ in rejects(done)] == [(2, "relation"), (3, "relation")]
    assert done.counts.added == 1


def test_one_number_with_other_data_is_told_once_a_row_also_of_somebody_known(tmp_path: Path) -> None:
    load(write(tmp_path / "a.csv", row()))
    done = load(write(tmp_path / "b.csv", row(), row(name="Nguyễn Thị Khác")))
    assert [(line, field) for line, field, _ in rejects(done)] == [(2, "personal_number"), (3, "personal_number")]
    assert done.counts.faults == 2


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (b"001190000009,\xcc\xe2n,1990,male,T1,\n", "UTF-8"),
        (b"001190000009,A\0n,1990,male,T1,\n", "NUL"),
        (b"001190000009,An,1990,male\n", "fields"),
        (b"001190000009,An,1990,male,T1,,,\n", "fields"),
        (b'001190000009,"An,1990,male,T1,\n', "quotation"),
    ],
)
def test_a_row_that_cannot_be_read_costs_that_row(tmp_path: Path, bad: bytes, word: str) -> None:
    good = "001190000001,Bình,1990,male,T1,Số 1\n".encode()
    more = '001190000002,"Chi ""Út""",1991,female,T1,"Ngõ 2\nnhà 3"\n'.encode()
    (tmp_path / "a.csv").write_bytes(HEADER.encode() + good + bad + more)
    done = load(tmp_path / "a.csv")
    found = rejects(done)
    assert [(line, field) for line, field, _ in found] == [(3, "row")]
    assert word in found[0][2]
    assert register("SELECT name, address FROM person JOIN residence USING (person_id) ORDER BY 1") == [
        [("Bình", "Số 1"), ('Chi "Út"', "Ngõ 2\nnhà 3")]
    ]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (HEADER.encode(), "no rows"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (b"h\xf2 t\xean,name\n1,2\n", "UTF-8"),
        (b"PAR1 cut off", "Parquet"),
        (b"PK\x03\x04\x14\0\x06\0" + bytes(100), "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "Excel"),
    ],
)
def test_a_file_that_is_no_extract_is_refused_whole(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(BadInput) as caught:
        load(tmp_path / "a.csv")
    assert word in str(caught.value)
    assert register("SELECT count(*) FROM load_run") == [[(0,)]]


def test_the_header_is_judged_column_by_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("personal_number,name,name,colour,sex,commune\n1,a,a,b,c,d\n")
    with pytest.raises(BadInput) as caught:
        load(tmp_path / "a.csv")
    assert {(f.field, f.line) for f in caught.value.faults} == {("birth_date", 1), ("name", 1), ("colour", 1)}


def test_a_truncated_parquet_writes_nothing(tmp_path: Path) -> None:
    whole = tmp_path / "a.parquet"
    duckdb.execute(
        f"COPY (SELECT printf('%012d', i) AS personal_number, 'An' AS name, '1990' AS birth_date, 'male' AS sex,"
        f" 'T1' AS commune FROM range(20000) t (i)) TO '{whole}' (FORMAT parquet)"
    )
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match="Parquet"):
        load(whole)
    assert register("SELECT count(*) FROM person") == [[(0,)]]
