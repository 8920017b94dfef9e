"""Coverage on a page: a map, and a table that says the same."""

from __future__ import annotations

import csv
import io
from typing import Any

import xlsxwriter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import begin
from khien.coverage import store
from khien.coverage.forms import MEASURES, QuestionForm
from khien.territory import store as territory


def _answer(request: HttpRequest) -> dict[str, Any]:
    """The question of the address, its answer for each part of the unit, and their total."""
    with begin(request.actor) as session:
        usual = {"on": session.today.isoformat(), "ages": "18", "measure": "dose1", "present": "home"}
        form = QuestionForm(usual | request.GET.dict())
        if not form.is_valid():
            return {"form": form, "invalid": True}
        question = form.question()
        try:
            store.check_day(session, question.on)
        except BadInput as refused:
            form.add_error("on", refused.text(get_language() or "vi"))
            return {"form": form, "invalid": True}
        chosen = form.cleaned_data["unit"] or territory.top_of_area(session, question.on)
        # A unit of another time is asked for what has its place on that day.
        chosen = territory.carried(session, [chosen], question.on).get(chosen, chosen)
        asked = territory.unit(session, chosen, question.on)
        # A commune is shown among its neighbours: alone it would be a map of one colour.
        unit = asked if asked["last_id"] > asked["unit_id"] else territory.unit(session, asked["parent_id"])
        parts = territory.children(session, unit["unit_id"], question.on)
        built = True
        try:
            shown = [(p["unit_id"], p["last_id"]) for p in (*parts, unit)]
            found = {c.unit_id: c for c in store.by_unit(session, question, shown)}
        except NotFound:
            found, built = {}, False
        above = territory.ancestors(session, unit["unit_id"])
    rows: list[dict[str, Any]] = [
        {"unit": part, "coverage": found[part["unit_id"]]} for part in parts if part["unit_id"] in found
    ]
    total = found.get(unit["unit_id"], store.Coverage(unit["unit_id"], 0, 0, 0, 0, 0))
    return {
        "form": form,
        "question": question,
        "unit": unit,
        "above": above,
        "rows": rows,
        "total": total,
        "rest": store.rest(total, [r["coverage"] for r in rows]),
        "asked": asked,
        "measure": form.cleaned_data["measure"],
        "built": built,
    }


@permission_required("coverage.read")
def coverage(request: HttpRequest) -> HttpResponse:
    answer = _answer(request)
    if answer.get("invalid"):
        return render(request, "coverage/coverage.html", answer, status=422)
    measure = answer["measure"]
    for row in answer["rows"]:
        row["value"] = row["coverage"].share(measure)
    query = request.GET.copy()
    query.pop("unit", None)
    base = query.urlencode()
    ways = [(u["name"], f"{reverse('coverage:coverage')}?{base}&unit={u['unit_id']}") for u in answer["above"]]
    more = {
        "breadcrumbs": [*ways, (answer["unit"]["name"], "")],
        "measure_name": dict(MEASURES)[measure],
        "query": base,
        "outlines": reverse("territory:outlines", args=[answer["unit"]["unit_id"]]),
        "download": request.GET.urlencode(),
    }
    return render(request, "coverage/coverage.html", answer | more)


@permission_required("coverage.read")
def table(request: HttpRequest, kind: str) -> HttpResponse:
    """The table as a file for spreadsheets: 'csv' (UTF-8 with byte order mark, as Excel wants it) or 'xlsx'."""
    if kind not in ("csv", "xlsx"):
        raise Http404
    answer = _answer(request)
    if answer.get("invalid"):
        raise Http404
    head = [_("Code"), _("Unit"), _("People"), _("At least one dose"), _("Two doses"), _("Three doses or more"),
            _("Full primary series"), _("On the day")]  # fmt: skip
    body = [
        [
            r["unit"]["code"],
            r["unit"]["name"],
            c.people,
            c.dose1,
            c.dose2,
            c.dose3,
            c.complete,
            answer["question"].on.isoformat(),
        ]
        for r in answer["rows"]
        for c in [r["coverage"]]
    ]
    if (rest := answer["rest"]).people:
        counts = (rest.people, rest.dose1, rest.dose2, rest.dose3, rest.complete)
        body.append(["", _("Not determined"), *counts, answer["question"].on.isoformat()])
    content, mime = _csv([head, *body]) if kind == "csv" else _xlsx([head, *body])
    response = HttpResponse(content, content_type=mime)
    response["Content-Disposition"] = f'attachment; filename="coverage-{answer["question"].on}.{kind}"'
    return response


def _csv(rows: list[list[Any]]) -> tuple[bytes, str]:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8"


def _xlsx(rows: list[list[Any]]) -> tuple[bytes, str]:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate(rows):
            sheet.write_row(n, 0, row)
        sheet.autofit()
    return out.getvalue(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
