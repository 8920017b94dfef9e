"""The page of nightly jobs: what ran and how it ended, and a job asked for at once."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string

from khien.core import jobs
from khien.core.actor import machine
from khien.core.errors import NotAllowed, NotFound
from khien.core.session import Session


@pytest.fixture(autouse=True)
def registered(session: Session) -> None:
    from khien.access import setup

    setup.ready("en")


def ran(session: Session, name: str, state: str) -> int:
    job = session.value(
        "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, args)"
        " VALUES (%(name)s::text, 'default', %(name)s::text, '{}') RETURNING id",
        name=name,
    )
    session.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %(job)s", job=job)
    session.execute(
        "UPDATE procrastinate_jobs SET status = %(state)s::procrastinate_job_status WHERE id = %(job)s",
        job=job, state=state,
    )  # fmt: skip
    return int(job)


def test_each_job_tells_how_its_newest_run_ended(session: Session) -> None:
    ran(session, "tracing.release", "succeeded")
    ran(session, "coverage.build", "succeeded")
    ran(session, "coverage.build", "failed")
    shown = jobs.overview(session)
    last = {one["job"].name: one["last"] for one in shown["jobs"]}
    assert last["coverage.build"]["state"] == "failed" and last["coverage.build"]["ended_at"] is not None
    assert last["tracing.release"]["state"] == "succeeded" and last["zones.presence"] is None
    assert [(r["name"], r["state"]) for r in shown["runs"]][:2] == [
        ("coverage.build", "failed"),
        ("coverage.build", "succeeded"),
    ]


def test_a_job_is_asked_for_once_and_only_by_whoever_may(fresh_database: str) -> None:
    by = machine("administration", "job.run")
    assert [jobs.ask_for("tracing.release", by=by) for _twice in range(2)] == [True, False]
    with pytest.raises(NotFound):
        jobs.ask_for("no.such", by=by)
    with pytest.raises(NotAllowed):
        jobs.ask_for("tracing.release", by=machine("audit", "job.read"))


def test_a_failed_run_tells_why_and_names_nobody(session: Session) -> None:
    job = ran(session, "coverage.build", "failed")
    jobs._note(job, NotFound("There is no unit {unit}.", unit="001190123456"))
    last = {one["job"].name: one["last"] for one in jobs.overview(session)["jobs"]}
    assert last["coverage.build"]["failure"]["en"] == "NotFound: There is no unit …."
    try:
        raise ValueError("Nguyễn Thị Ví Dụ")
    except ValueError as failure:
        told = jobs.reason_of(failure)
    assert told["vi"].startswith("ValueError: test_jobs_page.py:") and "Ví Dụ" not in told["vi"]
    page = render_to_string("web/job_state.html", {"run": last["coverage.build"], "LANGUAGE_CODE": "en"})
    assert "There is no unit" in page
