"""`khien jobs`: what is done every night without anybody typing."""

from __future__ import annotations

import click

from khien.access.setup import ready
from khien.cli import language, print_json
from khien.core.i18n import N_, translate


@click.group()
def jobs() -> None:
    """What is done every night: retention, presence, coverage."""
    ready(language())


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """The jobs, when they run (Viet Nam), and how they last ended."""
    from khien.core import jobs as nightly

    last = nightly.last_runs()
    rows = [(job, *last.get(job.name, (None, None))) for job in nightly.known()]
    if as_json:
        print_json(
            [
                {"name": job.name, "at": job.at, "last": status, "ended_at": at.isoformat() if at else None}
                for job, status, at in rows
            ]
        )
        return
    words = {None: N_("not run yet"), "succeeded": N_("done"), "failed": N_("failed")}
    for job, status, at in rows:
        ended = f" {at:%d/%m/%Y %H:%M}" if at else ""
        told = translate(words.get(status, status or ""), language())
        click.echo(f"{job.at}  {job.name:<20} {translate(job.title, language())} ({told}{ended})")


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
