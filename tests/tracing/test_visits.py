"""Loading visits: numbers to people, wrong rows listed, the same file twice, months and their end."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any, LiteralString

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core import config
from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed
from khien.core.session import begin
from khien.core.sql import Queries
from khien.tracing import visits
from khien.tracing.loading import binary, loader, pieces, resolving
from khien.tracing.visits import REASONS
from tests.register import set_today
from tests.tracing.town import ALL, add_people, number

HEAD = ("personal_number", "place", "from", "to", "source")
GOOD = (number(1), "M1", "2021-08-01T08:00", "2021-08-01T09:00", "guest")


class Town:
    """Three people, committed: the loader has connections of its own."""

    def __init__(self) -> None:
        with begin(ALL) as session:
            add_people(session, 3)
            set_today(session, dt.date(2021, 8, 20))

    def value(self, query: LiteralString) -> Any:
        with begin(ALL) as session:
            return session.value(query)

    def rows(self, query: LiteralString) -> list[dict[str, Any]]:
        with begin(ALL) as session:
            return session.rows(query)


@pytest.fixture
def people(fresh_database: str) -> Town:
    return Town()


def write(path: Path, *rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


def test_times_without_a_zone_are_of_viet_nam_and_an_empty_departure_is_not_known(people: Town, tmp_path: Path) -> None:
    rows = [GOOD, (number(2), "M1", "2021-08-01T01:00Z", "", "keeper")]
    done = visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL)
    assert (done.rows, done.loaded, done.places, done.rejects) == (2, 2, 1, None)
    kept = people.rows("SELECT person_id, came_at, left_at, source::text FROM visit ORDER BY person_id")
    assert kept[0]["came_at"] == kept[1]["came_at"] == dt.datetime(2021, 8, 1, 1, tzinfo=dt.UTC)
    assert (kept[1]["left_at"], kept[1]["source"]) == (None, "keeper")


def test_the_same_file_again_changes_nothing(people: Town, tmp_path: Path) -> None:
    path = write(tmp_path / "v.csv", GOOD, GOOD)
    assert visits.load_visits(path, by=ALL).loaded == 1
    assert visits.load_visits(path, by=ALL).loaded == 0
    assert people.value("SELECT count(*) FROM visit") == 1


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


def test_parquet_as_the_simulation_writes_it(people: Town, tmp_path: Path) -> None:
    path = tmp_path / "visits.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT '{number(1)}' AS personal_number, 'W1' AS place,"
            " TIMESTAMPTZ '2021-08-01 08:00:00+07' AS \"from\","
            f" TIMESTAMPTZ '2021-08-01 17:00:00+07' AS \"to\", 'roster' AS source) TO '{path}' (FORMAT parquet)"
        )
    assert visits.load_visits(path, by=ALL).loaded == 1
    assert people.value("SELECT came_at FROM visit") == dt.datetime(2021, 8, 1, 1, tzinfo=dt.UTC)


def test_rejects_of_a_parquet_file_name_their_row(people: Town, tmp_path: Path) -> None:
    path = tmp_path / "visits.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT CASE n % 3 WHEN 0 THEN 'nobody' ELSE '{number(1)}' END AS personal_number,"
            " E'two\nlines' || n AS place, TIMESTAMP '2021-08-01 08:00:00' AS \"from\", NULL::TIMESTAMP AS \"to\","
            f" 'guest' AS source FROM range(9) t (n)) TO '{path}' (FORMAT parquet)"
        )
    done = visits.load_visits(path, by=ALL, piece_size=2)
    assert (done.rows, done.loaded) == (9, 6)
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8") as stream:
        assert [int(r["line"]) for r in csv.DictReader(stream)] == [2, 5, 8]


@pytest.mark.parametrize(("seat", "early"), [((), ["visit_long", "visit_seat"]), (("seat",), ["visit_long"])])
def test_keys_of_few_visits_are_there_before_the_first_visit(
    people: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seat: tuple[str, ...], early: list[str]
) -> None:
    long = ("2021-08-01T08:00", "2021-08-05T08:00", "guest")
    rows = [(number(n), "M1", *long, *(f"{n}A" for _ in seat)) for n in (1, 1, 2)]
    path = write(tmp_path / "v.csv", *rows, head=(*HEAD, *seat))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loader, "_keys", lambda month, workers: (_ for _ in ()).throw(KeyboardInterrupt))
        visits.load_visits(path, by=ALL)
    with psycopg.connect(config.database_dsn("khien_owner")) as connection:
        there = connection.execute(
            "SELECT p.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class p"
            " ON p.oid = substring(c.relname FROM '[0-9]+$')::oid"
            " WHERE i.indrelid = 'loading.visit_2021_08'::regclass ORDER BY 1"
        )
        assert [name for (name,) in there.fetchall()] == early
    done = visits.load_visits(path, by=ALL)
    assert (done.resumed, done.loaded, done.known) == (True, 2, 1)  # one was there twice
    assert people.value("SELECT count(*) FROM visit WHERE span = 2") == 2
    assert people.value("SELECT count(seat) FROM visit") == 2 * len(seat)
    keys = people.rows("SELECT relid::regclass::text FROM pg_partition_tree('visit_place')")
    assert len(keys) == len(people.rows("SELECT relid FROM pg_partition_tree('visit_seat')"))


@pytest.mark.parametrize(
    ("rows", "head"),
    [
        ([GOOD[:4]], HEAD[:4]),
        ([(*GOOD, "x")], (*HEAD, "colour")),
    ],
)
def test_a_file_that_is_no_list_of_visits_is_refused_whole(
    people: Town, tmp_path: Path, rows: list[tuple[str, ...]], head: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refusal:
        visits.load_visits(write(tmp_path / "v.csv", *rows, head=head), by=ALL)
    assert refusal.value.faults


def test_nobody_loads_without_the_permission(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        visits.load_visits(write(tmp_path / "v.csv", GOOD), by=machine("epidemic-control", "trace.run"))


def test_whole_months_go_away_with_a_proof(people: Town, tmp_path: Path) -> None:
    rows = [GOOD, (number(1), "M1", "2021-06-30T23:00", "2021-07-01T01:00", "guest"),
            (number(2), "M1", "2021-07-15T08:00", "", "guest")]  # fmt: skip
    visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL)
    gone = visits.expire(by=ALL, before=dt.date(2021, 8, 1))
    assert [(g["partition"], g["visits"]) for g in gone] == [("visit_2021_06", 1), ("visit_2021_07", 1)]
    assert people.value("SELECT count(*) FROM visit") == 1
    proof = people.rows("SELECT detail FROM access_log WHERE action = 'visit.expire' ORDER BY detail ->> 'partition'")
    assert [p["detail"]["visits"] for p in proof] == [1, 1]


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


def test_a_month_that_is_there_takes_what_is_new(people: Town, tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", GOOD, (number(1), "M1", "2021-07-20T08:00", "", "guest"))
    assert visits.load_visits(first, by=ALL).loaded == 2
    longer = (number(1), "M1", "2021-08-01T08:00", "2021-08-01T12:00", "keeper")  # the same visit: the first word stays
    second = write(tmp_path / "2.csv", longer, (number(2), "M1", "2021-08-01T08:00", "", "guest"), GOOD)
    done = visits.load_visits(second, by=ALL)
    assert (done.rows, done.loaded, done.known) == (3, 1, 2)
    kept = people.rows("SELECT source::text FROM visit WHERE person_id = 1 AND came_at > '2021-07-25'")
    assert kept == [{"source": "guest"}]
    keys = people.rows(
        "SELECT i.inhrelid::regclass::text AS part, count(*) AS keys FROM pg_inherits i JOIN pg_index x"
        " ON x.indrelid = i.inhrelid WHERE i.inhparent = 'visit'::regclass GROUP BY 1"
    )
    assert len({row["keys"] for row in keys}) == 1  # a month that was loaded has the keys of every other


def test_a_load_that_was_killed_goes_on_where_it_was(
    people: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(number(n % 4), "M1", f"2021-08-{1 + n % 10:02}T{n // 10:02}:00", "", "guest") for n in range(40)]
    path = write(tmp_path / "v.csv", *rows)
    written: list[int] = []
    whole = loader._piece

    def killed(connection: Any, shared: Any, piece: pieces.Piece) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        whole(connection, shared, piece)
        written.append(piece.number)

    monkeypatch.setattr(loader, "cores", lambda: 1)
    monkeypatch.setattr(loader, "_piece", killed)
    with pytest.raises(KeyboardInterrupt):
        visits.load_visits(path, by=ALL, piece_size=200)
    assert people.value("SELECT count(*) FROM visit") == 0
    written.clear()
    left = resolving.folder_of_database() / "piece-1.csv"  # as after a kill that lets nothing be tidied
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text(number(1))

    def noted(connection: Any, shared: Any, piece: pieces.Piece) -> None:
        written.append(piece.number)
        whole(connection, shared, piece)

    monkeypatch.setattr(loader, "_piece", noted)
    done = visits.load_visits(path, by=ALL, piece_size=200)
    assert done.resumed and min(written) == 3
    assert (done.rows, done.loaded, done.rejected) == (40, 30, {"unknown_number": 10})
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8") as stream:
        assert [int(r["line"]) for r in csv.DictReader(stream)] == [n + 2 for n in range(0, 40, 4)]
    assert people.value("SELECT count(*) FROM visit") == 30
    assert not left.parent.exists()
    with psycopg.connect(config.database_dsn("khien_loader")) as connection:  # nothing is left over
        assert connection.execute("SELECT to_regclass('loading.visit_piece')").fetchone() == (None,)


def test_answers_that_are_forgotten_are_asked_for_again(
    people: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "_MOST_KNOWN", 1)
    rows = [(number(n % 4), f"M{n % 3}", f"2021-08-01T{n // 60:02}:{n % 60:02}", "", "guest") for n in range(200)]
    done = visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL, piece_size=300)
    assert (done.rows, done.loaded, done.places, done.unknown_numbers) == (200, 150, 3, 1)
    kept = people.rows("SELECT person_id, code, came_at FROM visit JOIN place USING (place_id)")
    start = dt.datetime(2021, 8, 1, tzinfo=dt.timezone(dt.timedelta(hours=7)))
    assert {(r["person_id"], r["code"], (r["came_at"] - start) // dt.timedelta(minutes=1)) for r in kept} == {
        (n % 4, f"M{n % 3}", n) for n in range(200) if n % 4
    }


_FIELD = st.text(st.sampled_from('a,"\n \r'), max_size=6)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.lists(_FIELD, min_size=5, max_size=5), max_size=30),
    size=st.integers(1, 200),
    part=st.integers(1, 64),
)
def test_pieces_are_the_file_and_end_where_rows_end(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int, part: int
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "v.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([HEAD, *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PART", part)
        source = pieces.plan(path, HEAD, dict.fromkeys(HEAD, ""), workers=1, size=size)
        cut = list(source.pieces())
        found = [row for piece in cut for _, row in source.rows(piece)]
    with path.open(encoding="utf-8", newline="") as stream:
        assert [list(HEAD), *found] == list(csv.reader(stream))
    text = path.read_bytes()
    assert all(source.line(piece) == 1 + text[: piece.start].count(b"\n") for piece in cut)


@given(st.binary(max_size=300).map(lambda told: told.replace(b"a", b"\n")) | st.text("x\n").map(str.encode))
def test_line_ends_are_counted_as_python_counts_them(told: bytes) -> None:
    assert pieces.line_ends(told) == (told.count(b"\n"), b"\n\n" in told)


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


def test_a_load_leaves_new_segments_of_the_log_unfilled(fresh_database: str) -> None:
    with psycopg.connect(config.database_dsn("khien_loader"), autocommit=True) as connection:
        connection.execute(Queries("khien.tracing.loading").settle)
        assert connection.execute("SHOW wal_init_zero").fetchone() == ("off",)


_TIMES = {"2021-08-01T08:00": "08:00", "2021-08-01 08:00:00+07": "08:00", "2021-08-01T01:00:00Z": "08:00",
          "2021-08-01 08:00:00.25": "08:00:00.250", "2021-08-01": "00:00", "20210801T080000+07": "08:00",
          "2021-08-01 08:00:60": "08:01", "2021-8-1 8:00": "08:00", "2021-08-01 08:00 America/Lima": "20:00",
          "infinity": None, "8 in the morning": None}  # fmt: skip


def test_times_in_any_form_are_read_as_the_database_reads_them(people: Town, tmp_path: Path) -> None:
    rows = [(number(1), told, told, "", "guest") for told in _TIMES]
    done = visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL)
    kept = people.rows("SELECT code, came_at FROM visit JOIN place USING (place_id)")
    assert {row["code"]: row["came_at"] for row in kept} == {
        told: dt.datetime.fromisoformat(f"2021-08-01T{time}+07:00") for told, time in _TIMES.items() if time
    }
    assert done.rejected == {"bad_value": 2}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(
        st.tuples(
            st.integers(0, 400), st.sampled_from([None, 0, 1, 7200, 7201, 86400, 86401]),
            st.sampled_from([*binary.SOURCES, "drone", ""]), st.sampled_from(["", "1", "12A", "29A-123.45", "ghế 7"]),
        ),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_what_is_loaded_is_what_was_told(
    people: Town, tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, int | None, str, str]]
) -> None:
    start = dt.datetime(2021, 7, 31, 20, tzinfo=dt.UTC)  # the end of a month lies within
    rows, expected = [], set()
    for n, (minutes, seconds, source, seat) in enumerate(told):
        came = start + dt.timedelta(minutes=minutes)
        left = None if seconds is None else came + dt.timedelta(seconds=seconds)
        rows.append((number(1), f"X{n}", came.isoformat(), left.isoformat() if left else "", source, seat))
        expected.add((f"X{n}", came, left, source if source in binary.SOURCES else "other", seat or None))
    path = write(tmp_path_factory.mktemp("told") / "v.csv", *rows, head=(*HEAD, "seat"))
    assert visits.load_visits(path, by=ALL).loaded == len(rows)
    kept = people.rows(
        "SELECT code, came_at, left_at, source::text, seat, span, visit_class(came_at, left_at) AS class"
        " FROM visit JOIN place USING (place_id)"
    )
    assert {(r["code"], r["came_at"], r["left_at"], r["source"], r["seat"]) for r in kept} == expected
    assert all(r["span"] == r["class"] for r in kept)
    with begin(ALL, role="khien_loader") as session:
        session.execute("TRUNCATE visit")


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


@pytest.mark.parametrize("place", ["a\rb", "c\r\nd"])
def test_a_place_with_a_line_end_is_known_whatever_stands_beside_it(people: Town, tmp_path: Path, place: str) -> None:
    done = visits.load_visits(write(tmp_path / "v.csv", (number(1), place, *GOOD[2:])), by=ALL)
    assert (done.loaded, people.value("SELECT code FROM place")) == (1, place)
