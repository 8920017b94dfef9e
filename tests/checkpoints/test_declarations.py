"""Declarations and passes: matched at once, never telling; a pass that is signed, short and says nothing."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.checkpoints.actions import add_checkpoint, check_identity
from khien.checkpoints.movement import actions, checking, keys, store
from khien.checkpoints.rules import declared, passes
from khien.checkpoints.rules.declaration import Declaration, answers, form_on
from khien.core.actor import Actor, machine
from khien.core.errors import BadInput
from khien.core.session import Session, begin
from tests.register import NORTH, SOUTH, add_country, add_person, set_today

DAY = dt.date(2021, 9, 15)
PUBLIC = machine("movement-control", "declaration.write")
ANSWERS: dict[str, Any] = {
    "from": "Xã Nam", "to": "Xã Bắc", "travel_on": "2021-09-15", "phone": "0900 000 000", "permanent": "Xã Nam",
    "symptoms": "no", "exposed": False, "been_in_zone": "no", "plate": "51A-123.45",
}  # fmt: skip
WHO = {"number": "079190000011", "name": "TRẦN VĂN THỬ", "birth_date": "1990-01-15", "sex": "male"}
OFFICER = Actor(
    7, "Officer", "movement-control",
    frozenset({"identity.check", "passage.record", "passage.read", "declaration.read"}),
    f"{{[{NORTH},{NORTH}]}}",
)  # fmt: skip


@pytest.fixture
def place(session: Session) -> Iterator[Session]:
    add_country(session)
    set_today(session, DAY)
    add_person(session, 11, unit=SOUTH, name="Trần Văn Thử", sex="male")
    session.execute("INSERT INTO identifier (kind, value, person_id) VALUES ('personal_number', '079190000011', 11)")
    yield session


def declaration(**who: Any) -> Declaration:
    told = WHO | who
    return Declaration(uuid4(), declared.read(told), told["birth_date"], ANSWERS, SOUTH, NORTH)


def declare(one: Declaration) -> actions.PassGiven:
    return actions.declare(by=PUBLIC, declarations=[one])[0]


def test_a_match_is_the_persons_and_tells_both_communes(place: Session) -> None:
    given = declare(declaration())
    kept = place.row("SELECT * FROM declaration")
    assert (kept["person_id"], kept["verdict"], kept["plate"], kept["pass_id"]) == (
        11,
        "match",
        "51A12345",
        given.pass_id,
    )
    assert kept["answers"]["phone"] == "0900000000"
    assert kept["expires_at"] - kept["declared_at"] > dt.timedelta(hours=71, minutes=59)
    notices = place.rows("SELECT unit_id, kind FROM movement_notice ORDER BY unit_id")
    assert [(n["unit_id"], n["kind"]) for n in notices] == [(NORTH, "arrives"), (SOUTH, "leaves")]


@pytest.mark.parametrize(
    ("who", "verdict"),
    [
        ({"number": "079190000099"}, "unknown_number"),
        ({"name": "Ai Khác"}, "name_differs"),
        ({"number": "12"}, "malformed"),
    ],
)
def test_what_does_not_match_looks_just_the_same_to_who_declares(place: Session, who: Any, verdict: str) -> None:
    known, unknown = declare(declaration()), declare(declaration(**who))
    assert (known.result, len(known.text or "")) == (unknown.result, len(unknown.text or ""))
    kept = place.row("SELECT verdict, declared FROM declaration_unmatched")
    assert kept["verdict"] == verdict
    assert place.value("SELECT count(*) FROM declaration") == 1


def test_sending_again_gives_the_same_pass_and_another_content_none(place: Session) -> None:
    for one in (declaration(), declaration(number="079190000099")):
        first, again = declare(one), declare(one)
        assert (again.result, again.text) == ("replayed", first.text)
        other = replace(one, who=declared.read(WHO | {"number": "079190000055"}))
        assert declare(other) == actions.PassGiven("conflict")


def test_a_pass_is_valid_then_expires_is_revoked_or_forged(place: Session) -> None:
    given = declare(declaration())
    assert given.text is not None and given.pass_id is not None
    assert checking.verify_pass(place, given.text).state == "valid"
    a_pass, _signature = passes.parse(given.text)
    assert a_pass.belongs_to("079190000011", "Trần Văn Thử", "1990-01-15")
    assert not a_pass.belongs_to("079190000012", "Trần Văn Thử", "1990-01-15")
    forged = passes.text_of(replace(a_pass, expires_at=a_pass.expires_at + dt.timedelta(days=9)), _signature)
    assert checking.verify_pass(place, forged).state == "forged"
    unknown = replace(a_pass, pass_id=UUID(int=9))
    signed = passes.text_of(unknown, keys.signing_key().sign(unknown.signed_part()))
    assert checking.verify_pass(place, signed).state == "unknown"
    set_today(place, DAY + dt.timedelta(days=4))
    assert checking.verify_pass(place, given.text).state == "expired"
    set_today(place, DAY)
    actions.revoke_pass(by=PUBLIC, pass_id=given.pass_id, reason="Khai sai")
    assert checking.verify_pass(place, given.text).state == "revoked"


def test_a_key_that_retired_still_verifies_and_no_key_is_readable_by_others(place: Session) -> None:
    old = declare(declaration())
    keys.add_key()
    new = declare(declaration())
    assert passes.parse(old.text or "")[0].key_id != passes.parse(new.text or "")[0].key_id
    assert {checking.verify_pass(place, p.text or "").state for p in (old, new)} == {"valid"}
    assert {stat.S_IMODE(f.stat().st_mode) for f in keys.folder().glob("*.key")} == {0o600}


def test_the_pass_is_a_note_of_an_identity_check_and_names_who_passes(place: Session) -> None:
    given = declare(declaration())
    checkpoint = add_checkpoint(by=place.actor, code="T-2", name="Chốt", unit_id=NORTH)
    with begin(OFFICER) as session:
        answer = check_identity(by=OFFICER, declared=declared.read(WHO))
        assert "pass_valid" in answer.notes
        facts = checking.facts_of_pass(session, given.pass_id or UUID(int=0))
        assert (facts["name"], facts["from_name"], facts["verdict"]) == ("Trần Văn Thử", "Xã Nam", "match")
        entry = actions.PassageEntry(uuid4(), session.now, "in", pass_id=given.pass_id)
    outcome = actions.record_passage(by=OFFICER, checkpoint_id=checkpoint, entry=entry)
    assert (outcome.result, outcome.person_id) == ("recorded", 11)
    with begin(OFFICER) as session:
        window = {"since": session.now - dt.timedelta(hours=1), "until": session.now + dt.timedelta(hours=1)}
        assert [p["from_name"] for p in store.passages(session, checkpoint, **window)] == ["Xã Nam"]


def test_answers_that_do_not_fit_are_named_and_nothing_is_kept(place: Session) -> None:
    wrong = ANSWERS | {"phone": "none", "symptoms": "perhaps", "permanent": ""}
    with pytest.raises(BadInput) as refused:
        declare(replace(declaration(), answers=wrong))
    assert {f.field for f in refused.value.faults} == {"phone", "symptoms", "permanent"}
    assert place.value("SELECT count(*) FROM declaration") == 0


@given(st.binary(max_size=120))
def test_base45_comes_back(data: bytes) -> None:
    assert passes.unbase45(passes.base45(data)) == data


def test_base45_is_that_of_the_rfc() -> None:
    assert (passes.base45(b"AB"), passes.base45(b"Hello!!"), passes.unbase45("QED8WEX0")) == (
        "BB8",
        "%69 VD92EX0",
        b"ietf!",
    )


@given(st.one_of(st.text(), st.text("0123456789ABC $%*+-./:", min_size=100, max_size=200).map("KP1:".__add__)))
def test_any_text_is_a_pass_or_a_clear_no(text: str) -> None:
    try:
        a_pass, signature = passes.parse(text)
    except BadInput:
        return
    assert passes.text_of(a_pass, signature) == text.strip("\r\n\t\ufeff")


@given(st.dictionaries(st.sampled_from([f.id for f in form_on(DAY).fields]), st.text(max_size=30)))
def test_any_answers_are_taken_or_named(told: dict[str, str]) -> None:
    form = form_on(DAY)
    try:
        assert answers(form, answers(form, told)) == answers(form, told)
    except BadInput as refused:
        assert refused.faults
