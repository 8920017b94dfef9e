"""Sign-ins, sign-outs, failed attempts and changes of the own password go into the access log."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from khien.core.actor import Actor, machine
from khien.core.session import begin


class AccessConfig(AppConfig):
    name = "khien.access"
    verbose_name = _("Accounts and agencies")

    def ready(self) -> None:
        from allauth.account.signals import password_changed
        from django.contrib.auth import signals

        signals.user_logged_in.connect(_signed_in, dispatch_uid="khien-signed-in")
        signals.user_logged_out.connect(_signed_out, dispatch_uid="khien-signed-out")
        password_changed.connect(_password_chosen, dispatch_uid="khien-password-chosen")
        signals.user_login_failed.connect(_failed, dispatch_uid="khien-sign-in-failed")


def _log(account: Any, action: str) -> None:
    if account is not None:
        with begin(Actor(account.pk, account.name, "administration", frozenset())) as session:
            session.log(action)


def _signed_in(user: Any = None, **rest: Any) -> None:
    _log(user, "account.sign_in")


def _signed_out(user: Any = None, **rest: Any) -> None:
    _log(user, "account.sign_out")


def _password_chosen(user: Any = None, **rest: Any) -> None:
    """The owner alone knows the password now, and the account opens what its posts open."""
    from khien.access.store import ACCOUNTS

    with begin(Actor(user.pk, user.name, "administration", frozenset())) as session:
        session.execute(ACCOUNTS.password_chosen, account=user.pk)
        session.log("account.password_chosen")


def _failed(**rest: Any) -> None:
    # Without the name that was typed: people type passwords and identity numbers there.
    with begin(machine("administration")) as session:
        session.log("account.sign_in_failed")
