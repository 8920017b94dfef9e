"""`khien jobs`: what is done every night without anybody typing."""

from __future__ import annotations

from typing import Any

import click

from khien.access.setup import ready
from khien.cli import language, print_json
from khien.core.actor import machine
from khien.core.i18n import N_, translate
from khien.core.session import begin


@click.group()
def jobs() -> None:
    """What is done every night: retention, presence, coverage."""
    ready(language())


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """The jobs, when they run (Viet Nam), and how they last ended."""
    from khien.core import jobs as nightly

    with begin(machine("administration", "job.read")) as session:
        rows = [(one["job"], one["last"] or {}) for one in nightly.overview(session)["jobs"]]
    if as_json:
        print_json([
            {"name": job.name, "at": job.at, "last": last.get("state"), "ended_at": ended and ended.isoformat(),
             "failure": _reason(last)}
            for job, last in rows for ended in (last.get("ended_at"),)
        ])  # fmt: skip
        return
    for job, last in rows:
        ended = f" {day:%d/%m/%Y %H:%M}" if (day := last.get("ended_at")) else ""
        reason = _reason(last)
        click.echo(
            f"{job.at}  {job.name:<20} {translate(job.title, language())}"
            f" ({translate(_state(last), language())}{ended}{f': {translate(reason, language())}' if reason else ''})"
        )


def _state(last: dict[str, Any]) -> str:
    if last.get("state") == "todo":
        return N_("failed, will be tried again") if last["attempts"] else N_("waiting")
    words = {
        None: N_("not run yet"), "succeeded": N_("done"), "failed": N_("failed"), "doing": N_("running"),
        "cancelled": N_("cancelled"), "aborted": N_("aborted"),
    }  # fmt: skip
    state = last.get("state")
    return words.get(state, str(state))


def _reason(last: dict[str, Any]) -> dict[str, str] | None:
    """Why the latest try failed, in both languages, where it has not gone well since."""
    return last["failure"] if last.get("failure") and last["state"] != "succeeded" else None


@jobs.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
def run(name: str, as_json: bool) -> None:
    """Do the job NAME now, whatever the hour."""
    from khien.core import jobs as nightly

    done = nightly.run_now(name)
    if as_json:
        print_json(done)
    else:
        click.echo(" ".join(f"{what}={count}" for what, count in done.items()))


@jobs.command()
@click.option("--beside", type=int, hidden=True)
def work(beside: int | None) -> None:
    """Serve the jobs until interrupted. `khien serve` does so beside the pages; for a server of its own."""
    from khien.core import jobs as nightly

    nightly.work(beside)
