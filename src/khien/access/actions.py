"""Every write of access: opening a person by a card, accounts and what they serve as, retention of the log.

Accounts belong to Django's ORM: those writes and their log rows share one transaction on Django's own connection.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from khien.access.keys import digest_of, one_time_password
from khien.access.roles import opening, roles
from khien.access.store import ACCOUNTS, SQL
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, begin, joined
from khien.core.text import nfc

if TYPE_CHECKING:
    from khien.access.models import Account, Agency

_USERNAME = re.compile(r"[\w.@+-]{1,150}")  # as Django's own forms ask


def open_by_card(*, by: Actor, number: str, name: str | None = None, birth_date: dt.date | None = None) -> int:
    """Open the person whose card was held out, wherever they live, for some hours. Returns the person_id.

    `number` (normalised, as in `identifier`) must be exact, and so must the name (compared folded) and the birth date,
    of which at least one is given. Raises NotFound when anything does not match: a near miss looks like an absence,
    and so does everything after too many of them.
    """
    by.must("person.open")
    with begin(by) as session:
        hours, misses = opening(session.today)
        person_id = session.value(
            SQL.open_by_card, number=number, named=name, born=birth_date, hours=hours, misses=misses
        )
    # After the commit, so that a guess stays in the log.
    if person_id is None:
        raise NotFound
    return int(person_id)


def open_own_record(*, by: Actor, username: str, person_id: int) -> None:
    """Show a citizen's account its own record, without end. Raises NotFound for a person `by` does not see."""
    by.must("account.manage")
    account = _account(username)
    with begin(by) as session:
        if not session.value(SQL.open_own_record, person_id=person_id, account_id=account.pk):
            raise NotFound
        session.log("account.own_record", [person_id], account=account.pk)


def add_agency(*, by: Actor, code: str, name: str, kind: str, unit_id: int | None = None) -> int:
    """A new agency. Raises BadInput by field. Returns its id."""
    by.must("account.manage")
    from khien.access.models import Agency

    with _orm(by) as session:
        if not session.value(ACCOUNTS.within, unit=_unit(session, unit_id)):
            raise _fault("unit", N_("The agency lies outside your own area."))
        agency = Agency(code=code, name=nfc(name), kind=kind, unit_id=unit_id)
        _save(session, agency, "account.agency", lambda: {"agency": agency.pk})
    return int(agency.pk)


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
    with _orm(by) as session:
        _save(session, account, "account.add", lambda: {"account": account.pk})
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
    with _orm(by) as session:
        made = add_account(by=by, username=username, name=name, password=word, email=email, language=language)
        account = Account.objects.get(pk=made)
        account.one_time_password = True
        account.save()
        _assign(session, account, role, agency, unit_id, purposes, valid_from, valid_until)
    return word


def set_password(*, by: Actor, username: str, password: str) -> None:
    """Give an account a new password. Raises NotFound, BadInput."""
    by.must("account.manage")
    account = _account(username)
    account.one_time_password = False
    _set_password(account, password)
    with _orm(by) as session:
        _managed(session, account)
        _save(session, account, "account.password", lambda: {"account": account.pk})


def issue_password(*, by: Actor, username: str) -> str:
    """A one-time password in place of the old one, returned here once: it opens nothing but the choice of another.

    Raises NotFound, Refused for the own account.
    """
    by.must("account.manage")
    account, word = _account(username), one_time_password()
    account.one_time_password = True
    _set_password(account, word)
    with _orm(by) as session:
        _managed(session, account, other=True)
        _save(session, account, "account.password", lambda: {"account": account.pk})
    return word


def reset_second_factor(*, by: Actor, username: str) -> None:
    """Forget the authenticator app, passkeys and recovery codes of an account whose owner lost them.

    Raises NotFound, Refused for the own account.
    """
    by.must("account.manage")
    from allauth.mfa.models import Authenticator

    account = _account(username)
    with _orm(by) as session:
        _managed(session, account, other=True)
        gone, _each = Authenticator.objects.filter(user=account).delete()
        session.log("account.second_factor_reset", account=account.pk, entries=gone)


def disable_account(*, by: Actor, username: str, active: bool = False) -> None:
    """Let an account sign in no more, from its next request on (or again). It stays, because the log names it.

    Raises NotFound, Refused for the own account.
    """
    by.must("account.manage")
    account = _account(username)
    account.is_active = active
    with _orm(by) as session:
        _managed(session, account, other=True)
        _save(session, account, "account.enable" if active else "account.disable", lambda: {"account": account.pk})


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
    account = _account(username)
    with _orm(by) as session:
        _managed(session, account, other=True)
        return _assign(session, account, role, agency, unit_id, purposes, valid_from, valid_until)


def _assign(
    session: Session, account: Account, role: str, agency: str | None, unit_id: int | None, purposes: Sequence[str],
    valid_from: dt.date | None, valid_until: dt.date | None,
) -> int:  # fmt: skip
    from khien.access.models import Agency, Assignment

    known = roles(session.today).get(role)
    if known is None:
        raise _fault("role", N_("There is no role {role}."), role=role)
    for purpose in purposes:
        if purpose not in known.purposes:
            raise _fault("purposes", N_("The role does not serve the purpose {purpose}."), purpose=purpose)
    served = Agency.objects.filter(code=agency).first() if agency else None
    if agency and served is None:
        raise _fault("agency", N_("There is no agency {agency}."), agency=agency)
    if valid_from and valid_until and valid_until < valid_from:
        raise _fault("valid_until", N_("The last day lies before the first."))
    if not session.value(ACCOUNTS.within, unit=_unit(session, unit_id)):
        raise _fault("unit", N_("The post lies outside your own area."))
    if served is not None and not session.value(ACCOUNTS.within, unit=served.unit_id):
        raise _fault("agency", N_("The agency lies outside your own area."))
    assignment = Assignment(
        account=account, role=role, agency=served, unit_id=unit_id, purposes=list(purposes), valid_from=valid_from,
        valid_until=valid_until,
    )  # fmt: skip
    _save(
        session, assignment, "account.assign",
        lambda: {"account": account.pk, "role": role, "unit": unit_id, "assignment": assignment.pk},
    )  # fmt: skip
    return int(assignment.pk)


def end_assignment(*, by: Actor, assignment_id: int, last_day: dt.date) -> None:
    """Let an assignment end with `last_day`. Raises NotFound, Refused for one of the own posts."""
    by.must("account.manage")
    from khien.access.models import Assignment

    assignment = Assignment.objects.filter(pk=assignment_id).first()
    if assignment is None:
        raise NotFound
    assignment.valid_until = last_day
    with _orm(by) as session:
        _managed(session, assignment.account, other=True)
        _save(
            session,
            assignment,
            "account.unassign",
            lambda: {"assignment": assignment.pk, "account": assignment.account_id},
        )


def add_api_key(*, by: Actor, assignment_id: int, name: str, expires_on: dt.date) -> str:
    """A key with which another system acts in one post of an account until a day (included). Shown here once.

    Raises NotFound for an unknown assignment.
    """
    by.must("account.manage")
    from khien.access.models import ApiKey, Assignment

    assignment = Assignment.objects.filter(pk=assignment_id).first()
    if assignment is None:
        raise NotFound
    secret = f"khien_{secrets.token_urlsafe(32)}"
    key = ApiKey(assignment=assignment, name=nfc(name), digest=digest_of(secret), expires_on=expires_on)
    with _orm(by) as session:
        _managed(session, assignment.account)
        _save(session, key, "account.api_key", lambda: {"key": key.pk, "assignment": assignment_id})
    return secret


def revoke_api_key(*, by: Actor, key_id: int) -> None:
    """Let a key open nothing any more, at the latest some seconds from now. Raises NotFound."""
    by.must("account.manage")
    from khien.access.models import ApiKey

    key = ApiKey.objects.filter(pk=key_id).first()
    if key is None:
        raise NotFound
    key.revoked = True
    with _orm(by) as session:
        _managed(session, key.assignment.account)
        _save(session, key, "account.api_key_revoked", lambda: {"key": key.pk})


def drop_months(*, by: Actor, before: dt.date) -> list[dict[str, Any]]:
    """Drop the months of the access log that end before the month of `before`; the chain keeps the proof.

    Returns partition and number of entries of each. Raises Refused for the current month and later ones.
    """
    by.must("access.retain")
    with begin(by, role="khien_owner") as session:
        if before > session.value("SELECT (now() AT TIME ZONE 'UTC')::date"):
            raise Refused(N_("The current month of the access log cannot be dropped."), rule="current_month")
        return session.rows(SQL.retain, before=before)


@contextmanager
def _orm(by: Actor) -> Iterator[Session]:
    """A transaction for the ORM's writes with a session in it, so that record and log row are both there or neither."""
    from django.db import connection, transaction

    with transaction.atomic(), joined(connection.connection, by, on_commit=transaction.on_commit) as session:
        yield session


def _account(username: str) -> Account:
    from khien.access.models import Account

    found = Account.objects.filter(username=nfc(username)).first()
    if found is None:
        raise NotFound(N_("There is no account {username}."), username=username)
    return found


def _managed(session: Session, account: Account, *, other: bool = False) -> None:
    """Raise NotFound unless every post of the account lies inside the actor's area: who could set the password of a
    wider account would have its rights. With `other` also Refused for the actor's own account."""
    if other and session.actor.account_id == account.pk:
        raise Refused(N_("Nobody changes the rights of their own account."), rule="own_role")
    if not session.value(ACCOUNTS.managed, account=account.pk, today=session.today):
        raise NotFound(N_("There is no account {username}."), username=account.username)


def _unit(session: Session, unit_id: int | None) -> int | None:
    if unit_id is not None and not session.value("SELECT true FROM unit WHERE unit_id = %(unit)s", unit=unit_id):
        raise _fault("unit", N_("There is no unit {unit}."), unit=unit_id)
    return unit_id


def _fault(field: str, message: str, **params: Any) -> BadInput:
    return BadInput(message, faults=(Fault(field, message, params=params),), **params)


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


def _save(session: Session, record: Account | Agency | Any, action: str, detail: Any) -> None:
    """Check and save one ORM record, and log it. Raises BadInput with a fault a field."""
    from django.core.exceptions import ValidationError

    try:
        record.full_clean(exclude=["password"] if hasattr(record, "password") else None)
    except ValidationError as wrong:
        faults = tuple(Fault(field, text) for field, texts in wrong.message_dict.items() for text in texts)
        raise BadInput(N_("The entry is not right."), faults=faults) from wrong
    record.save()
    session.log(action, **detail())
