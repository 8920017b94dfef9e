"""What is done every night without anybody typing: when, how it ended, and doing it at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from khien.access.gate import permission_required
from khien.core import jobs
from khien.core.session import begin


@permission_required("job.read")
def overview(request: HttpRequest) -> HttpResponse:
    with begin(request.actor) as session:
        shown = jobs.overview(session)
    return render(request, "web/jobs.html", shown)


@permission_required("job.read", "job.run")
@require_POST
def run(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a job at once; the worker does it, so that a long one keeps nobody waiting."""
    if jobs.ask_for(name, by=request.actor):
        messages.success(request, _("The job will be done as soon as possible."))
    else:
        messages.warning(request, _("The job is waiting to be done already."))
    return redirect("jobs")
