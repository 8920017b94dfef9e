"""Keys with which other systems act in one post of an account."""

from __future__ import annotations

import datetime as dt
import secrets

from khien.access.keys import digest_of
from khien.access.roles import key_days, roles
from khien.access.rules import purposes_of
from khien.access.writing import at_field, managed, save, writing
from khien.core.actor import Actor
from khien.core.errors import NotFound
from khien.core.i18n import N_
from khien.core.text import nfc


def add_api_key(
    *,
    by: Actor,
    assignment_id: int,
    name: str,
    expires_on: dt.date,
    valid_from: dt.date | None = None,
    purpose: str = "",
) -> str:
    """A key for one post of an account, from one day (none: at once) until another, both included. Shown here once.

    It acts for `purpose`; without one, for the first of its post. Raises NotFound for an unknown post, Refused for one
    of the own posts, because a key asks for no second factor, BadInput by field.
    """
    by.must("account.manage")
    from khien.access.models import ApiKey, Assignment

    assignment = Assignment.objects.filter(pk=assignment_id).first()
    if assignment is None:
        raise NotFound
    secret = f"khien_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        assignment=assignment, name=nfc(name), digest=digest_of(secret), expires_on=expires_on, valid_from=valid_from,
        purpose=purpose,
    )  # fmt: skip
    with writing(by) as session:
        managed(session, assignment.account, other=True)
        first = max(valid_from or session.today, session.today)
        if expires_on < first:
            raise at_field("expires_on", N_("The last day lies before the first."))
        longest = key_days(session.today)
        if expires_on >= first + dt.timedelta(days=longest):
            message = N_("A key lasts {days} days at most. Make another one before it is over.")
            raise at_field("expires_on", message, days=longest)
        if assignment.valid_until is not None and assignment.valid_until < first:
            raise at_field("post", N_("The post has ended by the first day of the key."))
        role = roles(session.today).get(assignment.role)
        if purpose and (role is None or purpose not in purposes_of(role, assignment.purposes)):
            raise at_field("purpose", N_("The post does not serve the purpose {purpose}."), purpose=purpose)
        save(session, key, "account.api_key", lambda: {"key": key.pk, "assignment": assignment_id})
    return secret


def revoke_api_key(*, by: Actor, key_id: int) -> None:
    """Let a key open nothing any more, at the latest some seconds from now; there is no way back. Raises NotFound."""
    by.must("account.manage")
    from khien.access.models import ApiKey

    with writing(by) as session:
        key = ApiKey.objects.select_for_update().filter(pk=key_id).first()
        if key is None:
            raise NotFound
        managed(session, key.assignment.account)
        if not key.revoked:
            key.revoked = True
            save(session, key, "account.api_key_revoked", lambda: {"key": key_id}, only=("revoked",))
