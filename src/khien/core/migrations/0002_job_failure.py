"""Why a nightly job failed, for the page of jobs."""

from django.db import migrations

_TABLE = """
CREATE TABLE job_failure (
    job_id bigint PRIMARY KEY,           -- of procrastinate_jobs, which its own upkeep may clear
    told   jsonb NOT NULL                -- class and message by language; never an identifier of a person
);
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_tables")]
    operations = [migrations.RunSQL([(_TABLE, None)], migrations.RunSQL.noop)]
