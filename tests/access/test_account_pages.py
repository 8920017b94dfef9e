"""The administrator's pages: making an account, its posts, passwords, second factors; and what an area keeps out."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from khien.access import actions, store
from khien.access.actor import posts
from khien.access.store import Sought
from khien.core.actor import machine
from khien.core.errors import BadInput, NotAllowed, NotFound, Refused
from khien.core.session import begin
from tests.access.administrators import OWN, accounts, boss_of_the_north, logged, number_of
from tests.pages import ADMIN, page, signed_in
from tests.register import NORTH, SOUTH


def test_an_account_is_made_with_its_post_and_opens_nothing_before_another_password(administrators: None) -> None:
    boss = signed_in("boss")
    assert 'href="/access/accounts/"' in page(boss, "/")
    assert "one-time password" in page(boss, "/access/accounts/new/")
    given = {
        "username": "lan", "name": "Lan", "language": "en", "role": "administrator", "unit": str(NORTH),
        "valid_from": "1/1/2021",
    }  # fmt: skip
    answer = boss.post("/access/accounts/new/", given)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    word = re.search(r"<code>([a-z2-9-]+)</code>", answer.content.decode()).group(1)  # type: ignore[union-attr]
    assert word not in page(boss, f"/access/accounts/{number_of('lan')}/")

    lan = Client(SERVER_NAME="localhost")
    entered = lan.post(reverse("account_login"), {"login": "lan", "password": word})
    change = reverse("account_change_password")
    assert entered.headers["Location"] == change
    assert lan.get("/access/accounts/").headers["Location"] == change
    assert "given to you by somebody else" in page(lan, "/account/")
    assert lan.post(change, {"oldpassword": word, "password1": OWN, "password2": OWN}).status_code == 302
    assert "Lan" in page(lan, "/access/accounts/")
    assert "account.password_chosen" in logged()


def test_what_is_wrong_is_shown_at_its_field_and_nothing_is_half_made(administrators: None) -> None:
    boss = signed_in("boss")
    right = {"username": "lan", "name": "Lan", "language": "en", "role": "vaccinator", "unit": str(NORTH)}
    for wrong, said in (
        ({"unit": ""}, "tick the whole country"),
        ({"nation": "on"}, "not both"),
        ({"unit": "Nowhere"}, "There is no administrative unit Nowhere"),
        ({"username": "boss"}, "already exists"),
        ({"purposes": ["residence"]}, "The role does not serve the purpose residence."),
        ({"valid_from": "2/1/2021", "valid_until": "1/1/2021"}, "The last day lies before the first."),
    ):
        answer = boss.post("/access/accounts/new/", right | wrong)
        assert answer.status_code == 422 and said in answer.content.decode(), wrong
    assert not accounts().filter(username="lan").exists()


def test_accounts_are_found_by_name_state_role_and_area_and_stand_in_a_file(administrators: None) -> None:
    boss = signed_in("boss")
    actions.disable_account(by=ADMIN, username="south-nurse")
    for asked, found in (
        ("", {"boss", "north-boss", "north-nurse", "south-nurse", "idle"}),
        ("?q=NURSE", {"north-nurse", "south-nurse"}),
        ("?state=suspended", {"south-nurse"}),
        ("?role=administrator", {"boss", "north-boss"}),
        (f"?unit={NORTH}", {"north-boss", "north-nurse"}),
        ("?q=%25", set()),
    ):
        lines = boss.get(f"/access/accounts.csv{asked}").content.decode("utf-8-sig").splitlines()[1:]
        assert {line.split(",")[0] for line in lines} == found, asked
        shown = page(boss, f"/access/accounts/{asked}")
        assert all(name in shown for name in found)
    page(boss, "/access/accounts/?unit=Nowhere", 422)
    page(boss, "/access/accounts/?page=999999")
    page(signed_in("north-nurse"), "/access/accounts/", 404)
    page(signed_in("north-nurse"), "/access/accounts.csv", 404)


def test_a_post_is_given_and_ended_and_an_account_suspended_and_let_in_again(administrators: None) -> None:
    boss, nurse = signed_in("boss"), number_of("north-nurse")
    at = f"/access/accounts/{nurse}/"
    assert boss.post(f"{at}post/", {"role": "auditor", "nation": "on"}).status_code == 302
    first, second = (p.assignment_id for p in posts(nurse)[1])
    assert boss.post(f"{at}post/{first}/", {"last_day": "1/1/2021"}).status_code == 302
    assert [p.assignment_id for p in posts(nurse)[1]] == [second]
    assert "ended" in page(boss, at)
    assert boss.post(f"{at}post/{second}/", {"last_day": "31/2/2021"}).status_code == 422
    assert len(posts(nurse)[1]) == 1
    other = posts(number_of("south-nurse"))[1][0].assignment_id
    assert boss.post(f"{at}post/{other}/", {"last_day": "1/1/2021"}).status_code == 404
    assert boss.post(f"{at}post/", {"role": "auditor"}).status_code == 422
    boss.post(f"{at}state/", {"active": "no"})
    assert posts(nurse)[1] == []
    boss.post(f"{at}state/", {"active": "yes"})
    assert len(posts(nurse)[1]) == 1
    wanted = ["account.assign", "account.days", "account.disable", "account.enable"]
    assert [a for a in logged() if a in wanted][-4:] == wanted


def test_a_lost_second_factor_is_reset_and_the_rest_of_the_sessions_end(administrators: None) -> None:
    from allauth.mfa.models import Authenticator

    nurse = number_of("north-nurse")
    Authenticator.objects.create(user_id=nurse, type=Authenticator.Type.TOTP, data={"secret": "x"})
    inside, boss = Client(SERVER_NAME="localhost"), signed_in("boss")
    inside.force_login(accounts().get(pk=nurse), "allauth.account.auth_backends.AuthenticationBackend")
    assert "Reset the second factor" in page(boss, f"/access/accounts/{nurse}/")
    assert boss.post(f"/access/accounts/{nurse}/second-factor/").status_code == 302
    assert not Authenticator.objects.filter(user_id=nurse).exists()
    assert "account.second_factor_reset" in logged()
    assert boss.post(f"/access/accounts/{nurse}/password/").status_code == 200
    assert inside.get("/account/").status_code == 302


def test_an_area_s_administrator_neither_sees_nor_touches_what_lies_outside(administrators: None) -> None:
    by, client = boss_of_the_north(), signed_in("north-boss")
    with begin(by) as session:
        seen = {row["username"] for row in store.accounts(session, Sought(), limit=100)}
        assert seen == {"north-boss", "north-nurse"}
        for hidden in ("boss", "south-nurse", "idle"):
            with pytest.raises(NotFound):
                store.account(session, number_of(hidden))
    for hidden in ("boss", "south-nurse", "idle"):
        page(client, f"/access/accounts/{number_of(hidden)}/", 404)
        assert client.post(f"/access/accounts/{number_of(hidden)}/password/").status_code == 404
        for action, more in (
            (actions.set_password, {"password": OWN}),
            (actions.issue_password, {}),
            (actions.reset_second_factor, {}),
            (actions.disable_account, {}),
            (actions.assign_role, {"role": "vaccinator", "unit_id": NORTH}),
        ):
            with pytest.raises(NotFound):
                action(by=by, username=hidden, **more)
    with pytest.raises(NotFound):
        actions.change_days(
            by=by, assignment_id=posts(number_of("boss"))[1][0].assignment_id, first_day=None, last_day=None
        )
    held = posts(number_of("south-nurse"))[1][0].assignment_id
    with pytest.raises(NotFound):
        actions.add_api_key(by=by, assignment_id=held, name="Southern system", expires_on=dt.date(2030, 1, 1))
    with pytest.raises(BadInput):
        actions.add_agency(by=by, code="far", name="Far", kind="station", unit_id=SOUTH)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("unit", {"unit_id": SOUTH}), ("unit", {}), ("agency", {"unit_id": NORTH, "agency": "tram-nam"})],
)
def test_nobody_gives_more_than_their_own_area(administrators: None, field: str, wrong: dict[str, object]) -> None:
    by = boss_of_the_north()
    for attempt in (
        lambda: actions.assign_role(by=by, username="north-nurse", role="vaccinator", **wrong),
        lambda: actions.add_officer(by=by, username="new", name="New", role="vaccinator", **wrong),
    ):
        with pytest.raises(BadInput) as caught:
            attempt()
        assert [f.field for f in caught.value.faults] == [field]
    assert not accounts().filter(username="new").exists()
    actions.add_officer(by=by, username="new", name="New", role="vaccinator", unit_id=NORTH)
    actions.assign_role(by=by, username="new", role="station-head", unit_id=NORTH)
    # Who moves on to serve the nation is no longer an area's to manage.
    actions.assign_role(by=ADMIN, username="new", role="auditor")
    with pytest.raises(NotFound):
        actions.issue_password(by=by, username="new")


def test_the_own_account_is_another_administrators_business(administrators: None) -> None:
    by = boss_of_the_north()
    for attempt in (
        lambda: actions.issue_password(by=by, username="north-boss"),
        lambda: actions.reset_second_factor(by=by, username="north-boss"),
        lambda: actions.disable_account(by=by, username="north-boss"),
        lambda: actions.assign_role(by=by, username="north-boss", role="auditor", unit_id=NORTH),
        lambda: actions.change_days(
            by=by, assignment_id=posts(number_of("north-boss"))[1][0].assignment_id, first_day=None, last_day=None
        ),
    ):
        with pytest.raises(Refused):
            attempt()
    shown = page(signed_in("north-boss"), f"/access/accounts/{number_of('north-boss')}/")
    assert "another administrator" in shown and "New one-time password" not in shown


def test_the_list_is_closed_without_the_permission(administrators: None) -> None:
    with begin(machine("x", "access.read")) as session:
        for ask in (
            lambda: store.accounts(session, Sought(), limit=1),
            lambda: store.account(session, 1),
            lambda: store.agencies(session),
        ):
            with pytest.raises(NotAllowed):
                ask()


def test_an_owner_who_changes_the_password_does_not_undo_a_suspension(administrators: None) -> None:
    from allauth.account.adapter import get_adapter

    stale = accounts().get(username="north-nurse")  # as a request read it that came a moment before
    actions.disable_account(by=ADMIN, username="north-nurse")
    get_adapter().set_password(stale, OWN)
    now = accounts().get(username="north-nurse")
    assert not now.is_active and now.check_password(OWN)
