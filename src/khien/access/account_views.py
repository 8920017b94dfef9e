"""The administrator's pages: accounts, the posts they serve in, passwords and second factors that were lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from khien.access import actions, store
from khien.access.forms import AccountForm, DaysForm, PostForm, SoughtForm, take
from khien.access.gate import permission_required
from khien.access.key_views import titled
from khien.access.roles import purposes, roles
from khien.access.store import Sought
from khien.access.views import FILE_ROWS, filed, language, listed
from khien.core.errors import BadInput, NotFound, Refused
from khien.core.session import Session, begin


@permission_required("account.manage")
def accounts(request: HttpRequest) -> HttpResponse:
    """Accounts of the administrator's area, by name, state, role and area."""
    return listed(request, "access/accounts.html", _asked)


@permission_required("account.manage")
def accounts_file(request: HttpRequest) -> HttpResponse:
    """The same as CSV, a line an account."""
    head = ("username", "name", "active", "second_factor", "last_sign_in", "posts")
    return filed(request, "accounts", head, _asked, _cells)


@never_cache
@permission_required("account.manage")
def new_account(request: HttpRequest) -> HttpResponse:
    """An account with its first post. Its one-time password is in the answer and nowhere else."""
    with begin(request.actor) as session:
        form = AccountForm(request.POST or None, today=session.today, agencies=store.agencies(session))
        given = form.values(session) if request.method == "POST" and form.is_valid() else None
    if given is not None:
        try:
            word = actions.add_officer(by=request.actor, **given)
        except BadInput as wrong:
            take(form, wrong)
        else:
            return _told(request, given["username"], word)
    return render(request, "access/new_account.html", {"form": form}, status=422 if form.errors else 200)


@permission_required("account.manage")
def one_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """One account: what it serves as, served as and will, and what can be done with it."""
    with begin(request.actor) as session:
        form = PostForm(today=session.today, agencies=store.agencies(session))
    return _account(request, account_id, form)


@permission_required("account.manage")
@require_POST
def give_post(request: HttpRequest, account_id: int) -> HttpResponse:
    with begin(request.actor) as session:
        username = store.account(session, account_id)["username"]
        form = PostForm(request.POST, today=session.today, agencies=store.agencies(session))
        given = form.values(session) if form.is_valid() else None
    if given is not None:
        try:
            actions.assign_role(by=request.actor, username=username, **given)
        except BadInput as wrong:
            take(form, wrong)
        else:
            messages.success(request, _("The post is assigned."))
            return redirect("access:one_account", account_id)
    return _account(request, account_id, form)


@permission_required("account.manage")
@require_POST
def change_days(request: HttpRequest, account_id: int, assignment_id: int) -> HttpResponse:
    """Set the first and the last day of a post."""
    with begin(request.actor) as session:
        held = store.account(session, account_id)["every"]
        empty = PostForm(today=session.today, agencies=store.agencies(session))
    form = DaysForm(request.POST)
    if assignment_id not in {p["id"] for p in held}:
        raise NotFound
    if not form.is_valid():
        return _account(request, account_id, empty, {assignment_id: form})
    given = form.cleaned_data
    try:
        actions.change_days(
            by=request.actor, assignment_id=assignment_id, first_day=given["first_day"], last_day=given["last_day"],
            was=(given["first_was"], given["last_was"]),
        )  # fmt: skip
    except Refused as wrong:  # what the page showed no longer holds: show what does
        messages.error(request, wrong.text(language()))
    except BadInput as wrong:
        for fault in wrong.faults:
            form.add_error("last_day", fault.text(language()))
        return _account(request, account_id, empty, {assignment_id: form})
    else:
        messages.success(request, _("The days of the post are set."))
    return redirect("access:one_account", account_id)


@permission_required("account.manage")
@require_POST
def change_state(request: HttpRequest, account_id: int) -> HttpResponse:
    """Suspend an account, or let it sign in again."""
    active = request.POST.get("active") == "yes"
    said = _("The account may sign in again.") if active else _("The account is suspended.")
    return _done(request, account_id, said, actions.disable_account, active=active)


@permission_required("account.manage")
@require_POST
def reset_second_factor(request: HttpRequest, account_id: int) -> HttpResponse:
    said = _("The second factor is reset. It has to be set up anew at the next sign-in.")
    return _done(request, account_id, said, actions.reset_second_factor)


@never_cache
@permission_required("account.manage")
@require_POST
def issue_password(request: HttpRequest, account_id: int) -> HttpResponse:
    """A one-time password in place of the old one; in the answer and nowhere else."""
    with begin(request.actor) as session:
        username = store.account(session, account_id)["username"]
    try:
        word = actions.issue_password(by=request.actor, username=username)
    except BadInput as wrong:
        messages.error(request, wrong.text(language()))
        return redirect("access:one_account", account_id)
    return _told(request, username, word)


def _done(request: HttpRequest, account_id: int, said: str, action: Any, **more: Any) -> HttpResponse:
    with begin(request.actor) as session:
        username = store.account(session, account_id)["username"]
    try:
        action(by=request.actor, username=username, **more)
    except BadInput as wrong:
        messages.error(request, wrong.text(language()))
    else:
        messages.success(request, said)
    return redirect("access:one_account", account_id)


def _told(request: HttpRequest, username: str, word: str) -> HttpResponse:
    with begin(request.actor) as session:
        found = store.accounts(session, Sought(words=username), limit=FILE_ROWS)
    account_id = next(a["id"] for a in found if a["username"] == username)
    shown = {"username": username, "word": word, "account_id": account_id}
    return render(request, "access/one_time_password.html", shown)


def _account(
    request: HttpRequest, account_id: int, form: PostForm, wrong: Mapping[int, DaysForm] | None = None
) -> HttpResponse:
    """The page of an account, with what is wrong: with a new post, or with the days of one that it has."""
    wrong = wrong or {}
    with begin(request.actor) as session:
        account = store.account(session, account_id)
        keys = store.api_keys(session, account_id=account_id)
        titled(session, keys)
        _titled(session, [{"posts": account["every"]}])
        known = purposes(session.today)
        today = session.today
    for post in account["every"]:
        post["purpose_titles"] = [known[p].title.text(language()) if p in known else p for p in post["purposes"]]
        post["days"] = wrong.get(post["id"])
    shown = {"account": account, "form": form, "keys": keys, "today": today, "own": account_id == request.user.pk}
    return render(request, "access/one_account.html", shown, status=422 if form.errors or wrong else 200)


def _asked(request: HttpRequest, session: Session, **part: int) -> tuple[SoughtForm, list[dict[str, Any]]]:
    form = SoughtForm(request.GET, today=session.today)
    sought = form.sought(session)
    rows = store.accounts(session, sought, **part) if sought else []
    _titled(session, rows)
    return form, rows


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    served = "; ".join(", ".join(filter(None, (p["title"], p["unit"], p["agency"]))) for p in row["posts"])
    last = row["last_login"].isoformat() if row["last_login"] else ""
    return row["username"], row["name"], row["is_active"], row["second_factor"], last, served


def _titled(session: Session, rows: list[dict[str, Any]]) -> None:
    """With what roles are called."""
    known = roles(session.today)
    for post in (p for row in rows for p in row["posts"]):
        post["title"] = known[post["role"]].title.text(language()) if post["role"] in known else post["role"]
