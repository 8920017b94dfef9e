"""Pages of tracing: cases, one case with its contacts, the work of a commune, chains."""

from __future__ import annotations

import math
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access.gate import permission_required
from khien.core.errors import BadInput, NotFound
from khien.core.session import Session, begin
from khien.population import store as population
from khien.territory import store as territory
from khien.tracing import actions, backward, care, clusters, store
from khien.tracing import chains as estimates
from khien.tracing.forms import CaseForm, LinkForm, StateForm
from khien.tracing.movement import diary
from khien.tracing.network import network
from khien.tracing.rules import diary as diary_rules
from khien.tracing.rules.cases import CASE_STATES, CONTACT_STATES, OPEN_CASE
from khien.vaccination import sheets

_EXPOSURES = 3  # shown of each contact
_LINK: dict[str, Any] = {"auto_id": "link_%s"}  # beside another form with a reason


def _page(request: HttpRequest, total: int) -> Any:
    return Paginator(range(total), store.PAGE).get_page(request.GET.get("page"))


def _number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1


@permission_required("case.read")
def cases(request: HttpRequest) -> HttpResponse:
    """Cases of the area, newest first."""
    state = request.GET.get("state") or None
    with begin(request.actor) as session:
        rows, total = store.cases(session, state=state if state in CASE_STATES else None, page=_number(request))
    context = {"rows": rows, "total": total, "page": _page(request, total), "state": state, "states": CASE_STATES}
    return render(request, "tracing/cases.html", context)


@permission_required("case.read", "contact.read")
def case(request: HttpRequest, person_id: int, case_id: int) -> HttpResponse:
    """One case: its contacts by risk with their exposures, who could have infected it, what to do."""
    return _case(request, person_id, case_id)


def _case(
    request: HttpRequest, person_id: int, case_id: int, form: StateForm | None = None, link_form: LinkForm | None = None
) -> HttpResponse:
    """The page, with a form that was wrong as it was sent."""
    with begin(request.actor) as session:
        found = store.case(session, person_id, case_id)
        contacts = store.contacts(session, person_id, case_id, page=_number(request))
        counts = store.contact_counts(session, person_id, case_id)
        _with_places(session, contacts)
        communes = territory.names(session, [c["unit_id"] for c in counts]) if counts else {}
    suspects: list[dict[str, Any]] = []
    if request.actor.may("trace.run"):
        suspects = _suspects(request, found)
    context = {
        "case": found, "contacts": contacts, "page": _page(request, sum(c["contacts"] for c in counts)),
        "counts": [{**c, "name": communes.get(c["unit_id"], "")} for c in counts], "suspects": suspects,
        "state_text": CASE_STATES[found["state"]], "states": CONTACT_STATES, "open": found["state"] in OPEN_CASE,
        "form": form or StateForm(initial={"state": found["state"]}), "link_form": link_form or LinkForm(**_LINK),
        "breadcrumbs": [(_("Cases of the area"), "../../../"), (found["name"], "")],
    }  # fmt: skip
    return render(request, "tracing/case.html", context, status=422 if form or link_form else 200)


def _with_places(session: Session, contacts: list[dict[str, Any]]) -> None:
    """Give each contact its first exposures with the names of their places."""
    shown = [e for c in contacts for e in c["exposures"][:_EXPOSURES]]
    places = store.place_names(session, sorted({e["place"] for e in shown if e["place"]}))
    for contact in contacts:
        contact["hours"] = contact["seconds"] / 3600
        contact["more"] = max(0, len(contact["exposures"]) - _EXPOSURES)
        contact["shown"] = [store.readable(e, places) for e in contact["exposures"][:_EXPOSURES]]


def _suspects(request: HttpRequest, found: dict[str, Any]) -> list[dict[str, Any]]:
    ranked = backward.suspects(by=request.actor, cases=[found])[found["person_id"]][:5]
    return [
        {"case_id": s.exposures[0]["infector_case"], "certainty": s.certainty, "exposures": len(s.exposures),
         "kind": s.exposures[0]["kind"], "from_at": s.exposures[0]["from_at"]}
        for s in ranked
    ]  # fmt: skip


@require_POST
@permission_required("trace.run")
def trace(request: HttpRequest, person_id: int, case_id: int) -> HttpResponse:
    """Trace this case now, two degrees deep, and write its contacts down."""
    found = actions.trace(by=request.actor, persons=[person_id], depth=2)[0]
    told = _("%(contacts)s contacts were written down; %(cuts)s things were left out.")
    messages.success(request, told % {"contacts": len(found.contacts), "cuts": len(found.cuts)})
    return redirect("tracing:case", person_id=person_id, case_id=case_id)


@require_POST
@permission_required("case.report", "case.read", "contact.read")  # what was wrong comes back on the page of the case
def change(request: HttpRequest, person_id: int, case_id: int) -> HttpResponse:
    form = StateForm(request.POST)
    if form.is_valid():
        try:
            actions.change_case(by=request.actor, person_id=person_id, case_id=case_id, **form.cleaned_data)
        except BadInput as refusal:
            form.add_error(None, refusal.text(get_language() or "vi"))
        else:
            messages.success(request, _("The case was changed."))
            return redirect("tracing:case", person_id=person_id, case_id=case_id)
    return _case(request, person_id, case_id, form=form)


@require_POST
@permission_required("trace.run", "case.read", "contact.read")
def link(request: HttpRequest, person_id: int, case_id: int) -> HttpResponse:
    """Say who infected this case, with a reason; the estimate gives way."""
    form = LinkForm(request.POST, **_LINK)
    if form.is_valid():
        try:
            actions.decide_link(by=request.actor, person_id=person_id, case_id=case_id, **form.cleaned_data)
        except NotFound:
            form.add_error("infector", _("There is no such case in your area."))
        else:
            messages.success(request, _("The link was noted."))
            return redirect("tracing:case", person_id=person_id, case_id=case_id)
    return _case(request, person_id, case_id, link_form=form)


@permission_required("case.report")
def report(request: HttpRequest, person_id: int) -> HttpResponse:
    """Report a person as a case. Sending the form twice reports one case."""
    with begin(request.actor) as session:
        person = population.person(session, person_id)
        today = session.today
    form = CaseForm(request.POST or None, initial=CaseForm.first(today))
    if request.method == "POST" and form.is_valid():
        try:
            done = actions.report_case(by=request.actor, entry=form.entry(person_id))
        except BadInput as refusal:
            form.add_error(None, refusal.text(get_language() or "vi"))
        else:
            messages.success(request, _("The case was reported."))
            if request.actor.may("contact.read"):
                return redirect("tracing:case", person_id=person_id, case_id=done.case_id)
            return redirect("tracing:cases")
    status = 422 if request.method == "POST" else 200
    return render(request, "tracing/report.html", {"person": person, "form": form}, status=status)


@permission_required("contact.read")
def work(request: HttpRequest) -> HttpResponse:
    """Contacts of the area who need a call, a visit, a sample or isolation, the most at risk first."""
    if request.method == "POST":
        return _worked(request)
    with begin(request.actor) as session:
        rows, counts = store.work_list(session, page=_number(request))
        seen = store.breaches(session, session.now - store.BREACH_DAYS)
        due = store.isolated(session, due=True)
        alarms = diary.alarms(session)
        today = session.today
    symptoms = {code: text[get_language() or "vi"] for code, text in diary_rules.rule_on(today)["symptoms"].items()}
    for alarm in alarms:
        alarm["told"] = ", ".join(symptoms.get(code, code) for code in alarm["symptoms"])
    context = {
        "rows": rows, "counts": [(CONTACT_STATES[s], n) for s, n in counts.items()], "breaches": seen, "today": today,
        "due": due, "alarms": alarms,
        "page": _page(request, sum(counts.values())), "states": CONTACT_STATES,
    }  # fmt: skip
    return render(request, "tracing/work.html", context)


def _worked(request: HttpRequest) -> HttpResponse:
    told = request.POST
    try:
        person, of, number = (int(told.get(name, "")) for name in ("person_id", "case_person_id", "case_id"))
    except ValueError:
        raise Http404 from None
    try:
        if told.get("state") == "released":
            care.release(by=request.actor, person_id=person)
            messages.success(request, _("Isolation has ended."))
        elif told.get("state") == "isolated":
            ordered = care.order_isolation(by=request.actor, person_id=person, case_person_id=of, case_id=number)
            messages.success(request, _("Isolated until %(day)s.") % {"day": ordered.until.strftime("%d/%m/%Y")})
        else:
            care.work_on_contact(
                by=request.actor, person_id=person, case_person_id=of, case_id=number, state=told.get("state", "")
            )
    except BadInput as refusal:
        messages.error(request, refusal.text(get_language() or "vi"))
    return redirect("tracing:work")


@permission_required("trace.run")
def chains(request: HttpRequest) -> HttpResponse:
    """Who infected whom, as far as it can be told; the curve of the epidemic and what the chains say."""
    net = network(by=request.actor)
    persons = [c["person_id"] for c in net.cases]
    steps = estimates.generations(persons, net.links)
    group = {person: n for n, members in enumerate(net.clusters) for person in members}
    numbers = {c["person_id"]: c["case_id"] for c in net.cases}
    rows = [
        {
            **c, "day": c["onset_on"] or c["sampled_on"], "generation": steps.get(c["person_id"], 0),
            "cluster": group[c["person_id"]] + 1, "infector": numbers.get(net.links.get(c["person_id"], (0, 0.0))[0]),
            "certainty": net.links.get(c["person_id"], (0, 0.0))[1], "decided": net.decided.get(c["person_id"]),
            "exposure": net.exposures.get(c["person_id"]),
        }
        for c in net.cases
    ]  # fmt: skip
    finite = net.offspring is not None and math.isfinite(net.offspring.k.high)
    alone = sum(len(members) == 1 for members in net.clusters)
    context = {"rows": rows, "net": net, "finite": finite, "clusters": len(net.clusters) - alone, "alone": alone}
    return render(request, "tracing/chains.html", context)


@permission_required("trace.run")
def export(request: HttpRequest, table: str, kind: str = "csv") -> HttpResponse:
    """The line list or the links for epidemiology packages: numbers of cases, no names. CSV or XLSX."""
    if table not in ("linelist", "contacts") or kind not in sheets.MIME:
        raise Http404
    rows = clusters.table(by=request.actor, net=network(by=request.actor), name=table)
    response = HttpResponse(sheets.written(kind, rows), content_type=sheets.MIME[kind])
    response["Content-Disposition"] = f'attachment; filename="{table}.{kind}"'
    return response


@permission_required("trace.run", "contact.read")
def held(request: HttpRequest) -> HttpResponse:
    """What holds clusters together: places, cases that infected several, contacts who bridge."""
    net = network(by=request.actor)
    context = {
        "held": clusters.held(by=request.actor, net=net),
        "breadcrumbs": [(_("Chains of transmission"), "../chains/"), (_("What holds clusters together"), "")],
    }
    return render(request, "tracing/clusters.html", context)
