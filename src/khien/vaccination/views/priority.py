"""Lists of people who go first: an employer's or a commune's, into a priority group of the campaign's programme."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from khien.access.gate import permission_required
from khien.core.session import begin
from khien.vaccination import actions, programmes
from khien.vaccination.forms import PriorityForm
from khien.vaccination.store import campaign
from khien.vaccination.store import people as store
from khien.vaccination.views.asking import done, language

_SHOWN = 1000  # faults on the page


@permission_required("campaign.manage")
def lists(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The groups with how many people lists have put into each; a list to put in, its faults by line."""
    with begin(request.actor) as session:
        one = campaign.campaign(session, campaign_id)
        counts = store.priority_counts(session, one["programme"])
        today = session.today
    # Numbers mean other groups under each resolution: those of the day first, then what lists were put into before.
    known = programmes.find(one["programme"]).priority_groups
    groups = {g.number: g.title.get(language(), "") for g in known if g.holds(today.toordinal())}
    for group in known:
        if group.number in counts:
            groups.setdefault(group.number, group.title.get(language(), ""))
    form = PriorityForm(
        request.POST or None, request.FILES or None, groups=[(n, f"{n}. {title}") for n, title in groups.items()]
    )
    outcome: list[actions.Prioritised] = []

    def put_in(data: dict[str, Any]) -> None:
        outcome.append(
            actions.prioritise(
                by=request.actor, programme=one["programme"], group_number=data["group_number"],
                content=data["file"].read(), source=data["source"],
            )
        )  # fmt: skip

    if done(request, form, put_in) and not outcome[0].faults:
        messages.success(request, _("%(people)s people are in the group.") % {"people": outcome[0].done})
        return redirect("vaccination:priority", campaign_id=campaign_id)
    shown: dict[str, Any] = {
        "campaign": one, "form": form, "groups": [(n, title, counts.get(n, 0)) for n, title in groups.items()],
    }  # fmt: skip
    if outcome:
        faults = [(fault.line, fault.text(language())) for fault in outcome[0].faults]
        shown |= {"result": outcome[0], "faults": faults[:_SHOWN], "more": len(faults) - _SHOWN}
    status = 422 if request.method == "POST" and not outcome else 200
    return render(request, "vaccination/priority.html", shown, status=status)
