-- What the pages ask about jobs. The tables are procrastinate's own; no row of them is about a person.

-- name: last_runs
-- Of each job the newest one that began.
SELECT DISTINCT ON (j.task_name) j.task_name AS name, j.status::text AS state, j.attempts,
    s.at AS started_at, e.at AS ended_at, f.told AS failure
FROM procrastinate_jobs j
LEFT JOIN job_failure f ON f.job_id = j.id
LEFT JOIN LATERAL (SELECT max(v.at) AS at FROM procrastinate_events v WHERE v.job_id = j.id AND v.type = 'started') s ON true
LEFT JOIN LATERAL (SELECT max(v.at) AS at FROM procrastinate_events v
                   WHERE v.job_id = j.id AND v.type IN ('succeeded', 'failed')) e ON true
ORDER BY j.task_name, j.id DESC

-- name: runs
SELECT j.task_name AS name, j.status::text AS state, j.attempts, s.at AS started_at, e.at AS ended_at,
    f.told AS failure
FROM procrastinate_jobs j
LEFT JOIN job_failure f ON f.job_id = j.id
LEFT JOIN LATERAL (SELECT max(v.at) AS at FROM procrastinate_events v WHERE v.job_id = j.id AND v.type = 'started') s ON true
LEFT JOIN LATERAL (SELECT max(v.at) AS at FROM procrastinate_events v
                   WHERE v.job_id = j.id AND v.type IN ('succeeded', 'failed')) e ON true
ORDER BY j.id DESC LIMIT %(most)s

-- name: worker
-- A worker says every ten seconds that it is there.
SELECT max(last_heartbeat) AS seen, coalesce(max(last_heartbeat) > now() - interval '1 minute', false) AS alive
FROM procrastinate_workers

-- name: ask_for
-- One at a time of a kind may wait (procrastinate's own unique index).
INSERT INTO procrastinate_jobs (task_name, queue_name, lock, queueing_lock, args)
VALUES (%(name)s::text, 'default', %(name)s::text, %(name)s::text, jsonb_build_object('timestamp', %(at)s::bigint))
ON CONFLICT DO NOTHING

-- name: note_failure
-- Why the latest try of a run failed.
INSERT INTO job_failure (job_id, told) VALUES (%(job)s, %(told)s)
ON CONFLICT (job_id) DO UPDATE SET told = excluded.told
