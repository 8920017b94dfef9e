"""The pages of API keys: made, shown once, found, revoked; and what an area keeps out, one lock at a time."""

from __future__ import annotations

import datetime as dt
import re

import psycopg
import pytest

from khien.access import actions, keys, store
from khien.access.actor import posts
from khien.core.actor import Actor, machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import begin
from tests.access.administrators import boss_of_the_north, logged, number_of
from tests.pages import ADMIN, page, signed_in
from tests.register import NORTH

LAST = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=365)


@pytest.fixture
def held(administrators: None) -> dict[str, int]:
    """A key of a system on each side, by the side."""
    for side in ("north", "south"):
        post = posts(number_of(f"{side}-nurse"))[1][0].assignment_id
        actions.add_api_key(by=ADMIN, assignment_id=post, name=f"System {side}", expires_on=LAST)
    with begin(ADMIN) as session:
        return {k["name"].split()[1]: k["id"] for k in store.api_keys(session)}


def test_a_key_is_shown_once_and_found_and_revoked(held: dict[str, int]) -> None:
    boss, nurse = signed_in("boss"), number_of("north-nurse")
    post = posts(nurse)[1][0].assignment_id
    at = f"/access/accounts/{nurse}/keys/new/"
    assert at in page(boss, f"/access/accounts/{nurse}/")
    given = {
        "name": "Bệnh viện huyện", "post": post, "purpose": "data-correction", "valid_from": "1/1/2021",
        "expires_on": f"{LAST:%d/%m/%Y}",
    }  # fmt: skip
    for wrong, field in (
        ({"expires_on": ""}, "expires_on"),
        ({"expires_on": "31/12/2020"}, "expires_on"),
        ({"valid_from": "", "expires_on": "1/1/2001"}, "expires_on"),
        ({"expires_on": f"{LAST + dt.timedelta(days=400):%d/%m/%Y}"}, "expires_on"),
        ({"post": posts(number_of("south-nurse"))[1][0].assignment_id}, "post"),
        ({"purpose": "audit"}, "purpose"),
        ({"name": " "}, "name"),
    ):
        refused = boss.post(at, given | wrong)
        assert refused.status_code == 422 and f'id="id_{field}-error"' in refused.content.decode(), wrong
    answer = boss.post(at, given)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    secret = re.search(r"khien_[\w-]{43}", answer.content.decode()).group(0)  # type: ignore[union-attr]
    actor = keys.actor_of_key(secret)
    assert actor is not None and actor.account_id == nurse and actor.purpose == "data-correction"

    shown = page(boss, "/access/keys/")
    assert "Bệnh viện huyện" in shown and "Correction of records" in shown and secret not in shown
    for asked, found in (
        ("", {"Bệnh viện huyện", "System north", "System south"}),
        ("?q=benh vien", {"Bệnh viện huyện"}),
        ("?q=south-nurse", {"System south"}),
        ("?state=open", {"Bệnh viện huyện", "System north", "System south"}),
        ("?state=revoked", set()),
        ("?state=suspended", set()),
    ):
        lines = boss.get(f"/access/keys.csv{asked}").content.decode("utf-8-sig").splitlines()[1:]
        assert {line.split(",")[1] for line in lines} == found, asked
    page(boss, "/access/keys/?state=nonsense", 422)

    number = next(k["id"] for k in _all() if k["name"] == "Bệnh viện huyện")
    assert "Revoke" in page(boss, f"/access/keys/{number}/")
    assert boss.post(f"/access/keys/{number}/revoke/").status_code == 302
    assert boss.post(f"/access/keys/{number}/revoke/").status_code == 302  # twice is once
    assert "<summary" not in page(boss, f"/access/keys/{number}/").split("<h1")[1]
    keys._known.clear()
    assert keys.actor_of_key(secret) is None
    told = [a for a in logged() if a.startswith("account.api_key")]
    assert told == ["account.api_key"] * 3 + ["account.api_key_used", "account.api_key_revoked"]


def test_an_account_that_serves_nowhere_gets_no_key(administrators: None) -> None:
    boss, idle = signed_in("boss"), number_of("idle")
    answer = boss.get(f"/access/accounts/{idle}/keys/new/", follow=True)
    assert answer.redirect_chain == [(f"/access/accounts/{idle}/", 302)]
    assert "no post in which a key could act" in answer.content.decode()


def test_who_may_not_manage_accounts_finds_nothing_here(held: dict[str, int]) -> None:
    nurse = signed_in("north-nurse")
    for address in ("/access/keys/", "/access/keys.csv", f"/access/keys/{held['north']}/",
                    f"/access/accounts/{number_of('north-nurse')}/keys/new/"):  # fmt: skip
        page(nurse, address, 404)
    assert nurse.post(f"/access/keys/{held['north']}/revoke/").status_code == 404
    with begin(machine("x", "access.read")) as session:
        for ask in (lambda: store.api_keys(session), lambda: store.api_key(session, held["north"])):
            with pytest.raises(NotAllowed):
                ask()


def test_the_first_lock_holds_with_row_level_security_off(held: dict[str, int]) -> None:
    client, by = signed_in("north-boss"), boss_of_the_north()
    with begin(machine("test", "*"), role="khien_owner") as session:
        session.execute("ALTER TABLE api_key DISABLE ROW LEVEL SECURITY")
    with begin(by) as session:
        assert [k["name"] for k in store.api_keys(session)] == ["System north"]
        with pytest.raises(NotFound):
            store.api_key(session, held["south"])
    assert "System south" not in page(client, "/access/keys/") + page(client, "/access/keys.csv")
    page(client, f"/access/keys/{held['south']}/", 404)
    page(client, f"/access/accounts/{number_of('south-nurse')}/keys/new/", 404)
    assert client.post(f"/access/keys/{held['south']}/revoke/").status_code == 404
    with pytest.raises(NotFound):
        actions.revoke_api_key(by=by, key_id=held["south"])
    post = posts(number_of("south-nurse"))[1][0].assignment_id
    with pytest.raises(NotFound):
        actions.add_api_key(by=by, assignment_id=post, name="Far", expires_on=LAST)
    assert not any(k["revoked"] for k in _all())
    # A key of somebody who also serves further out is a wider administrator's business.
    actions.assign_role(by=ADMIN, username="north-nurse", role="auditor")
    with begin(by) as session:
        assert store.api_keys(session) == []
    with pytest.raises(NotFound):
        actions.revoke_api_key(by=by, key_id=held["north"])


def test_the_second_lock_holds_for_somebody_to_whom_python_forbids_nothing(held: dict[str, int]) -> None:
    area = f"{{[{NORTH},{NORTH}]}}"
    anyone = Actor(number_of("north-boss"), "Anyone", "administration", frozenset({"*"}), area)
    nobody = Actor(number_of("north-boss"), "No purpose", "", frozenset({"*"}), area)
    south = posts(number_of("south-nurse"))[1][0].assignment_id
    with begin(nobody) as session:
        assert session.rows("SELECT id FROM api_key") == []
    with begin(anyone) as session:
        assert [k["id"] for k in session.rows("SELECT id FROM api_key")] == [held["north"]]
        assert session.execute("UPDATE api_key SET revoked = true WHERE id = %(id)s", id=held["south"]) == 0
        assert session.execute("DELETE FROM api_key WHERE id = %(id)s", id=held["south"]) == 0
        for statement in (
            "UPDATE api_key SET assignment_id = %(south)s",
            "INSERT INTO api_key (assignment_id, name, digest, created_at, expires_on, revoked, purpose)"
            " VALUES (%(south)s, 'Far', 'x', now(), '2100-01-01', false, '')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), session.connection.transaction():
                session.execute(statement, south=south)


def test_the_days_of_a_post_are_changed_but_none_outside_the_own_area_opens_again(administrators: None) -> None:
    by, nurse = boss_of_the_north(), number_of("north-nurse")
    (post,) = (p.assignment_id for p in posts(nurse)[1])
    boss = signed_in("boss")
    at = f"/access/accounts/{nurse}/post/{post}/"
    boss.post(at, {"first_day": "1/1/2100", "last_day": ""})
    assert posts(nurse)[1] == [] and 'value="01/01/2100"' in page(boss, f"/access/accounts/{nurse}/")
    seen = {"first_was": "1/1/2100", "last_was": ""}
    for wrong, box in (({"last_day": "1/1/2099"}, "last"), ({"first_day": "31/2/2100"}, "first")):
        refused = boss.post(at, seen | {"first_day": "1/1/2100", "last_day": ""} | wrong)
        shown = refused.content.decode()
        assert refused.status_code == 422 and f'id="{box}-{post}-error"' in shown
        assert f'value="{next(iter(wrong.values()))}"' in shown and 'name="first_was" value="1/1/2100"' in shown
    boss.post(at, seen | {"first_day": "1/1/2001", "last_day": "31/12/2099"})
    assert [p.assignment_id for p in posts(nurse)[1]] == [post]

    wide = actions.assign_role(by=ADMIN, username="north-nurse", role="auditor")
    actions.change_days(by=ADMIN, assignment_id=wide, first_day=None, last_day=dt.date(2020, 1, 1))
    actions.change_days(by=by, assignment_id=post, first_day=None, last_day=None)  # it has ended: theirs again
    with pytest.raises(NotFound):
        actions.change_days(by=by, assignment_id=wide, first_day=None, last_day=None)
    with pytest.raises(BadInput):
        actions.change_days(by=by, assignment_id=post, first_day=LAST, last_day=dt.date(2020, 1, 1))
    assert [p.assignment_id for p in posts(nurse)[1]] == [post]
    own = page(signed_in("north-boss"), f"/access/accounts/{nurse}/")
    assert f'id="last-{post}"' in own and f'id="last-{wide}"' not in own


def test_a_page_that_shows_old_days_does_not_open_a_post_again(administrators: None) -> None:
    nurse, boss = number_of("north-nurse"), signed_in("boss")
    (post,) = (p.assignment_id for p in posts(nurse)[1])
    actions.change_days(by=ADMIN, assignment_id=post, first_day=None, last_day=dt.date(2020, 1, 1))
    at = f"/access/accounts/{nurse}/post/{post}/"
    stale = boss.post(at, {"first_day": "1/1/2019", "first_was": "", "last_day": "", "last_was": ""}, follow=True)
    assert "changed meanwhile" in stale.content.decode() and 'value="01/01/2020"' in stale.content.decode()
    assert posts(nurse)[1] == []
    boss.post(at, {"first_day": "", "first_was": "", "last_day": "", "last_was": "01/01/2020"})
    assert [p.assignment_id for p in posts(nurse)[1]] == [post]
    with begin(machine("test", "*")) as session:
        told = session.value(
            "SELECT detail FROM access_log WHERE action = 'account.days' ORDER BY at DESC, lane, seq LIMIT 1"
        )
    assert (told["last_was"], told["last"]) == ("2020-01-01", None)


def test_the_list_says_open_of_a_key_that_opens_alone(held: dict[str, int]) -> None:
    nurse = number_of("north-nurse")
    (post,) = (p.assignment_id for p in posts(nurse)[1])
    secret = actions.add_api_key(by=ADMIN, assignment_id=post, name="Used", purpose="data-correction", expires_on=LAST)

    def state() -> object:
        keys._known.clear()
        found = next(k for k in _all() if k["name"] == "Used")
        assert (keys.actor_of_key(secret) is not None) == (found["state"] == "open")
        if found["state"] != "open":
            assert found["last_used_on"] is None
        return found["state"]

    actions.change_days(by=ADMIN, assignment_id=post, first_day=None, last_day=dt.date(2020, 1, 1))
    assert state() == "no-post"
    actions.change_days(by=ADMIN, assignment_id=post, first_day=LAST, last_day=None)
    assert state() == "no-post"
    actions.change_days(by=ADMIN, assignment_id=post, first_day=None, last_day=None)
    actions.disable_account(by=ADMIN, username="north-nurse")
    assert state() == "suspended"
    actions.disable_account(by=ADMIN, username="north-nurse", active=True)
    with begin(ADMIN) as session:
        session.execute("UPDATE assignment SET purposes = '[\"vaccination\"]' WHERE id = %(post)s", post=post)
    assert state() == "no-purpose"
    with begin(ADMIN) as session:
        session.execute("UPDATE assignment SET purposes = '[\"data-correction\"]' WHERE id = %(post)s", post=post)
    assert "account.api_key_used" not in logged()
    assert state() == "open"
    assert next(k for k in _all() if k["name"] == "Used")["last_used_on"] is not None
    assert "account.api_key_used" in logged()
    assert "Used" in page(signed_in("boss"), f"/access/accounts/{nurse}/")


def test_no_key_for_the_own_account_nor_for_a_post_that_has_ended(administrators: None) -> None:
    by, own = boss_of_the_north(), number_of("north-boss")
    with pytest.raises(Refused):
        actions.add_api_key(by=by, assignment_id=posts(own)[1][0].assignment_id, name="Mine", expires_on=LAST)
    client = signed_in("north-boss")
    assert "keys/new/" not in page(client, f"/access/accounts/{own}/")
    answer = client.get(f"/access/accounts/{own}/keys/new/", follow=True)
    assert answer.redirect_chain == [(f"/access/accounts/{own}/", 302)]
    (post,) = (p.assignment_id for p in posts(number_of("north-nurse"))[1])
    actions.change_days(by=ADMIN, assignment_id=post, first_day=None, last_day=dt.date(2020, 1, 1))
    with pytest.raises(BadInput) as caught:
        actions.add_api_key(by=ADMIN, assignment_id=post, name="Late", expires_on=LAST)
    assert [f.field for f in caught.value.faults] == ["post"]
    assert _all() == []


def _all() -> list[dict[str, object]]:
    with begin(ADMIN) as session:
        return store.api_keys(session)
