"""Loading visits: numbers to people, the same file twice, months and their end."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

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
from tests.tracing.town import ALL, number
from tests.tracing.visit_files import GOOD, HEAD, Town, write


@pytest.fixture
def people(fresh_database: str) -> Town:
    return Town()


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


@pytest.mark.parametrize("piece_size", [None, 60])
def test_progress_ends_at_the_whole_file(people: Town, tmp_path: Path, piece_size: int | None) -> None:
    told: list[tuple[int, int]] = []
    path = write(tmp_path / "v.csv", *[GOOD] * 5)
    visits.load_visits(path, by=ALL, piece_size=piece_size, progress=lambda done, of: told.append((done, of)))
    assert max(told) == (path.stat().st_size, path.stat().st_size)


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


@pytest.mark.parametrize("place", ["a\rb", "c\r\nd"])
def test_a_place_with_a_line_end_is_known_whatever_stands_beside_it(people: Town, tmp_path: Path, place: str) -> None:
    done = visits.load_visits(write(tmp_path / "v.csv", (number(1), place, *GOOD[2:])), by=ALL)
    assert (done.loaded, people.value("SELECT code FROM place")) == (1, place)
