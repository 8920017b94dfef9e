"""Rows that take the short way into an empty register: the same register as the general way gives, row for row."""

from __future__ import annotations

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from khien.core import pool
from khien.core.actor import machine
from khien.core.server import databases
from khien.core.session import begin
from khien.population.load import merging, reading, taken
from khien.population.load.merging import Merge
from khien.population.load.reading import open_extract
from khien.population.load.usual import Sifted, Usual, folder_of_database, sweep
from tests.population.extracts import load, ready, register, rejects, row, write

_NAMES = ("Nguyễn Thị Ví Dụ", "ĐẶNG Văn Ơn", "Hoà", "Hòa", "Ý", "lê  hai dấu cách", "O'Neil", "Müller", "Trần Ư", " Lê A")  # fmt: skip  # noqa: E501
_DAYS = ("", "2021-05-01", "2021-08-31", "2021-09-01", "2021-09-02", "2021-02-30", "1850-01-01", "5/2021",
         " 2021-05-01", "infinity", "12021-05-01", "0044-03-15 (BC)", "0040-03-15 (BC)",
         "9999-12-31", "2399-12-31")  # fmt: skip
_COMMUNES = ("", "T1", "T2", "T9", " T1")


def odd_people(count: int) -> list[dict[str, str]]:
    """People of all sorts, mostly sound, drawn alike in every run."""
    draw = random.Random(17)

    def sometimes(value: str, *others: str) -> str:
        return draw.choice((value, *others)) if draw.random() < 0.12 else value

    people = []
    for n in range(count):
        number = f"0011{n % 100:02}{n:06}"
        household = f"H{n // 3}"
        people.append(
            row(
                personal_number=sometimes(number, "", number[1:], f" {number}", "001100000001"),
                provisional_id=draw.choice(("", "", "", f"gửi-{n}", f"gui-{n}", f"KT/{n}")),
                name=sometimes("Nguyễn Thị Ví Dụ", *_NAMES),
                birth_date=sometimes("1990-01-15", "1990", "1990-05", "1990-**-**", "1990-13", "2021-09-02", ""),
                sex=sometimes("female", "male", "", "other", "unknown", "Female", "nữ"),
                nationality=sometimes("", "VNM", "LAO", "lao", "Lào"),
                old_number=sometimes("", f"{n:09}", "000000001", f"{n:08}", "000 000 002"),
                insurance_number=sometimes(f"{n:010}", "", f"GD4{n:012}", f"gd4{n:012}", "0000000003"),
                card_kind=sometimes("", "cccd", "cmnd", "CCCD", "thẻ"),
                card_issued_on=sometimes("", *_DAYS),
                card_expires_on=sometimes("", *_DAYS),
                household=sometimes(household, "", f" {household}", f"{household}\u00a0", f"{household}\0", "H1"),
                relation=sometimes("head" if n % 3 == 0 else "child", "", "Child", "con", "head"),
                commune=sometimes("T1", *_COMMUNES),
                address=sometimes(
                    "Số 1, phố Thử", "", ' "3"\tnhà 2 ', "Ngõ 1\nnhà 2", "\\N", "A" * 501, "ngõ\0 2", "\u3000"
                ),
                temporary_commune=draw.choice(("", "", "", *_COMMUNES)),
                temporary_address=sometimes("", "Nhà trọ 5", "\0"),
                temporary_from=sometimes("", *_DAYS),
                temporary_until=sometimes("", *_DAYS),
                stay_commune=sometimes("", *_COMMUNES),
                stay_from=sometimes("", *_DAYS),
                stay_until=sometimes("", *_DAYS),
                absent_from=sometimes("", *_DAYS),
                absent_until=sometimes("", *_DAYS),
                died_on=sometimes("", *_DAYS),
            )
        )
    return people


def _loaded(path: Path) -> list[Any]:
    """The register and the rejects after a load, without the numbers that were drawn for people and households."""
    done = load(path)
    first = "(SELECT min(person_id) FROM person)"
    found = register(
        f"SELECT person_id - {first}, name, name_key, birth_date, birth_precision, sex, nationality, home_unit,"
        " present_unit, died_on FROM person ORDER BY 1",
        f"SELECT kind, CASE WHEN value NOT LIKE 'KT__________%' THEN value END, person_id - {first}, valid"
        " FROM identifier ORDER BY 3, 1, 2",
        f"SELECT person_id - {first}, card_number, kind, issued_on, expires_on FROM personal_card ORDER BY 1, 2, 4",
        f"SELECT person_id - {first}, relation, valid, unit_id, address, "
        f" min(person_id) OVER (PARTITION BY household_id) - {first}"
        " FROM household_member JOIN household USING (household_id) ORDER BY 1",
        "SELECT count(*) FROM household",
        f"SELECT person_id - {first}, kind, unit_id, address, valid FROM residence ORDER BY 1, 2, 5",
    )
    return [*found, rejects(done), done.counts]


def test_both_ways_lead_to_the_same_register(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready()
    path = write(tmp_path / "a.csv", *odd_people(600))
    short = _loaded(path)
    with begin(machine("test", "*"), role="khien_loader") as session:
        session.execute("TRUNCATE person, identifier, personal_card, household, household_member, residence")
    monkeypatch.setattr(Usual, "_sift", lambda _, block: Sifted(block, 0))
    general = _loaded(path)
    for ours, theirs in zip(short, general, strict=True):
        assert ours == theirs
    counts = short[-1]
    assert counts.added > 100 and counts.rejected > 100


def test_nothing_about_people_is_left_in_the_folder(fresh_database: str, tmp_path: Path) -> None:
    ready()
    left = folder_of_database() / "7"
    left.mkdir(parents=True)
    (left / "2.person").write_text("of a load that was killed")
    load(write(tmp_path / "a.csv", row()))
    assert not folder_of_database().exists()


def test_two_databases_of_one_home_share_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KHIEN_DATABASE_URL", raising=False)  # it would name the database
    here = folder_of_database()
    monkeypatch.setenv("KHIEN_DATABASE_NAME", "another")
    assert folder_of_database() != here


@pytest.mark.parametrize("space", [" ", "  "], ids=["usual rows", "judged rows"])
def test_somebody_entered_while_the_file_was_read(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str
) -> None:
    """The rows that were prepared for an empty register are judged after all: hers is known, not added again.

    On a server of somebody else, where the keys may not rest on two connections, the register is not taken meanwhile.
    """
    ready()
    monkeypatch.setattr(taken, "may_work_aside", lambda _: False)
    hers = row(name=f"Nguyễn Thị{space}Ví Dụ")
    early = write(tmp_path / "early.csv", hers)
    path = write(tmp_path / "a.csv", hers, row(personal_number="001190000002", name=f"Trần Văn{space}Ví Dụ"))
    prepare = merging.check

    def enter_her_first(*args: Any, **more: Any) -> None:
        monkeypatch.setattr(merging, "check", prepare)
        prepare(*args, **more)
        with begin(machine("test", "*"), role="khien_loader") as session:
            session.execute(
                "INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit)"
                " SELECT 900000, 'Nguyễn Thị Ví Dụ', khien_name_key('Nguyễn Thị Ví Dụ'), '1990-01-15', 'female',"
                " unit_id, unit_id FROM unit WHERE code = 'T1'"
            )
            session.execute(
                "INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '001190000001', 900000)"
            )

    monkeypatch.setattr(merging, "check", enter_her_first)
    done = load(path)
    assert (done.counts.added, done.counts.rows) == (1, 2)
    assert register("SELECT count(*) FROM person") == [[(2,)]]
    assert load(early).counts.added == 0


def test_nobody_is_entered_while_the_register_is_taken(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready()
    check = merging.check

    def try_to_enter(*args: Any, **more: Any) -> None:
        check(*args, **more)
        for table in ("person", "residence"):
            with databases.connect_admin(databases.current_name()) as other:
                other.execute("SET lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute(f"SELECT FROM {table}")  # noqa: S608

    monkeypatch.setattr(merging, "check", try_to_enter)
    assert load(write(tmp_path / "a.csv", row())).counts.added == 1


@pytest.mark.parametrize("always", [False, True], ids=["for a while", "all the time"])
def test_somebody_works_on_the_residences(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, always: bool
) -> None:
    """A page that has read residences and waits for the people goes on; the load tries again, or writes at its end."""
    ready()
    monkeypatch.setattr(taken, "_PATIENCE", "50ms")
    seen: list[Any] = []
    hold, check = taken.Taken.hold, merging.check
    with databases.connect_admin(databases.current_name()) as other, ThreadPoolExecutor(1) as page:
        other.execute("BEGIN; SELECT FROM residence")

        def held(self: taken.Taken) -> None:
            waiting = None if always or seen else page.submit(other.execute, "SELECT count(*) FROM person")
            try:
                hold(self)
            except Exception as failure:
                if waiting:  # as soon as this transaction is rolled back
                    waiting.add_done_callback(lambda _: other.execute("COMMIT"))
                seen.append(type(failure).__name__)
                raise

        def checked(*args: Any, register_taken: bool, **more: Any) -> None:
            seen.append(register_taken)
            other.execute("ROLLBACK")
            check(*args, register_taken=register_taken, **more)

        monkeypatch.setattr(taken.Taken, "hold", held)
        monkeypatch.setattr(merging, "check", checked)
        done = load(write(tmp_path / "a.csv", row()))
    assert seen == (["_Busy"] * 3 + [False] if always else ["_Busy", True])
    assert done.counts.added == 1
    assert register("SELECT count(*) FROM residence JOIN person USING (person_id)") == [[(1,)]]
    assert register("SELECT count(*) FROM pg_constraint WHERE conname = 'residence_pkey'") == [[(1,)]]


def test_one_connection_is_enough(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready()
    pool.close_all()
    monkeypatch.setenv("KHIEN_POOL_SIZE", "1")
    assert load(write(tmp_path / "a.csv", row())).counts.added == 1
    pool.close_all()


def test_residences_that_cannot_be_written_stop_the_load_at_once(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready()
    path = write(tmp_path / "a.csv", row())

    def fails(*_: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(Merge, "_write_all", lambda *_: pytest.fail("went on in vain"))
    judged = taken.Taken.judged

    def judged_when_it_failed(self: taken.Taken, work: Any) -> None:
        wait([self._aside._worked])
        judged(self, work)

    monkeypatch.setattr(taken.Taken, "judged", judged_when_it_failed)
    with monkeypatch.context() as broken, pytest.raises(ValueError, match="broken"):
        broken.setattr(Usual, "writing", fails)
        load(path)
    monkeypatch.undo()
    assert load(path).counts.added == 1


def test_a_block_whose_pieces_could_not_all_be_kept_is_judged(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready()
    monkeypatch.setattr(reading, "BLOCK_BYTES", 500)
    people = [row(personal_number=f"00119{n:07}") for n in range(20)]
    keep, blocks = Usual._keep, count()

    def keeps_half(self: Usual, engine: Any, block: Any) -> None:
        keep(self, engine, block)
        if next(blocks) == 1:
            raise duckdb.OutOfMemoryException("no room")

    monkeypatch.setattr(Usual, "_keep", keeps_half)
    assert load(write(tmp_path / "a.csv", *people)).counts.added == 20
    assert register("SELECT count(*), count(DISTINCT person_id) FROM residence") == [[(20, 20)]]


def test_every_row_keeps_its_own_place(fresh_database: str, tmp_path: Path) -> None:
    """Also where the communes are many and the rows few, so that DuckDB looks the rows up and not the communes."""
    communes = [(f"C{n}", n) for n in range(5000)]
    people = [row(personal_number=f"00119{n:07}", commune=f"C{n * 37 % 5000}") for n in range(300)]
    extract = open_extract(write(tmp_path / "a.csv", *people))
    usual = Usual(1, extract, dt.date(2021, 9, 1), 0, communes)
    assert sum(sifted.usual for sifted in usual.sift(extract.blocks(extract.start, extract.first_line))) == 300
    usual.close()
    [persons], [numbers] = ([*usual.folder.glob(f"*.{table}")] for table in ("person", "identifier"))
    homes = {line.split("\t")[0]: line.split("\t")[7] for line in persons.read_text().splitlines()}
    for line in numbers.read_text().splitlines():
        _, number, person_id = line.split("\t")
        assert homes[person_id] == str(int(number[5:]) * 37 % 5000)
    sweep()
