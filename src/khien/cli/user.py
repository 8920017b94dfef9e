"""`khien user`: accounts and what they serve as. A password is asked for or read from standard input."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import click

from khien.access import setup
from khien.cli import language, print_json
from khien.cli._day import Day, DayOrOpen
from khien.core.actor import machine
from khien.core.errors import WrongUsage
from khien.core.i18n import N_, translate


@click.group()
def user() -> None:
    """Accounts: add, list, give a role, disable."""
    setup.ready(language())


def _by() -> Any:
    return machine("administration", "account.manage")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        given = click.prompt(translate(N_("Password"), language()), hide_input=True, confirmation_prompt=True)
    else:
        given = ""
    if not given:
        raise WrongUsage(N_("Give the password on standard input with --password-stdin."))
    return given


@user.command()
@click.argument("username")
@click.option("--name", required=True, help="The person's name.")
@click.option("--email", default="")
@click.option("--language", "tongue", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--no-password", is_flag=True, help="Single sign-on only.")
@click.option("--json", "as_json", is_flag=True)
def add(
    username: str, name: str, email: str, tongue: str, password_stdin: bool, no_password: bool, as_json: bool
) -> None:
    """Make an account. It has no rights until `khien user role` gives it a post."""
    from khien.access import actions

    word = None if no_password else _password(password_stdin)
    made = actions.add_account(by=_by(), username=username, name=name, password=word, email=email, language=tongue)
    _say(as_json, {"account": made, "username": username}, N_("Account {username} is made."), username=username)


@user.command()
@click.argument("username")
@click.argument("role")
@click.option("--unit", help="Official code of the unit; without it the whole nation.")
@click.option("--system", help="System of the code, like VN-2021.")
@click.option("--agency", help="Code of the agency.")
@click.option("--purpose", "purposes", multiple=True, help="Narrow the role to these purposes.")
@click.option("--from", "valid_from", type=Day())
@click.option("--until", "valid_until", type=Day())
@click.option("--json", "as_json", is_flag=True)
def role(
    username: str, role: str, unit: str | None, system: str | None, agency: str | None, purposes: tuple[str, ...],
    valid_from: dt.datetime | None, valid_until: dt.datetime | None, as_json: bool,
) -> None:  # fmt: skip
    """Let an account serve in a role, somewhere, for a while."""
    from khien.access import actions

    made = actions.assign_role(
        by=_by(), username=username, role=role, agency=agency, unit_id=_unit_id(unit, system), purposes=purposes,
        valid_from=valid_from.date() if valid_from else None, valid_until=valid_until.date() if valid_until else None,
    )  # fmt: skip
    _say(as_json, {"assignment": made}, N_("{username} serves as {role} now."), username=username, role=role)


def _day_or_open(context: click.Context, option: click.Parameter, word: str) -> dt.date | None:
    day: dt.datetime | None = None if word == "open" else Day().convert(word, option, context)
    return day.date() if day else None


@user.command()
@click.argument("assignment", type=int)
@click.option("--from", "first", type=DayOrOpen(), required=True, callback=_day_or_open, help="First day.")
@click.option("--until", "last", type=DayOrOpen(), required=True, callback=_day_or_open, help="Last day.")
@click.option("--json", "as_json", is_flag=True)
def days(assignment: int, first: dt.date | None, last: dt.date | None, as_json: bool) -> None:
    """Set the first and the last day of the post ASSIGNMENT (see `khien user list`), each a day or the word open."""
    from khien.access import actions

    actions.change_days(by=_by(), assignment_id=assignment, first_day=first, last_day=last)
    told = {"assignment": assignment, "from": first, "until": last}
    said = N_("The post holds from {first} to {last}, both included; … is open.")
    _say(as_json, told, said, first=first or "…", last=last or "…")


@user.command("own")
@click.argument("username")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True)
def own(username: str, number: str, as_json: bool) -> None:
    """Open to a citizen's account the record of the person with NUMBER, its own."""
    from khien.access import actions
    from khien.core.session import begin
    from khien.population import store

    with begin(machine("user", "person.read")) as session:
        person_id = store.person_id_of(session, number)
    actions.open_own_record(by=_by(), username=username, person_id=person_id)
    _say(as_json, {"opened": True}, N_("{username} sees their own record now."), username=username)


def _unit_id(code: str | None, system: str | None) -> int | None:
    from khien.core.session import begin
    from khien.territory import store

    if code is None:
        return None
    with begin(_by()) as session:
        return int(store.find(session, code, session.today, system)["unit_id"])


@user.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """All accounts and what they serve as today."""
    from khien.access.actor import posts
    from khien.access.models import Account

    rows = [
        {
            "username": a.username, "name": a.name, "active": a.is_active,
            "roles": [
                {"assignment": p.assignment_id, "role": p.role.id, "unit": p.unit, "agency": p.agency}
                for p in posts(a.pk)[1]
            ],
        }
        for a in Account.objects.all()
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    for row in rows:
        served = ", ".join(
            " ".join(filter(None, (f"{r['assignment']}:", r["role"], r["unit"], r["agency"]))) for r in row["roles"]
        )
        click.echo(f"{row['username']}  {row['name']}  {'' if row['active'] else '(off) '}{served}")


@user.command()
@click.argument("username")
@click.option("--enable", is_flag=True, help="The other way round.")
@click.option("--json", "as_json", is_flag=True)
def disable(username: str, enable: bool, as_json: bool) -> None:
    """Let an account sign in no more; it counts from its next request."""
    from khien.access import actions

    actions.disable_account(by=_by(), username=username, active=enable)
    message = N_("Account {username} may sign in.") if enable else N_("Account {username} may not sign in any more.")
    _say(as_json, {"username": username, "active": enable}, message, username=username)


@user.command()
@click.argument("username")
@click.option("--password-stdin", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def password(username: str, password_stdin: bool, as_json: bool) -> None:
    """Set a new password."""
    from khien.access import actions

    actions.set_password(by=_by(), username=username, password=_password(password_stdin))
    _say(as_json, {"username": username}, N_("The password of {username} is set."), username=username)


def _say(as_json: bool, value: dict[str, Any], message: str, **params: Any) -> None:
    if as_json:
        print_json(value)
    else:
        click.echo(translate(message, language(), **params))


@user.group()
def key() -> None:
    """Keys with which other systems use the JSON API in one post of an account."""


@key.command("add")
@click.argument("assignment", type=int)
@click.option("--name", required=True, help="Which system it is for.")
@click.option("--from", "valid_from", type=Day(), help="First day it opens; at once without it.")
@click.option("--until", type=Day(), required=True, help="Last day it opens.")
@click.option("--purpose", default="", help="What it acts for; without it the first purpose of the post.")
@click.option("--json", "as_json", is_flag=True)
def add_key(
    assignment: int, name: str, valid_from: dt.datetime | None, until: dt.datetime, purpose: str, as_json: bool
) -> None:
    """Make a key for ASSIGNMENT (see `khien user list`). It is shown once."""
    from khien.access import actions

    secret = actions.add_api_key(
        by=_by(), assignment_id=assignment, name=name, expires_on=until.date(), purpose=purpose,
        valid_from=valid_from.date() if valid_from else None,
    )  # fmt: skip
    print_json({"key": secret}) if as_json else click.echo(secret)


@key.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_keys(as_json: bool) -> None:
    """All keys, without the keys themselves."""
    from khien.access import store
    from khien.core.session import begin

    with begin(_by()) as session:
        found = store.api_keys(session)
    told = ("id", "name", "assignment_id", "username", "agency", "valid_from", "expires_on", "last_used_on", "revoked")
    rows = [{name: row[name] for name in told} for row in reversed(found)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark, used = "×" if row["revoked"] else " ", row["last_used_on"] or "–"
        agency = f" ({row['agency']})" if row["agency"] else ""
        days = f"{row['valid_from'] or '…'} – {row['expires_on']}"
        click.echo(
            f"{mark} {row['id']}  {row['name']}  {row['assignment_id']} {row['username']}{agency}  {days}  {used}"
        )


@key.command("revoke")
@click.argument("key_id", type=int)
@click.option("--json", "as_json", is_flag=True)
def revoke_key(key_id: int, as_json: bool) -> None:
    """Let a key open nothing any more."""
    from khien.access import actions

    actions.revoke_api_key(by=_by(), key_id=key_id)
    _say(as_json, {"key": key_id, "revoked": True}, N_("Key {key} is revoked."), key=key_id)
