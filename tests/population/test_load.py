"""Loading register extracts: what gets in, what a second file changes, what a repeated one does not."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path
from typing import Any

import duckdb
import pytest

from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed
from khien.core.session import begin
from khien.population.load import changes
from khien.population.load.loader import load_extract
from tests.population.extracts import AS_OF, everything, load, ready, register, rejects, row, write
from tests.register import NORTH, SOUTH


@pytest.fixture(autouse=True)
def _country(fresh_database: str) -> None:
    ready()


def family() -> list[dict[str, str]]:
    return [
        row(household="A", relation="head", old_number="012345678", insurance_number="GD4010123456789",
            card_kind="cccd_chip", card_issued_on="2021-05-01", card_expires_on="2030-05-01"),
        row(personal_number="001088000002", name="Trần Văn Mẫu", birth_date="1988", sex="male", household="A",
            relation="spouse", temporary_commune="T2", temporary_address="Nhà trọ 5", temporary_from="2021-03-01",
            temporary_until="2022-02-28"),
        row(personal_number="", provisional_id="tram-17", name="Trần Bé Con", birth_date="2021-06", sex="male",
            household="A", relation="child"),
        row(personal_number="001050000004", name="Lê Văn Già", birth_date="1950-02-03", sex="male",
            absent_from="2021-01-01", died_on="2021-08-01"),
    ]  # fmt: skip


def test_a_family_gets_in(tmp_path: Path) -> None:
    done = load(write(tmp_path / "a.csv", *family()))
    assert (done.counts.rows, done.counts.added, done.counts.rejected) == (4, 4, 0)
    persons, identifiers, cards, households, members, residence = everything()
    assert [(p[1], p[2], str(p[3]), p[4], p[6], p[7]) for p in persons] == [
        ("Nguyễn Thị Ví Dụ", "du nguyen thi vi", "1990-01-15", "d", NORTH, NORTH),
        ("Trần Văn Mẫu", "mau tran van", "1988-01-01", "y", NORTH, SOUTH),
        ("Trần Bé Con", "con tran be", "2021-06-01", "m", NORTH, NORTH),
        ("Lê Văn Già", "gia le van", "1950-02-03", "d", NORTH, NORTH),
    ]
    assert {(kind, value) for kind, value, *_ in identifiers} >= {
        ("personal_number", "001190000001"), ("cmnd", "012345678"), ("insurance", "GD4010123456789"),
        ("provisional", "TRAM-17"),
    }  # fmt: skip
    assert sum(value.startswith("KT") for kind, value, *_ in identifiers if kind == "provisional") == 1
    assert [card[1] for card in cards] == ["001190000001"]
    assert [(h[1], h[2]) for h in households] == [(NORTH, "Số 1, phố Thử")]
    assert [m[2] for m in members] == ["head", "spouse", "child"]
    temporary = next(r for r in residence if r[1] == "temporary")
    assert (temporary[2], temporary[4].lower, temporary[4].upper) == (SOUTH, dt.date(2021, 3, 1), dt.date(2022, 3, 1))
    assert sum(r[1] == "absence" for r in residence) == 1


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *family(), row(personal_number="", name="Không Số", household="B"))
    load(path)
    before = everything()
    done = load(path)
    assert (done.counts.added, done.counts.changed, done.counts.unchanged) == (0, 0, 5)
    assert everything() == before
    assert register("SELECT count(*) FROM person_version") == [[(0,)]]


def test_keys_stand_as_before_after_a_large_load(tmp_path: Path) -> None:
    query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    constraints = (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated"
        " FROM pg_constraint ORDER BY 1, 2"
    )
    forced = "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind = 'r' ORDER BY 1, oid"
    before = register(query, constraints, forced)
    load(write(tmp_path / "a.csv", *family()))
    assert register(query, constraints, forced) == before


def test_a_later_extract_supersedes_with_dates(tmp_path: Path) -> None:
    load(write(tmp_path / "a.csv", *family()))
    changed = family()
    changed[0] |= {"name": "Nguyễn Thị Ví Dụ Mới", "commune": "T2", "address": "Số 9"}
    changed[1] |= {"household": "B", "relation": "head", "temporary_until": "2021-12-31"}
    done = load(write(tmp_path / "b.csv", *changed), as_of=dt.date(2021, 10, 1))
    assert (done.counts.added, done.counts.changed, done.counts.unchanged) == (0, 2, 2)
    [versions, spells, members, temporary] = register(
        "SELECT name, source FROM person_version",
        "SELECT unit_id, lower(valid), upper(valid) FROM residence JOIN person USING (person_id)"
        " WHERE name = 'Nguyễn Thị Ví Dụ Mới' ORDER BY 2",
        "SELECT relation, upper(m.valid) FROM household_member m JOIN person USING (person_id)"
        " WHERE name = 'Trần Văn Mẫu' ORDER BY m.valid",
        "SELECT lower(valid), upper(valid) FROM residence WHERE kind = 'temporary'",
    )
    assert versions == [("Nguyễn Thị Ví Dụ", "load")]
    assert spells == [
        (NORTH, dt.date(1990, 1, 15), dt.date(2021, 10, 1)),
        (SOUTH, dt.date(2021, 10, 1), None),
    ]
    assert members == [("spouse", dt.date(2021, 10, 1)), ("head", None)]
    assert temporary == [(dt.date(2021, 3, 1), dt.date(2022, 1, 1))]
    again = load(tmp_path / "b.csv", as_of=dt.date(2021, 10, 1))
    assert again.counts.unchanged == 4


def test_everybody_who_changed_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named in parts, so that no list of millions is held anywhere."""
    monkeypatch.setattr(changes, "_LOGGED", 2)
    people = [row(personal_number=f"00119000000{n}") for n in range(8)]
    load(write(tmp_path / "a.csv", *people))
    assert _logged() == []
    moved = [person | ({"address": "Số 9"} if n < 5 else {}) for n, person in enumerate(people)]
    assert load(write(tmp_path / "b.csv", *moved), as_of=dt.date(2021, 10, 1)).counts.changed == 5
    logged = _logged()
    [changed, left] = register(
        "SELECT DISTINCT person_id FROM residence WHERE address = 'Số 9' ORDER BY 1",
        "SELECT relname FROM pg_class WHERE relname = 'touched'",
    )
    assert [entry["person_id"] for entry in logged] == [person_id for (person_id,) in changed]
    assert len({entry["run"] for entry in logged}) == 1
    assert len({entry["link"] for entry in logged}) == 3
    assert left == []


def _logged() -> list[dict[str, Any]]:
    """Who is named in the log of loads."""
    with begin(machine("test", "*")) as session:
        return session.rows(
            "SELECT person_id, detail ->> 'run' AS run, lane || '/' || seq AS link FROM access_log"
            " WHERE action = 'person.load' AND person_id IS NOT NULL ORDER BY 1"
        )


def test_columns_that_are_not_in_the_file_say_nothing(tmp_path: Path) -> None:
    load(write(tmp_path / "a.csv", *family()))
    before = everything()
    short = ("personal_number", "name", "birth_date", "sex", "commune", "address")
    rows = [{k: v for k, v in r.items() if k in short} for r in family() if r["personal_number"]]
    done = load(write(tmp_path / "b.csv", *rows, columns=short))
    # The man in temporary residence has it still, though this file knows only of his permanent one.
    assert everything()[1:] == before[1:]
    assert done.counts.rejected == 0


def test_parquet_is_the_same_as_csv(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *family(), row(personal_number="001190000009", address='Ngõ "3"\nnhà 2'))
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{path}', all_varchar = true)) TO '{tmp_path}/a.parquet' (FORMAT parquet)"
    )
    load(tmp_path / "a.parquet")
    before = everything()
    assert load(path).counts.unchanged == 5
    assert everything() == before


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_mark_line_ends_and_separators_do_not_matter(tmp_path: Path, ending: str) -> None:
    name = unicodedata.normalize("NFD", "Nguyễn Thị Ví Dụ")
    text = (
        f"personal_number;name;birth_date;sex;commune{ending}001190000001; {name} ;1990-01-15;female;T1{ending}{ending}"
    )
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    done = load(tmp_path / "a.csv")
    assert rejects(done) == []
    assert register("SELECT name FROM person") == [[("Nguyễn Thị Ví Dụ",)]]


def test_rows_that_are_copies_count_once_and_contradicting_ones_not_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", row(), row(), row(personal_number="001190000002"),
                 row(personal_number="001190000002", birth_date="1991-01-01"))  # fmt: skip
    done = load(path)
    assert (done.counts.added, done.counts.repeated, done.counts.rejected) == (1, 1, 2)
    assert [(line, field) for line, field, _ in rejects(done)] == [(4, "personal_number"), (5, "personal_number")]


def test_somebody_elses_number_goes_to_reconciliation(tmp_path: Path) -> None:
    load(write(tmp_path / "a.csv", row()))
    done = load(write(tmp_path / "b.csv", row(name="Người Khác", birth_date="1975-05-05", sex="male")))
    assert done.counts.rejected == 1
    assert "another person" in rejects(done)[0][2]
    assert register("SELECT name FROM person") == [[("Nguyễn Thị Ví Dụ",)]]


def test_strict_loads_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load(write(tmp_path / "a.csv", row(), row(personal_number="12345")), strict=True)
    assert [(f.line, f.field) for f in caught.value.faults] == [(3, "personal_number")]
    assert register("SELECT count(*) FROM person", "SELECT stage FROM load_run") == [[(0,)], [("refused",)]]
    assert (tmp_path / "a.csv.rejects.csv").exists()


def test_only_who_may_load_loads(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        load_extract(write(tmp_path / "a.csv", row()), by=machine("test", "person.read"), as_of=AS_OF)


def test_a_load_has_its_log_row(tmp_path: Path) -> None:
    load(write(tmp_path / "a.csv", row()))
    with_owner = "SELECT stage, counts->>'added' FROM load_run"
    assert register(with_owner) == [[("done", "1")]]
