"""Accounts, the posts they serve in, passwords and second factors."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from khien.access.keys import one_time_password
from khien.access.roles import roles
from khien.access.store import ACCOUNTS
from khien.access.writing import account_named, at_field, known_unit, managed, save, steady, writing
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session
from khien.core.text import nfc

if TYPE_CHECKING:
    from khien.access.models import Account, Assignment

_PASSWORD = ("password", "one_time_password")
_USERNAME = re.compile(r"[\w.@+-]{1,150}")  # as Django's own forms ask


def add_account(
    *, by: Actor, username: str, name: str, password: str | None, email: str = "", language: str = "vi"
) -> int:
    """A new account, with no rights yet. Without a password only single sign-on or a passkey leads in.

    Raises BadInput by field, also where the password is too weak. Returns the account's id.
    """
    by.must("account.manage")
    from khien.access.models import Account

    if not _USERNAME.fullmatch(nfc(username)):
        message = N_("A user name has only letters, digits and @ . + - _, and no spaces.")
        raise BadInput(message, faults=(Fault("username", message),))
    account = Account(username=nfc(username), name=nfc(name), email=email, language=language)
    _set_password(account, password)
    with writing(by) as session:
        save(session, account, "account.add", lambda: {"account": account.pk})
    return int(account.pk)


def add_officer(
    *,
    by: Actor,
    username: str,
    name: str,
    role: str,
    email: str = "",
    language: str = "vi",
    agency: str | None = None,
    unit_id: int | None = None,
    purposes: Sequence[str] = (),
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
) -> str:
    """An account with its first post, both or neither. Returns its one-time password, shown here once.

    Raises BadInput by field, also for a unit or an agency outside the area of `by`.
    """
    by.must("account.manage")
    from khien.access.models import Account

    word = one_time_password()
    with writing(by) as session:
        made = add_account(by=by, username=username, name=name, password=word, email=email, language=language)
        account = Account.objects.get(pk=made)
        account.one_time_password = True
        account.save()
        _assign(session, account, role, agency, unit_id, purposes, valid_from, valid_until)
    return word


def set_password(*, by: Actor, username: str, password: str) -> None:
    """Give an account a new password. Raises NotFound, BadInput."""
    by.must("account.manage")
    with writing(by) as session:
        account = account_named(username)
        managed(session, account)
        account.one_time_password = False
        _set_password(account, password)
        save(session, account, "account.password", lambda: {"account": account.pk}, only=_PASSWORD)


def issue_password(*, by: Actor, username: str) -> str:
    """A one-time password in place of the old one, returned here once: it opens nothing but the choice of another.

    Raises NotFound, Refused for the own account.
    """
    by.must("account.manage")
    word = one_time_password()
    with writing(by) as session:
        account = account_named(username)
        managed(session, account, other=True)
        account.one_time_password = True
        _set_password(account, word)
        save(session, account, "account.password", lambda: {"account": account.pk}, only=_PASSWORD)
    return word


def reset_second_factor(*, by: Actor, username: str) -> None:
    """Forget the authenticator app, passkeys and recovery codes of an account whose owner lost them.

    Raises NotFound, Refused for the own account.
    """
    by.must("account.manage")
    from allauth.mfa.models import Authenticator

    with writing(by) as session:
        account = account_named(username)
        managed(session, account, other=True)
        gone, _each = Authenticator.objects.filter(user=account).delete()
        session.log("account.second_factor_reset", account=account.pk, entries=gone)


def disable_account(*, by: Actor, username: str, active: bool = False) -> None:
    """Let an account sign in no more, from its next request on (or again). It stays, because the log names it.

    Raises NotFound, Refused for the own account.
    """
    by.must("account.manage")
    with writing(by) as session:
        account = account_named(username)
        managed(session, account, other=True)
        account.is_active = active
        action = "account.enable" if active else "account.disable"
        save(session, account, action, lambda: {"account": account.pk}, only=("is_active",))


def assign_role(
    *,
    by: Actor,
    username: str,
    role: str,
    agency: str | None = None,
    unit_id: int | None = None,
    purposes: Sequence[str] = (),
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
) -> int:
    """Let an account serve as `role` for an agency (its code) within a unit (None: the nation). Returns its id.

    Raises NotFound for an unknown account, BadInput by field, also for a unit or an agency outside the area of `by`,
    Refused where `by` would give itself a role.
    """
    by.must("account.manage")
    with writing(by) as session:
        account = account_named(username)
        managed(session, account, other=True)
        return _assign(session, account, role, agency, unit_id, purposes, valid_from, valid_until)


def _assign(
    session: Session, account: Account, role: str, agency: str | None, unit_id: int | None, purposes: Sequence[str],
    valid_from: dt.date | None, valid_until: dt.date | None,
) -> int:  # fmt: skip
    from khien.access.models import Agency, Assignment

    known = roles(session.today).get(role)
    if known is None:
        raise at_field("role", N_("There is no role {role}."), role=role)
    for purpose in purposes:
        if purpose not in known.purposes:
            raise at_field("purposes", N_("The role does not serve the purpose {purpose}."), purpose=purpose)
    served = Agency.objects.filter(code=agency).first() if agency else None
    if agency and served is None:
        raise at_field("agency", N_("There is no agency {agency}."), agency=agency)
    served = steady(session, served.pk) if served else None
    if not session.value(ACCOUNTS.within, unit=known_unit(session, unit_id)):
        raise at_field("unit", N_("The post lies outside your own area."))
    if served is not None and not session.value(ACCOUNTS.within, unit=served.unit_id):
        raise at_field("agency", N_("The agency lies outside your own area."))
    assignment = Assignment(
        account=account, role=role, agency=served, unit_id=unit_id, purposes=list(purposes), valid_from=valid_from,
        valid_until=valid_until,
    )  # fmt: skip
    _check_days(assignment)
    save(
        session, assignment, "account.assign",
        lambda: {"account": account.pk, "role": role, "unit": unit_id, "assignment": assignment.pk},
    )  # fmt: skip
    return int(assignment.pk)


def change_days(
    *,
    by: Actor,
    assignment_id: int,
    first_day: dt.date | None,
    last_day: dt.date | None,
    was: tuple[dt.date | None, dt.date | None] | None = None,
) -> None:
    """Let a post hold from one day to another, both included; None is open. `was`: the days that `by` saw before.

    Raises NotFound, also for a post outside the area of `by`, Refused for one of the own posts and where the days are
    others by now, BadInput by field.
    """
    by.must("account.manage")
    from khien.access.models import Assignment

    with writing(by) as session:
        found = Assignment.objects.filter(pk=assignment_id).first()
        if found is None:
            raise NotFound
        agency = steady(session, found.agency_id) if found.agency_id is not None else None  # a post stays in its agency
        assignment = Assignment.objects.select_for_update().get(pk=assignment_id)
        managed(session, assignment.account, other=True)
        if not session.value(ACCOUNTS.within, unit=assignment.unit_id):  # one that ended: it must not open again
            raise NotFound
        held = (assignment.valid_from, assignment.valid_until)
        if was is not None and was != held:
            raise Refused(
                N_("The days of this post were changed meanwhile. Look at them before you set others."),
                rule="changed_meanwhile",
            )  # fmt: skip
        assignment.valid_from, assignment.valid_until, assignment.agency = first_day, last_day, agency
        _check_days(assignment)
        first, last, first_was, last_was = (day and str(day) for day in (first_day, last_day, *held))
        save(
            session, assignment, "account.days",
            lambda: {
                "assignment": assignment.pk, "account": assignment.account_id, "first": first, "last": last,
                "first_was": first_was, "last_was": last_was,
            },
            only=("valid_from", "valid_until"),
        )  # fmt: skip


def _check_days(assignment: Assignment) -> None:
    """No post ends before it begins, none goes on after its agency."""
    first, last, agency = assignment.valid_from, assignment.valid_until, assignment.agency
    if first and last and last < first:
        raise at_field("valid_until", N_("The last day lies before the first."))
    if agency is not None and agency.valid_until is not None and (last is None or last > agency.valid_until):
        message = N_("The agency {agency} works until {day} only.")
        raise at_field("valid_until", message, agency=agency.name, day=agency.valid_until)


def _set_password(account: Account, password: str | None) -> None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    if password is not None:
        try:
            validate_password(password, account)
        except ValidationError as wrong:
            raise BadInput(
                N_("The password is too weak."), faults=tuple(Fault("password", m) for m in wrong.messages)
            ) from wrong
    account.set_password(password)
