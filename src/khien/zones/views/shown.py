"""What the pages of zones share: the day of the address, the unit they begin with, the reader's language, files."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from khien.core.session import Session
from khien.territory import store as territory
from khien.zones import sheets, store
from khien.zones.forms import DayForm

_MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def language() -> str:
    return get_language() or "vi"


def chosen_day(request: HttpRequest, session: Session) -> dt.date:
    """The day of the address: `on`, or the slider's number of days since the first order; today by default."""
    form = DayForm(request.GET)
    if form.is_valid():
        return form.cleaned_data["on"]
    number = request.GET.get("n", "")
    first = store.first_day(session)
    if number.isdecimal() and len(number) < 6 and first is not None:
        return min(first + dt.timedelta(days=int(number)), session.today)
    return session.today


def day_form(request: HttpRequest, on: dt.date) -> DayForm:
    """The filter with the day that is shown; with what was typed where that is no day, so that its fault is told."""
    typed = DayForm(request.GET)
    return typed if request.GET.get("on") and not typed.is_valid() else DayForm({"on": on.isoformat()})


def chosen_unit(request: HttpRequest, session: Session, on: dt.date) -> dict[str, Any]:
    """The unit of the address; else the highest of the actor's area, for a commune what it lies in."""
    code = request.GET.get("unit", "")
    if code.isdecimal():
        return territory.unit(session, int(code), on)
    top = territory.unit(session, territory.top_of_area(session, on), on)
    above = territory.ancestors(session, top["unit_id"], on)
    return above[-1] if top["level"] == 3 and above else top


def trail(session: Session, unit: dict[str, Any], on: dt.date) -> list[tuple[str, str]]:
    """The way down to a unit, for the page's breadcrumbs: each with the address of its own map of the day."""
    above = territory.ancestors(session, unit["unit_id"], on)
    return [(one["name"], f"?on={on}&unit={one['unit_id']}") for one in above] + [(unit["name"], "")]


def names_of(session: Session, rows: list[dict[str, Any]]) -> dict[int, str]:
    """The names of the units that a list of people speaks of."""
    return territory.names(session, {u for r in rows for u in (r["unit_id"], r["other_unit"], r["home_unit"]) if u})


def as_file(lines: list[list[Any]], name: str, kind: str) -> HttpResponse:
    """Lines as CSV or XLSX, to be saved under a name."""
    response = HttpResponse(sheets.as_xlsx(lines) if kind == "xlsx" else sheets.as_csv(lines), content_type=_MIME[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
