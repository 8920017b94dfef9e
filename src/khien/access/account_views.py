"""The administrator's pages: accounts, the posts they serve in, passwords and second factors that were lost."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from khien.access import actions, store
from khien.access.forms import AccountForm, LastDayForm, PostForm, SoughtForm
from khien.access.gate import permission_required
from khien.access.roles import purposes, roles
from khien.access.store import Sought
from khien.access.views import language
from khien.core.actor import NATION
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session, begin
from khien.territory import store as territory

_PAGE, _MOST = 50, 50_000  # rows of a page, of a file


@permission_required("account.manage")
def accounts(request: HttpRequest) -> HttpResponse:
    """Accounts of the administrator's area, by name, state, role and area."""
    number = max(1, int(page)) if (page := request.GET.get("page", "1")).isdecimal() and len(page) < 6 else 1
    with begin(request.actor) as session:
        form = SoughtForm(request.GET, today=session.today)
        rows = _found(session, form, limit=_PAGE, offset=(number - 1) * _PAGE)
        total = rows[0]["total"] if rows else 0
        _titled(session, rows)
    pages = Paginator(range(total), _PAGE).get_page(number)
    shown = {"form": form, "rows": rows, "total": total, "page": pages, "nation": request.actor.area == NATION}
    return render(request, "access/accounts.html", shown, status=422 if form.errors else 200)


@permission_required("account.manage")
def accounts_file(request: HttpRequest) -> HttpResponse:
    """The same as CSV, a line an account."""
    with begin(request.actor) as session:
        form = SoughtForm(request.GET, today=session.today)
        rows = _found(session, form, limit=_MOST)
        if form.errors:
            raise Http404
        _titled(session, rows)
        day = session.today
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("username", "name", "active", "second_factor", "last_sign_in", "posts"))
    for r in rows:
        served = "; ".join(", ".join(filter(None, (p["title"], p["unit"], p["agency"]))) for p in r["posts"])
        last = r["last_login"].isoformat() if r["last_login"] else ""
        cells = (r["username"], r["name"], r["is_active"], r["second_factor"], last, served)
        writer.writerow([f"'{c}" if isinstance(c, str) and c[:1] in ("=", "+", "-", "@") else c for c in cells])
    response = HttpResponse(out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="accounts-{day}.csv"'
    return response


@never_cache
@permission_required("account.manage")
def new_account(request: HttpRequest) -> HttpResponse:
    """An account with its first post. Its one-time password is in the answer and nowhere else."""
    with begin(request.actor) as session:
        form = AccountForm(request.POST or None, today=session.today, agencies=store.agencies(session))
        given = form.post(session) if request.method == "POST" and form.is_valid() else None
    if given is not None:
        try:
            word = actions.add_officer(by=request.actor, **given)
        except BadInput as wrong:
            form.take(wrong)
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
        given = form.post(session) if form.is_valid() else None
    if given is not None:
        try:
            actions.assign_role(by=request.actor, username=username, **given)
        except BadInput as wrong:
            form.take(wrong)
        else:
            messages.success(request, _("The post is assigned."))
            return redirect("access:one_account", account_id)
    return _account(request, account_id, form)


@permission_required("account.manage")
@require_POST
def end_post(request: HttpRequest, account_id: int, assignment_id: int) -> HttpResponse:
    """Set the last day of a post."""
    with begin(request.actor) as session:
        held = store.account(session, account_id)["every"]
    form = LastDayForm(request.POST)
    if assignment_id not in {p["id"] for p in held}:
        raise NotFound
    if not form.is_valid():
        messages.error(request, " ".join(form.errors["last_day"]))
        return redirect("access:one_account", account_id)
    last_day = form.cleaned_data["last_day"]
    try:
        actions.end_assignment(by=request.actor, assignment_id=assignment_id, last_day=last_day)
    except BadInput as wrong:
        messages.error(request, wrong.text(language()))
    else:
        messages.success(request, _("The last day of the post is set."))
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
        found = store.accounts(session, Sought(words=username), limit=_MOST)
    account_id = next(a["id"] for a in found if a["username"] == username)
    shown = {"username": username, "word": word, "account_id": account_id}
    return render(request, "access/one_time_password.html", shown)


def _account(request: HttpRequest, account_id: int, form: PostForm) -> HttpResponse:
    with begin(request.actor) as session:
        account = store.account(session, account_id)
        _titled(session, [{"posts": account["every"]}])
        known = purposes(session.today)
        today = session.today
    for post in account["every"]:
        post["purpose_titles"] = [known[p].title.text(language()) if p in known else p for p in post["purposes"]]
    shown = {"account": account, "form": form, "today": today, "own": account_id == request.user.pk}
    return render(request, "access/one_account.html", shown, status=422 if form.errors else 200)


def _found(session: Session, form: SoughtForm, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    if not form.is_valid():
        return []
    data, unit_id = form.cleaned_data, None
    if data["unit"]:
        try:
            unit_id = int(territory.find(session, data["unit"], session.today)["unit_id"])
        except NotFound as absent:
            form.add_error("unit", absent.text(language()))
            return []
    sought = Sought(data["q"], data["state"], data["role"], unit_id)
    return store.accounts(session, sought, limit=limit, offset=offset)


def _titled(session: Session, rows: list[dict[str, Any]]) -> None:
    """With what roles are called."""
    known = roles(session.today)
    for post in (p for row in rows for p in row["posts"]):
        post["title"] = known[post["role"]].title.text(language()) if post["role"] in known else post["role"]
