"""Lists and figures: the hand-over of a shift, the work list of the commune police, the national view."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.checkpoints import forms
from khien.checkpoints.movement import actions, store
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session, begin
from khien.core.spreadsheet import plain

_SOON = dt.timedelta(minutes=10)
_NOTICE_DAYS = 14


@permission_required("passage.read", "passage.record")
def shift(request: HttpRequest) -> HttpResponse:
    """Who passed in the last hours, to search and to print for the next shift. Searching is sent in the body."""
    form = forms.ShiftForm(request.POST or None, initial={"hours": 12})
    wanted: dict[str, Any] = (
        form.cleaned_data if form.is_bound and form.is_valid() else {"hours": 12, "plate": "", "name": ""}
    )
    with begin(request.actor) as session:
        chosen = _of_shift(request, session)
        until = session.now + _SOON
        window: dict[str, Any] = {"since": session.now - dt.timedelta(hours=wanted["hours"]), "until": until}
        place = chosen["checkpoint_id"]
        try:
            rows = store.passages(session, place, **window, plate=wanted["plate"] or None, name=wanted["name"] or None)
        except BadInput as wrong:
            form.add_error("plate", wrong.text(get_language() or "vi"))
            rows = []
        unmatched = store.unmatched(session, place, **window)
        hours = store.per_hour(session, place, **window)
    context = {
        "chosen": chosen, "form": form, "rows": rows, "unmatched": unmatched, "hours": hours, "since": window["since"],
        "most": store.MOST if len(rows) == store.MOST else None, "breadcrumbs": _way(_("Hand-over list of the shift")),
    }  # fmt: skip
    return render(request, "checkpoints/shift.html", context, status=422 if form.errors else 200)


@permission_required("residence.write", "passage.read")
def notices(request: HttpRequest) -> HttpResponse:
    """Who leaves or arrives in the communes of the actor: look, visit, tick off, or take that back."""
    state = request.GET.get("state", "open")
    if request.method == "POST":
        _settle(request)
        return redirect(f"{reverse('checkpoints:notices')}?{request.GET.urlencode()}")
    with begin(request.actor) as session:
        since = session.now - dt.timedelta(days=_NOTICE_DAYS)
        counts = store.notice_counts(session, since=since)
        if state not in counts:
            raise NotFound
        rows = store.notices(session, since=since, state=state)
    if request.GET.get("file") == "csv":
        return _notices_csv(rows)
    shown = {"rows": rows, "days": _NOTICE_DAYS, "counts": counts, "state": state,
             "most": store.MOST if len(rows) == store.MOST else None}  # fmt: skip
    return render(request, "checkpoints/notices.html", shown)


@permission_required("checkpoint.figures")
def figures(request: HttpRequest) -> HttpResponse:
    """Every checkpoint over the last day: flow, mismatches, who is silent or slow; `?format=csv` by hour."""
    with begin(request.actor) as session:
        until = session.now + _SOON
        since = until - dt.timedelta(hours=24)
        rows = store.figures(session, since=since, until=until)
        hours = store.figures_by_hour(session, since=since, until=until)
    if request.GET.get("format") == "csv":
        return _csv(rows, hours)
    kinds = ("matched", "name_differs", "birth_date_differs", "unknown_number", "malformed", "other_verdict")
    total = {kind: sum(row[kind] for row in rows) for kind in (*kinds, "checks", "passages", "unmatched")}
    shares = {kind: total[kind] / total["checks"] if total["checks"] else None for kind in kinds}
    by_hour: dict[Any, int] = {}
    for hour in hours:
        by_hour[hour["hour"]] = by_hour.get(hour["hour"], 0) + hour["came_in"] + hour["went_out"]
    context = {"rows": rows, "total": total, "shares": shares, "by_hour": sorted(by_hour.items())}
    return render(request, "checkpoints/figures.html", context)


def _notices_csv(rows: list[dict[str, Any]]) -> HttpResponse:
    """For a team that goes from door to door without a network."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="movements.csv"'
    answer.write("\ufeff")  # spreadsheets take it for UTF-8
    out = csv.writer(answer)
    out.writerow(
        [_("Name"), _("Year of birth"), _("Movement"), _("Commune"), _("When"), _("Seen at"), _("Other commune")]
    )
    for row in rows:
        way = _("Arrives") if row["kind"] == "arrives" else _("Leaves")
        cells = (row["name"], row["birth_year"], way, row["unit_name"], f"{localtime(row['at']):%d/%m/%Y %H:%M}",
                 row["checkpoint_name"] or _("declared"), row["other_name"] or "")  # fmt: skip
        out.writerow([plain(cell) for cell in cells])
    return answer


def _csv(rows: list[dict[str, Any]], hours: list[dict[str, Any]]) -> HttpResponse:
    """One line a checkpoint and hour; the day's outcome of checks stands on each line of its checkpoint."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="checkpoints.csv"'
    answer.write("\ufeff")  # spreadsheets take it for UTF-8
    out = csv.writer(answer)
    day = ("passages", "unmatched", "with_pass", "checks", "matched", "name_differs", "birth_date_differs",
           "unknown_number", "malformed", "other_verdict", "state")  # fmt: skip
    out.writerow(["code", "name", "commune", "hour", "in", "out", *(f"day_{k}" for k in day)])
    for row in rows:
        own = [h for h in hours if h["checkpoint_id"] == row["checkpoint_id"]]
        flows: list[list[Any]] = [[h["hour"].isoformat(), h["came_in"], h["went_out"]] for h in own] or [["", 0, 0]]
        for flow in flows:
            out.writerow([row["code"], row["name"], row["unit_name"], *flow, *(row[k] for k in day)])
    return answer


def _settle(request: HttpRequest) -> None:
    try:
        person, unit = int(request.POST["person_id"]), int(request.POST["unit_id"])
        at = dt.datetime.fromisoformat(request.POST["at"])
    except (KeyError, ValueError):
        raise NotFound from None
    actions.settle_notice(
        by=request.actor, person_id=person, unit_id=unit, kind=request.POST.get("kind", ""), noticed_at=at,
        state=request.POST.get("state", ""),
    )  # fmt: skip


def _of_shift(request: HttpRequest, session: Session) -> dict[str, Any]:
    found = store.checkpoints(session)
    code = request.session.get("checkpoint")
    chosen = next((c for c in found if c["code"] == code), found[0] if len(found) == 1 else None)
    if chosen is None:
        raise NotFound
    return chosen


def _way(here: str) -> list[tuple[str, str]]:
    return [(_("Checkpoint"), "/checkpoint/"), (here, "")]
