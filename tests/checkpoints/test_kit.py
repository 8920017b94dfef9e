"""The kit: who is in the register is always known, somebody else once in 65,536; anything broken is refused."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.checkpoints.actions import add_checkpoint
from khien.checkpoints.movement import actions, keys, kit
from khien.checkpoints.movement import filter as filters
from khien.checkpoints.rules import declared, passes
from khien.checkpoints.rules.declaration import Declaration
from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed
from khien.core.session import begin
from tests.checkpoints.test_declarations import ANSWERS, PUBLIC, WHO
from tests.register import NORTH, SOUTH, add_country, add_person

MAKER = machine("movement-control", "kit.make")


@pytest.fixture
def made(fresh_database: str, tmp_path: Path) -> Iterator[dict[str, Any]]:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        for person_id in range(1, 400):
            add_person(session, person_id, unit=NORTH, name=f"Trần Thử {person_id}")
        add_person(session, 500, unit=NORTH, name="Cụ Bà", birth_date=dt.date(1931, 1, 1))
        session.execute("UPDATE person SET birth_precision = 'y' WHERE person_id = 500")
        add_person(session, 501, unit=NORTH, name="Đã Mất", died_on=dt.date(2021, 1, 1))
        session.execute(
            "INSERT INTO identifier (kind, value, person_id)"
            " SELECT 'personal_number', lpad(person_id::text, 12, '0'), person_id FROM person"
        )
    given = [_declare(), _declare()]
    actions.revoke_pass(by=PUBLIC, pass_id=given[1].pass_id, reason="Khai sai")
    path = tmp_path / "kit"
    about = kit.make(path, by=MAKER)
    yield {"path": path, "about": about, "passes": given}


def _declare() -> actions.PassGiven:
    one = Declaration(uuid4(), declared.read(WHO), WHO["birth_date"], ANSWERS, SOUTH, NORTH)
    return actions.declare(by=PUBLIC, declarations=[one])[0]


def test_everybody_alive_is_known_and_nobody_else(made: dict[str, Any], tmp_path: Path) -> None:
    read = kit.read(made["path"])
    assert all(read.knows(f"{n:012}", f"TRAN THU {n}", "1990-01-15") for n in range(1, 400))
    assert not read.knows("000000000001", "Trần Thử 2", "1990-01-15")
    assert not read.knows("000000000001", "Trần Thử 1", "1990-01-16")
    assert read.knows("000000000500", "Cụ Bà", "1931-05-09"), "the register knows the year only"
    assert not read.knows("000000000501", "Đã Mất", "1990-01-15")
    people = [*((f"{n:012}", f"Trần Thử {n}", "1990-01-15") for n in range(1, 400)), ("000000000500", "Cụ Bà", "1931")]
    apart = _online(dict(enumerate(people)), made["path"], tmp_path / "same")
    assert made["about"]["entries"] == 400 + len(apart) and "key" not in made["about"]


def _online(people: dict[int, tuple[str, str, str]], path: Path, again: Path) -> set[int]:
    """Who is to be checked online by the kit and by another of the same people: by chance a filter holds more, one form
    in 65,536, but not the same ones with another key."""
    kit.make(again, by=MAKER)
    kits = [kit.read(path), kit.read(again)]
    return {key for key, person in people.items() if all(one.maybe_apart(*person) for one in kits)}


def test_who_is_to_stay_apart_is_to_be_checked_online_and_so_are_a_few_others(
    made: dict[str, Any], tmp_path: Path
) -> None:
    people = {n: (f"{n:012}", f"Trần Thử {n}", "1990-01-15") for n in range(1, 400)}
    others = _online(people, made["path"], tmp_path / "same")
    assert len(others) < 20  # expected 1.6 of 399
    chosen, double = sorted(people.keys() - others)[:2]
    with begin(machine("test", "*"), role="khien_loader") as session:
        session.execute(
            "INSERT INTO isolation_order (person_id, case_person_id, case_id, place, days, rule, ordered_at)"
            " VALUES (%(p)s, 1, 1, 'home', daterange(%(d)s, %(d)s + 14), 'f1', now())",
            p=chosen, d=session.today,
        )  # fmt: skip
        session.execute("UPDATE person SET merged_into = %(p)s WHERE person_id = %(d)s", p=chosen, d=double)
    kit.make(tmp_path / "next", by=MAKER)
    after = kit.read(tmp_path / "next")
    assert _online(people, tmp_path / "next", tmp_path / "same as next") == others | {chosen, double}
    assert not after.maybe_apart("000000000500", "Trần Thử 1", "1990-01-15"), "nobody whom the register does not know"


def test_passes_are_judged_without_the_database(made: dict[str, Any]) -> None:
    read = kit.read(made["path"])
    good, revoked = (p.text for p in made["passes"])
    now = made["passes"][0].expires_at - dt.timedelta(hours=1)
    assert (read.state_of_pass(good, now), read.state_of_pass(revoked, now)) == ("valid", "revoked")
    assert read.state_of_pass(good, now + dt.timedelta(hours=2)) == "expired"
    a_pass, signature = passes.parse(good)
    forged = passes.text_of(replace(a_pass, expires_at=a_pass.expires_at + dt.timedelta(days=1)), signature)
    assert read.state_of_pass(forged, now) == "forged"
    keys.add_key()
    assert read.state_of_pass(_declare().text or "", now) == "unknown_key", "a kit older than the key says so"


def test_a_kit_holds_no_name_and_no_number_and_only_who_may_makes_one(made: dict[str, Any], tmp_path: Path) -> None:
    raw = made["path"].read_bytes()
    assert b"000000000007" not in raw and "Trần".encode() not in raw and b"tran" not in raw
    assert made["path"].stat().st_mode & 0o077 == 0
    with pytest.raises(NotAllowed):
        kit.make(tmp_path / "other", by=machine("movement-control"))


def test_any_broken_kit_is_refused(made: dict[str, Any], tmp_path: Path) -> None:
    raw = made["path"].read_bytes()
    broken = tmp_path / "broken"

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.integers(0, len(raw) - 1), st.integers(1, 255), st.booleans())
    def try_one(place: int, change: int, cut: bool) -> None:
        broken.write_bytes(raw[:place] if cut else raw[:place] + bytes([raw[place] ^ change]) + raw[place + 1 :])
        with pytest.raises(BadInput):
            kit.read(broken)

    try_one()
    with pytest.raises(BadInput):
        kit.read(made["path"], trusted={b"none": bytes(32)})


def test_a_wrong_filter_length_never_reaches_the_c_code(made: dict[str, Any], tmp_path: Path) -> None:
    raw = made["path"].read_bytes()
    start = len(kit.MAGIC) + 8
    length = int.from_bytes(raw[len(kit.MAGIC) : start], "big")
    header = json.loads(raw[start : start + length])
    body = bytearray(raw[start + length + 64 :])
    body[24:28] = (2**31).to_bytes(4, "little")  # claims an array of four gigabytes
    header["filter"]["parts"][0]["sha256"] = hashlib.sha256(body).hexdigest()
    parts, forged = tmp_path / "parts", tmp_path / "forged"
    parts.write_bytes(body)
    kit._write(forged, json.dumps(header).encode(), parts)
    with pytest.raises(BadInput):
        kit.read(forged)


def test_a_filter_in_parts_knows_the_same_people() -> None:
    lines = [b"line %d" % n for n in range(5000)]
    built = list(filters.build([*lines, *lines[:100]], b"key", 8))
    assert sum(entries for entries, _ in built) == 5000 and len(built) == 8
    read = [filters.read(part) for _, part in built]
    assert all(filters.holds(read, int.from_bytes(filters.digest(b"key", line), "big")) for line in lines)
    strangers = sum(
        filters.holds(read, int.from_bytes(filters.digest(b"key", b"nobody %d" % n), "big")) for n in range(5000)
    )
    assert strangers <= 5  # expected 0.08
    assert [filters.parts_for(n) for n in (0, 1_500_000, 1_500_001, 100_000_000)] == [1, 1, 2, 128]


def test_movement_goes_away_by_months_and_the_log_keeps_the_proof(made: dict[str, Any]) -> None:
    checkpoint = add_checkpoint(by=machine("x", "checkpoint.manage"), code="T-9", name="Chốt", unit_id=NORTH)
    officer = machine("movement-control", "passage.record")
    with begin(officer) as session:
        entry = actions.PassageEntry(uuid4(), session.now, "in", pass_id=made["passes"][0].pass_id)
        now = session.now
    actions.record_passage(by=officer, checkpoint_id=checkpoint, entry=entry)
    keeper = machine("administration", "passage.retain")
    assert not any(actions.retain(by=keeper).values()), "nothing is old enough"
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("UPDATE clock SET demo_on = %(day)s", day=(now + dt.timedelta(days=70)).date())
    gone = actions.retain(by=keeper)
    assert gone[f"passage_{now:%Y_%m}"] + gone["passage_unmatched"] == 1
    assert gone["declaration"] + gone["declaration_unmatched"] == 2
    with begin(machine("test", "*")) as session:
        assert session.value("SELECT count(*) FROM passage") == 0
        assert session.value("SELECT count(*) FROM access_log WHERE action = 'passage.retain'") == 2


def test_zones_are_ranges_of_units() -> None:
    assert (
        kit._inside(5, "{[1,6),[9,12)}") and not kit._inside(6, "{[1,6),[9,12)}") and kit._inside(9, "{[1,6),[9,12)}")
    )


def test_somebody_else_is_taken_for_known_once_in_65536() -> None:
    digests = np.unique(np.random.default_rng(7).integers(0, 2**63, 200_000, dtype=np.uint64))
    body = filters.one(digests)
    filter_ = [filters.read(body)]
    others = np.random.default_rng(8).integers(2**63, 2**64 - 1, 400_000, dtype=np.uint64).tolist()
    hits = sum(filters.holds(filter_, o) for o in others)
    assert hits / len(others) < 3 / 65536  # expected 6 of 400,000
    assert len(body) / len(digests) < 2.4  # bytes a person
