"""Loading visits: numbers to people, wrong rows listed, the same file twice, months and their end."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import duckdb
import pytest

from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed
from khien.core.session import Session
from khien.tracing import visits
from tests.register import set_today
from tests.tracing.town import ALL, add_people, number

HEAD = ("personal_number", "place", "from", "to", "source")
GOOD = (number(1), "M1", "2021-08-01T08:00", "2021-08-01T09:00", "guest")


@pytest.fixture
def people(session: Session) -> Session:
    add_people(session, 3)
    set_today(session, dt.date(2021, 8, 20))
    return session


def write(path: Path, *rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


def test_times_without_a_zone_are_of_viet_nam_and_an_empty_departure_is_not_known(
    people: Session, tmp_path: Path
) -> None:
    rows = [GOOD, (number(2), "M1", "2021-08-01T01:00Z", "", "keeper")]
    done = visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL)
    assert (done.rows, done.loaded, done.places, done.rejects) == (2, 2, 1, None)
    kept = people.rows("SELECT person_id, came_at, left_at, source::text FROM visit ORDER BY person_id")
    assert kept[0]["came_at"] == kept[1]["came_at"] == dt.datetime(2021, 8, 1, 1, tzinfo=dt.UTC)
    assert (kept[1]["left_at"], kept[1]["source"]) == (None, "keeper")


def test_the_same_file_again_changes_nothing(people: Session, tmp_path: Path) -> None:
    path = write(tmp_path / "v.csv", GOOD, GOOD)
    assert visits.load_visits(path, by=ALL).loaded == 1
    assert visits.load_visits(path, by=ALL).loaded == 0
    assert people.value("SELECT count(*) FROM visit") == 1


def test_wrong_rows_are_listed_with_their_line_and_the_others_loaded(people: Session, tmp_path: Path) -> None:
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
        listed = [(int(r["line"]), r["reason"]) for r in csv.DictReader(stream)]
    assert listed == [
        (2, "unknown_number"), (3, "bad_value"), (4, "reversed_time"), (6, "wrong_clock"), (7, "no_place"),
        (8, "unknown_number"),
    ]  # fmt: skip
    assert done.rejects.read_text().find("001") < 0  # no numbers beside the sender's own file


def test_parquet_as_the_simulation_writes_it(people: Session, tmp_path: Path) -> None:
    path = tmp_path / "visits.parquet"
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT '{number(1)}' AS personal_number, 'W1' AS place,"
            " TIMESTAMPTZ '2021-08-01 08:00:00+07' AS \"from\","
            f" TIMESTAMPTZ '2021-08-01 17:00:00+07' AS \"to\", 'roster' AS source) TO '{path}' (FORMAT parquet)"
        )
    assert visits.load_visits(path, by=ALL).loaded == 1
    assert people.value("SELECT came_at FROM visit") == dt.datetime(2021, 8, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("rows", "head"),
    [
        ([GOOD[:4]], HEAD[:4]),
        ([(*GOOD, "x")], (*HEAD, "colour")),
        ([(*GOOD, "one too many")], HEAD),
    ],
)
def test_a_file_that_is_no_list_of_visits_is_refused_whole(
    people: Session, tmp_path: Path, rows: list[tuple[str, ...]], head: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refusal:
        visits.load_visits(write(tmp_path / "v.csv", *rows, head=head), by=ALL)
    assert refusal.value.faults


def test_nobody_loads_without_the_permission(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        visits.load_visits(write(tmp_path / "v.csv", GOOD), by=machine("epidemic-control", "trace.run"))


def test_whole_months_go_away_with_a_proof(people: Session, tmp_path: Path) -> None:
    rows = [GOOD, (number(1), "M1", "2021-06-30T23:00", "2021-07-01T01:00", "guest"),
            (number(2), "M1", "2021-07-15T08:00", "", "guest")]  # fmt: skip
    visits.load_visits(write(tmp_path / "v.csv", *rows), by=ALL)
    gone = visits.expire(by=ALL, before=dt.date(2021, 8, 1))
    assert [(g["partition"], g["visits"]) for g in gone] == [("visit_2021_06", 1), ("visit_2021_07", 1)]
    assert people.value("SELECT count(*) FROM visit") == 1
    proof = people.rows("SELECT detail FROM access_log WHERE action = 'visit.expire' ORDER BY detail ->> 'partition'")
    assert [p["detail"]["visits"] for p in proof] == [1, 1]
