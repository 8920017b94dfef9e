"""The administrator's pages of API keys: which system opens what until when, and when it last did."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from khien.access import actions, store
from khien.access.forms import KeyForm, SoughtKeyForm, take
from khien.access.gate import permission_required
from khien.access.roles import purposes, roles
from khien.access.rules import purposes_of
from khien.access.views import filed, language, listed
from khien.core.errors import BadInput
from khien.core.session import Session, begin


@permission_required("account.manage")
def keys(request: HttpRequest) -> HttpResponse:
    """Keys of the administrator's area, newest first."""
    return listed(request, "access/keys.html", _asked)


@permission_required("account.manage")
def keys_file(request: HttpRequest) -> HttpResponse:
    """The same as CSV, a line a key; the keys themselves are kept nowhere."""
    head = (
        "key", "system", "account", "agency", "unit", "role", "purpose", "first_day", "last_day", "last_use", "state",
    )  # fmt: skip
    told = (
        "id", "name", "username", "agency", "unit", "role", "acts_for", "valid_from", "expires_on", "last_used_on",
        "state",
    )  # fmt: skip
    return filed(request, "api-keys", head, _asked, itemgetter(*told))


@permission_required("account.manage")
def one_key(request: HttpRequest, key_id: int) -> HttpResponse:
    with begin(request.actor) as session:
        key = store.api_key(session, key_id)
        titled(session, [key])
    return render(request, "access/one_key.html", {"key": key})


@never_cache
@permission_required("account.manage")
def new_key(request: HttpRequest, account_id: int) -> HttpResponse:
    """A key that acts in a post of this account. It is in the answer and nowhere else."""
    with begin(request.actor) as session:
        account, today = store.account(session, account_id), session.today
    if account_id == request.user.pk:
        messages.error(request, _("This is your own account: another administrator makes its keys."))
        return redirect("access:one_account", account_id)
    known = roles(today)
    held = {str(p["id"]): p for p in account["every"] if p["open"] and p["role"] in known}
    if not held:
        messages.error(request, _("The account has no post in which a key could act. Assign one first."))
        return redirect("access:one_account", account_id)
    titles = [
        (number, ", ".join(filter(None, (
            known[p["role"]].title.text(language()), p["unit"] or _("the whole country"), p["agency"],
        ))))
        for number, p in held.items()
    ]  # fmt: skip
    served = [purpose for p in held.values() for purpose in purposes_of(known[p["role"]], p["purposes"])]
    form = KeyForm(request.POST or None, posts=titles, served=list(dict.fromkeys(served)), today=today)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            secret = actions.add_api_key(by=request.actor, assignment_id=int(given.pop("post")), **given)
        except BadInput as wrong:
            take(form, wrong)
        else:
            return render(request, "access/key_made.html", {"secret": secret, "name": given["name"]})
    shown = {"form": form, "account": account}
    return render(request, "access/new_key.html", shown, status=422 if form.errors else 200)


@permission_required("account.manage")
@require_POST
def revoke_key(request: HttpRequest, key_id: int) -> HttpResponse:
    with begin(request.actor) as session:
        store.api_key(session, key_id)
    actions.revoke_api_key(by=request.actor, key_id=key_id)
    messages.success(request, _("The key is revoked. It opens nothing any more, at the latest in ten seconds."))
    return redirect("access:one_key", key_id)


def _asked(request: HttpRequest, session: Session, **part: int) -> tuple[SoughtKeyForm, list[dict[str, Any]]]:
    form = SoughtKeyForm(request.GET)
    if not form.is_valid():
        return form, []
    rows = store.api_keys(session, words=form.cleaned_data["q"], state=form.cleaned_data["state"], **part)
    titled(session, rows)
    return form, rows


def titled(session: Session, rows: list[dict[str, Any]]) -> None:
    """With what its role and purpose are called, and the purpose it acts for where none is named."""
    known, named = roles(session.today), purposes(session.today)
    for row in rows:
        role = known.get(row["role"])
        row["role_title"] = role.title.text(language()) if role else row["role"]
        served = purposes_of(role, row["purposes"]) if role else ()
        row["acts_for"] = row["purpose"] or next(iter(served), "")
        row["purpose_title"] = named[row["acts_for"]].title.text(language()) if row["acts_for"] in named else "–"
