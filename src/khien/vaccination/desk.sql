-- name: visit
SELECT * FROM desk_visit WHERE session_id = %(session_id)s AND person_id = %(person_id)s;

-- name: lock_session
-- A session is not closed while a desk is writing a dose of it.
SELECT closed_at FROM vaccination_session WHERE session_id = %(session_id)s FOR SHARE;

-- name: call_of_person
SELECT state, walk_in, dose_number, priority FROM session_call
WHERE session_id = %(session_id)s AND person_id = %(person_id)s;

-- name: screened
-- Screening again replaces the answers as long as no dose was given.
INSERT INTO desk_visit (person_id, session_id, form, answers, outcome, reasons, screened_at, screened_by)
VALUES (%(person_id)s, %(session_id)s, %(form)s, %(answers)s, %(outcome)s, %(reasons)s, %(now)s, %(by)s)
ON CONFLICT (person_id, session_id) DO UPDATE SET form = excluded.form, answers = excluded.answers,
    outcome = excluded.outcome, reasons = excluded.reasons, screened_at = excluded.screened_at,
    screened_by = excluded.screened_by, consent = NULL, guardian_name = ''
WHERE desk_visit.dose_id IS NULL;

-- name: refused
UPDATE desk_visit SET consent = 'refused', guardian_name = ''
WHERE session_id = %(session_id)s AND person_id = %(person_id)s AND dose_id IS NULL;

-- name: given
UPDATE desk_visit SET consent = %(consent)s, guardian_name = %(guardian_name)s, dose_id = %(dose_id)s, given_at = %(now)s,
    observe_until = %(observe_until)s, left_at = NULL, left_state = NULL
WHERE session_id = %(session_id)s AND person_id = %(person_id)s;

-- name: came
UPDATE session_call SET state = %(state)s WHERE session_id = %(session_id)s AND person_id = %(person_id)s;

-- name: undone
UPDATE desk_visit SET dose_id = NULL, given_at = NULL, observe_until = NULL, left_at = NULL, left_state = NULL
WHERE session_id = %(session_id)s AND person_id = %(person_id)s;

-- name: left
UPDATE desk_visit SET left_at = %(now)s, left_state = %(state)s
WHERE session_id = %(session_id)s AND person_id = %(person_id)s AND dose_id IS NOT NULL AND left_at IS NULL;

-- name: observed
-- Who is being observed, first those who may leave; and those who left a short while ago.
SELECT v.person_id, p.name, p.birth_date, v.outcome, v.given_at, v.observe_until, v.left_at, v.left_state, v.dose_id
FROM desk_visit v JOIN person p USING (person_id)
WHERE v.session_id = %(session_id)s AND v.dose_id IS NOT NULL
  AND (v.left_at IS NULL OR v.left_at > %(now)s - interval '15 minutes')
ORDER BY v.left_at NULLS FIRST, v.observe_until;

-- name: facts_of_person
SELECT code, lower(valid) AS since FROM health_fact
WHERE person_id = ANY (ARRAY(SELECT m.person_id FROM person m WHERE m.merged_into = %(person_id)s) || %(person_id)s::bigint)
  AND valid @> %(on)s::date
ORDER BY code, since;

-- name: doses_that_stand
-- For the schedule: what counts as given. Declared doses wait for their verification.
SELECT product, given_on, substandard FROM dose
WHERE person_id = ANY (ARRAY(SELECT m.person_id FROM person m WHERE m.merged_into = %(person_id)s) || %(person_id)s::bigint)
  AND status = 'completed' AND superseded_by IS NULL AND evidence <> 'declared'
ORDER BY given_on, dose_id;

-- name: reconcile
-- What the ledger says was used in the session, and what was recorded as given, lot by lot.
WITH used AS (
    SELECT product, lot_number, sum(doses) FILTER (WHERE kind = 'use') AS used, sum(doses) FILTER (WHERE kind = 'waste') AS wasted
    FROM stock_movement WHERE session_id = %(session_id)s GROUP BY 1, 2
)
SELECT product, lot_number, coalesce(u.used, 0) AS used, coalesce(u.wasted, 0) AS wasted, coalesce(g.doses, 0) AS recorded,
       coalesce(u.used, 0) - coalesce(g.doses, 0) AS difference
FROM used u FULL JOIN vaccination_session_doses(%(session_id)s) g USING (product, lot_number) ORDER BY 1, 2;

-- name: figures
SELECT * FROM vaccination_session_figures(%(sessions)s);
