"""No passage outlives its retention, whichever partition it came to lie in."""

from __future__ import annotations

import datetime as dt

from khien.checkpoints.movement import actions
from khien.core.actor import machine
from khien.core.session import begin
from tests.register import add_country
from tests.zones.people import pass_by, resident

STRAY = dt.datetime(2019, 5, 3, 4, tzinfo=dt.UTC)  # before every month that has a partition


def test_a_passage_of_a_month_without_partition_goes_too(fresh_database: str) -> None:
    with begin(machine("test", "*"), role="khien_loader") as session:
        add_country(session)
        number = resident(session, 1)
        now = session.now
        for at in (STRAY, STRAY + dt.timedelta(days=40), now):
            pass_by(session, number, session.value("SELECT home_unit FROM person"), at)
    with begin(machine("test", "*"), role="khien_owner") as session:
        held = session.rows("SELECT tableoid::regclass::text AS part FROM passage ORDER BY passed_at")
    assert [r["part"] for r in held] == ["passage_default", "passage_default", f"passage_{now:%Y_%m}"]
    gone = actions.retain(by=machine("administration", "passage.retain"))
    assert {name: rows for name, rows in gone.items() if rows} == {"passage_default": 2}
    with begin(machine("test", "*")) as session:
        assert session.value("SELECT min(passed_at) FROM passage") == now
        proof = session.value("SELECT detail FROM access_log WHERE action = 'passage.retain'")
    assert proof["rows"]["passage_default"] == 2
