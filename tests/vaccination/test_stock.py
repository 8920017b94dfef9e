"""The fridge: the ledger is the truth, and its balance is never below nought."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, NotAllowed, Refused
from khien.core.session import Session, begin
from khien.vaccination import actions
from khien.vaccination.rules.dose_checks import DoseEntry
from khien.vaccination.store import stock as store
from tests.register import add_country, add_person, add_vaccines, set_today

DAY = dt.date(2021, 9, 15)
LOT = {"product": "alpha", "lot_number": "A1"}


@pytest.fixture
def fridge(session: Session) -> Session:
    add_country(session)
    add_vaccines(session)
    session.execute(
        "INSERT INTO site (code, name, unit_id) VALUES ('S2', 'Trạm Nam', 900000002), ('S3', 'Kho', 900000000)"
    )
    set_today(session, DAY)
    return session


def receive(session: Session, doses: int, site: str = "S1") -> actions.Movement:
    return actions.receive_stock(by=session.actor, client_id=uuid4(), site=site, doses=doses, **LOT)


def left(session: Session) -> dict[str, int]:
    return {row["site"]: row["doses"] for row in store.balances(session)}


def test_a_transfer_moves_doses_and_loses_none(fridge: Session) -> None:
    receive(fridge, 100)
    done = actions.transfer_stock(by=fridge.actor, client_id=uuid4(), site="S1", to_site="S2", doses=30, **LOT)
    assert done.balance == 70
    assert left(fridge) == {"S1": 70, "S2": 30}


def test_nothing_leaves_that_is_not_there(fridge: Session) -> None:
    receive(fridge, 5)
    with pytest.raises(Refused) as refusal:
        actions.move_stock(by=fridge.actor, client_id=uuid4(), kind="use", site="S1", doses=6, **LOT)
    assert refusal.value.rule == "stock_short"
    assert "5" in refusal.value.text("vi")
    assert left(fridge) == {"S1": 5}


def test_a_replayed_movement_changes_nothing_and_another_under_its_number_is_refused(fridge: Session) -> None:
    message = uuid4()
    for result in ("recorded", "replayed"):
        done = actions.receive_stock(by=fridge.actor, client_id=message, site="S1", doses=10, **LOT)
        assert (done.result, done.balance) == (result, 10)
    with pytest.raises(Refused) as refusal:
        actions.receive_stock(by=fridge.actor, client_id=message, site="S1", doses=11, **LOT)
    assert refusal.value.rule == "client_id_reused"


BAD = [
    ({"doses": 0}, "doses"), ({"doses": -3}, "doses"), ({"site": "NO"}, "site"), ({"lot_number": "NO"}, "lot_number"),
    ({"product": "beta"}, "lot_number"), ({"kind": "waste"}, "reason"),
    ({"kind": "transfer_out", "to_site": "S1"}, "to_site"), ({"kind": "transfer_out", "to_site": "NO"}, "to_site"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), BAD, ids=[f"{b[1]}-{n}" for n, b in enumerate(BAD)])
def test_bad_input_names_its_field_and_writes_nothing(fridge: Session, change: dict, field: str) -> None:
    receive(fridge, 5)
    told = {"client_id": uuid4(), "kind": "use", "site": "S1", "doses": 1, **LOT} | change
    with pytest.raises(BadInput) as wrong:
        actions.move_stock(by=fridge.actor, **told)
    assert [f.field for f in wrong.value.faults] == [field]
    assert left(fridge) == {"S1": 5}


def test_an_excursion_blocks_the_lot_at_once_and_lists_who_got_it(fridge: Session) -> None:
    receive(fridge, 50)
    add_person(fridge, 1)
    entry = DoseEntry(client_id=uuid4(), person_id=1, given_on=DAY, site="S1", **LOT)
    actions.record_dose(by=fridge.actor, entry=entry)
    message = uuid4()
    for result in ("recorded", "replayed"):
        done = actions.report_excursion(by=fridge.actor, client_id=message, site="S1", reason="Mất điện 9 giờ", **LOT)
        assert (done.result, done.exposed, [p["person_id"] for p in done.recipients]) == (result, 50, [1])
    with pytest.raises(Refused) as refusal:
        actions.record_dose(by=fridge.actor, entry=DoseEntry(uuid4(), 1, given_on=DAY, site="S1", **LOT))
    assert refusal.value.rule in ("lot_blocked", "same_day")
    for kind, more in (("use", {}), ("transfer_out", {"to_site": "S2"})):
        with pytest.raises(Refused) as refusal:
            actions.move_stock(by=fridge.actor, client_id=uuid4(), kind=kind, site="S1", doses=1, **LOT, **more)
        assert refusal.value.rule == "lot_blocked"
    # what is spoilt can still be thrown away
    gone = actions.move_stock(
        by=fridge.actor, client_id=uuid4(), kind="waste", site="S1", doses=50, reason="Mất điện", **LOT
    )
    assert gone.balance == 0


def test_a_lot_found_sound_is_released(fridge: Session) -> None:
    receive(fridge, 5)
    actions.block_lot(by=fridge.actor, reason="Chờ kết luận", **LOT)
    actions.release_lot(by=fridge.actor, reason="Chuỗi lạnh đạt yêu cầu", **LOT)
    assert actions.move_stock(by=fridge.actor, client_id=uuid4(), kind="use", site="S1", doses=1, **LOT).balance == 4


def test_an_expired_lot_is_not_used(fridge: Session) -> None:
    receive(fridge, 5)
    set_today(fridge, dt.date(2022, 1, 1))
    with pytest.raises(Refused) as refusal:
        actions.move_stock(by=fridge.actor, client_id=uuid4(), kind="use", site="S1", doses=1, **LOT)
    assert refusal.value.rule == "lot_expired"


def test_an_opened_vial_says_when_to_discard_it(fridge: Session) -> None:
    fridge.execute("UPDATE lot SET open_vial_hours = 6 WHERE lot_number = 'A1'")
    message = uuid4()
    for _copy in range(2):
        actions.open_vial(by=fridge.actor, client_id=message, site="S1", **LOT)
    [vial] = store.open_vials(fridge, "S1")
    assert vial["discard_at"] - vial["opened_at"] == dt.timedelta(hours=6)
    assert not vial["over"]


def test_a_station_moves_only_its_own_stock(fridge: Session) -> None:
    receive(fridge, 5, "S2")
    station = Actor(7, "station", "vaccination", frozenset({"stock.move", "stock.read"}), "{[900000001,900000002)}")
    with pytest.raises(BadInput):
        actions.move_stock(by=station, client_id=uuid4(), kind="use", site="S2", doses=1, **LOT)
    with begin(station) as own:
        assert store.balances(own) == []
    with pytest.raises(NotAllowed):
        actions.receive_stock(by=machine("vaccination"), client_id=uuid4(), site="S1", doses=1, **LOT)


@pytest.mark.parametrize("statement", ["UPDATE stock_movement SET doses = 1", "DELETE FROM stock_movement"])
def test_the_ledger_is_only_ever_added_to(fridge: Session, statement: str) -> None:
    receive(fridge, 5)
    with pytest.raises(psycopg.errors.RaiseException), fridge.connection.transaction():
        fridge.connection.execute(statement)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["receipt", "transfer_out", "use", "waste"]), st.sampled_from(["S1", "S2", "S3"]),
        st.sampled_from(["S1", "S2", "S3"]), st.integers(1, 40), st.integers(0, 5),
    ),
    max_size=25,
)  # fmt: skip


def _move(actor: Actor, move: tuple[str, str, str, int, int], messages: list[UUID]) -> None:
    kind, site, other, doses, message = move
    with suppress(BadInput):
        actions.move_stock(
            by=actor, client_id=messages[message] if message < len(messages) else uuid4(), kind=kind, site=site,
            doses=doses, reason="x", to_site=other if kind == "transfer_out" else None, **LOT,
        )  # fmt: skip


def _books_hold(session: Session) -> None:
    """Every balance is the sum of its ledger and not below nought; what came in is what went out and what is left."""
    wrong = session.rows(
        "SELECT k.site_id FROM stock k LEFT JOIN (SELECT site_id, sum(change) AS doses FROM stock_movement"
        " GROUP BY 1) m USING (site_id) WHERE k.doses <> coalesce(m.doses, 0) OR k.doses < 0"
    )
    assert wrong == []
    kinds: Counter[str] = Counter()
    for row in session.rows("SELECT kind, doses FROM stock_movement"):
        kinds[row["kind"]] += row["doses"]
    total = session.value("SELECT coalesce(sum(doses), 0) FROM stock")
    assert kinds["receipt"] - kinds["use"] - kinds["waste"] == total
    assert kinds["transfer_in"] == kinds["transfer_out"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
def test_any_sequence_of_movements_keeps_the_books(fridge: Session, moves: list) -> None:
    with suppress(_Undo), fridge.connection.transaction():
        for move in moves:
            _move(fridge.actor, move, [])
        _books_hold(fridge)
        raise _Undo


class _Undo(Exception):
    pass


@pytest.fixture
def committed(fresh_database: str) -> Iterator[Actor]:
    actor = machine("test", "*")
    with begin(actor, role="khien_owner") as session:
        add_country(session)
        add_vaccines(session)
        session.execute("INSERT INTO site (code, name, unit_id) VALUES ('S2', 'B', 900000002), ('S3', 'C', 900000000)")
        set_today(session, DAY)
    yield actor


def test_many_at_once_keep_the_books(committed: Actor) -> None:
    chance = random.Random(3)
    messages = [uuid4() for _n in range(3)]  # some messages are sent by several at once
    sites = ["S1", "S2", "S3"]
    moves = [
        (chance.choice(["receipt", "transfer_out", "use", "waste"]), chance.choice(sites), chance.choice(sites),
         chance.randint(1, 40), chance.randint(0, 9)) for _n in range(240)
    ]  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda move: _move(committed, move, messages), moves))
    with begin(committed) as session:
        _books_hold(session)
        assert session.value("SELECT count(*) FROM stock_movement") > 50
