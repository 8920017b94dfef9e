"""What all writes of accounts, agencies and keys share. They belong to the ORM: a write and its log row share one
transaction on Django's own connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from khien.access.store import ACCOUNTS, AGENCIES
from khien.core.actor import Actor
from khien.core.errors import BadInput, Fault, NotFound, Refused
from khien.core.i18n import N_
from khien.core.session import Session, joined
from khien.core.text import nfc

if TYPE_CHECKING:
    from django.db.models import Model

    from khien.access.models import Account, Agency


@contextmanager
def writing(by: Actor) -> Iterator[Session]:
    """A transaction for the ORM's writes with a session in it, so that record and log row are both there or neither."""
    from django.db import connection, transaction

    with transaction.atomic(), joined(connection.connection, by, on_commit=transaction.on_commit) as session:
        yield session


def account_named(username: str) -> Account:
    """The account, locked until the transaction ends. Raises NotFound."""
    from khien.access.models import Account

    found = Account.objects.select_for_update().filter(username=nfc(username)).first()
    if found is None:
        raise NotFound(N_("There is no account {username}."), username=username)
    return found


def managed(session: Session, account: Account, *, other: bool = False) -> None:
    """Raise NotFound unless every post of the account lies inside the actor's area: who could set the password of a
    wider account would have its rights. With `other` also Refused for the actor's own account."""
    if other and session.actor.account_id == account.pk:
        raise Refused(N_("Nobody changes the rights of their own account."), rule="own_role")
    if not session.value(ACCOUNTS.managed, account=account.pk, today=session.today):
        raise NotFound(N_("There is no account {username}."), username=account.username)


def steady(session: Session, agency_id: int) -> Agency:
    """An agency that neither closes nor gets or loses a post until the transaction ends, also one outside the actor's
    area, which row-level security hides from FOR UPDATE. Raises DoesNotExist."""
    from khien.access.models import Agency

    session.execute(AGENCIES.stand_in_line, agency=agency_id)
    return Agency.objects.get(pk=agency_id)


def known_unit(session: Session, unit_id: int | None) -> int | None:
    if unit_id is not None and not session.value("SELECT true FROM unit WHERE unit_id = %(unit)s", unit=unit_id):
        raise at_field("unit", N_("There is no unit {unit}."), unit=unit_id)
    return unit_id


def at_field(field: str, message: str, **params: Any) -> BadInput:
    return BadInput(message, faults=(Fault(field, message, params=params),), **params)


def save(
    session: Session, record: Model, action: str, detail: Callable[[], dict[str, Any]], *, only: Sequence[str] = ()
) -> None:
    """Check and save one ORM record, and log it. `only`: these fields alone are written (else all), so that what others
    write meanwhile stays. Raises BadInput with a fault a field."""
    from django.core.exceptions import ValidationError

    try:
        record.full_clean(exclude=["password"] if hasattr(record, "password") else None)
    except ValidationError as wrong:
        faults = tuple(Fault(field, text) for field, texts in wrong.message_dict.items() for text in texts)
        raise BadInput(N_("The entry is not right."), faults=faults) from wrong
    record.save(update_fields=only or None)
    session.log(action, **detail())
