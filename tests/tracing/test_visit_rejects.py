"""What a load of visits cannot use: each row listed with its line as it was sent, the others loaded."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from khien.tracing import visits
from khien.tracing.visits import REASONS
from tests.tracing.town import ALL, number
from tests.tracing.visit_files import GOOD, HEAD, Town, write


@pytest.fixture
def people(fresh_database: str) -> Town:
    return Town()


def test_wrong_rows_are_listed_with_their_line_and_the_others_loaded(people: Town, tmp_path: Path) -> None:
    rows = [
        ("001999999999", "M1", "2021-08-01T08:00", "2021-08-01T09:00", "guest"),
        (number(1), "M1", "8 in the morning", "2021-08-01T09:00", "guest"),
        (number(1), "M1", "2021-08-01T09:00", "2021-08-01T08:00", "guest"),
        GOOD,
        (number(1), "M1", "2031-08-01T09:00", "", "guest"),
        (number(1), "", "2021-08-01T09:00", "", "guest"),
        ("", "M1", "2021-08-01T09:00", "", "guest"),
    ]
    done = visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL)
    assert (done.rows, done.loaded) == (7, 1)
    assert done.rejects is not None
    with done.rejects.open() as stream:
        listed = list(csv.DictReader(stream))
    assert [(int(r["line"]), r["field"], r["reason"]) for r in listed] == [
        (2, "personal_number", REASONS["unknown_number"]),
        (3, "from", REASONS["bad_value"]),
        (4, "to", REASONS["reversed_time"]),
        (6, "from", REASONS["wrong_clock"]),
        (7, "place", REASONS["no_place"]),
        (8, "personal_number", REASONS["unknown_number"]),
    ]
    # The rows stand there as they were sent, to be mended and sent again: only the owner of the file may read them.
    assert [listed[0]["personal_number"], listed[1]["from"]] == ["001999999999", "8 in the morning"]
    assert done.rejects.stat().st_mode & 0o077 == 0
    assert (done.rejected["unknown_number"], done.unknown_numbers) == (2, 1)


@pytest.mark.parametrize("piece_size", [None, 2])
def test_rejects_of_a_parquet_file_name_their_row(people: Town, tmp_path: Path, piece_size: int | None) -> None:
    path = tmp_path / "visits.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT CASE n % 3 WHEN 0 THEN 'nobody' ELSE '{number(1)}' END AS personal_number,"
            " 'two' || chr(10) || 'lines' || CASE WHEN n IN (1, 4) THEN chr(0) ELSE n::VARCHAR END AS place,"
            ' TIMESTAMP \'2021-08-01 08:00:00\' AS "from", NULL::TIMESTAMP AS "to",'
            f" 'guest' AS source FROM range(9) t (n)) TO '{path}' (FORMAT parquet)"
        )
    done = visits.load_visits(path, by=ALL, piece_size=piece_size)
    assert (done.rows, done.loaded) == (9, 4)
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8") as stream:
        told = [(int(r["line"]), r["field"]) for r in csv.DictReader(stream)]
    assert told == [(n + 2, "row" if n in (1, 4) else "personal_number") for n in (0, 1, 3, 4, 6)]


def test_rows_that_are_no_rows_are_listed_and_the_others_loaded(people: Town, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    good = ",".join(GOOD)
    path.write_bytes(
        f"{','.join(HEAD)}\n{good}\n{good},one too many\n\n".encode()
        + f'{number(2)},"Chợ\nmới",2021-08-01T08:00,,guest\n'.encode()
        + f"{number(2)},\xff,2021-08-01T08:00,,guest\n{number(3)},M1,never,,guest\n".encode("latin-1")
        + f"{number(3)},M1,2021-08-01T08:30,,guest\n".encode()
    )
    done = visits.load_visits(path, by=ALL)
    assert (done.rows, done.loaded) == (6, 3)
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8") as stream:
        listed = [(int(r["line"]), r["field"]) for r in csv.DictReader(stream)]
    assert listed == [(3, "row"), (7, "row"), (8, "from")]
    assert people.value("SELECT count(*) FROM place WHERE code = E'Chợ\nmới'") == 1


def test_rejects_of_a_piece_that_is_read_on_two_cores_name_their_line(people: Town, tmp_path: Path) -> None:
    path, many, each = tmp_path / "v.csv", 60_000, 7_000
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(HEAD) + "\n")
        good = ",".join((number(1), "M" * 400, "2021-08-01 {:02}:{:02}:{:02}", "", "guest")) + "\n"
        for at in range(many):
            told = good.format(at // 3600, at // 60 % 60, at % 60)
            stream.write(told if at % each else told.replace(number(1), f"0019{at:08}"))
    done = visits.load_visits(path, by=ALL, piece_size=path.stat().st_size)
    assert (done.rows, done.loaded) == (many, many - 9)
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8") as stream:
        told_lines = [(int(r["line"]), r["personal_number"]) for r in csv.DictReader(stream)]
    assert told_lines == [(at + 2, f"0019{at:08}") for at in range(0, many, each)]


@pytest.mark.parametrize("piece_size", [None, 1, 90])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_rejects_name_their_line_however_the_file_is_written(
    people: Town, tmp_path: Path, end: str, quoted: bool, piece_size: int | None
) -> None:
    path = tmp_path / "v.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
        writer.writerows([HEAD, GOOD, ("001999999999", *GOOD[1:])])
        stream.write(end)
        writer.writerow((number(2), "Chợ\nmới", *GOOD[2:]) if quoted else (number(2), *GOOD[1:]))
        writer.writerow(("001999999998", *GOOD[1:]))
    done = visits.load_visits(path, by=ALL, piece_size=piece_size)
    assert (done.rows, done.loaded, done.unknown_numbers) == (4, 2, 2)
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8") as stream:
        assert [(int(r["line"]), r["personal_number"]) for r in csv.DictReader(stream)] == [
            (3, "001999999999"), (7 if quoted else 6, "001999999998"),
        ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["", "one,field,too,many,in,it\n", '001,"a"b,c,d,e\n'])
def test_line_ends_within_a_field_are_kept(people: Town, tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "v.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(HEAD) + "\n" + wrong)
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
            [(number(1), "a\rb", *GOOD[2:]), (number(2), "c\r\nd", *GOOD[2:]), (number(3), "e", "never", "", "")]
        )
    done = visits.load_visits(path, by=ALL)
    assert done.loaded == 2
    assert {r["code"] for r in people.rows("SELECT code FROM place")} >= {"a\rb", "c\r\nd", "e"}
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8", newline="") as stream:
        lines = [(int(r["line"]), r["field"]) for r in csv.DictReader(stream)]
    assert lines[-1] == (6 if wrong else 5, "from")
