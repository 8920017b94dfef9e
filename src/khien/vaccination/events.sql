-- name: dose_of_event
-- The newest of the corrections of a dose is what an event follows; a dose entered in error is followed by nothing.
SELECT d.dose_id, d.given_on, d.product, d.lot_number, d.site_id FROM dose d
WHERE d.person_id = %(person_id)s AND d.dose_id = %(dose_id)s AND d.status = 'completed' AND d.superseded_by IS NULL;

-- name: event_by_message
SELECT event_id, dose_id, symptoms FROM adverse_event WHERE person_id = %(person_id)s AND client_id = %(client_id)s;

-- name: insert_event
INSERT INTO adverse_event (person_id, client_id, dose_id, site_id, onset_at, known_at, symptoms, seriousness, recorded_by, recorded_at)
VALUES (%(person_id)s, %(client_id)s, %(dose_id)s, %(site_id)s, %(onset_at)s, %(known_at)s, %(symptoms)s, %(seriousness)s, %(by)s, %(now)s)
ON CONFLICT (person_id, client_id) DO NOTHING RETURNING event_id;

-- name: event
SELECT e.*, d.product, d.lot_number, d.given_on, v.name AS product_name, p.name, p.birth_date
FROM adverse_event e JOIN dose d USING (person_id, dose_id) JOIN vaccine_product v USING (product) JOIN person p USING (person_id)
WHERE e.person_id = %(person_id)s AND e.event_id = %(event_id)s;

-- name: lock_event
SELECT * FROM adverse_event WHERE person_id = %(person_id)s AND event_id = %(event_id)s FOR UPDATE;

-- name: keep_version
INSERT INTO adverse_event_version (person_id, event_id, until, body)
SELECT person_id, event_id, clock_timestamp(), to_jsonb(e) FROM adverse_event e
WHERE person_id = %(person_id)s AND event_id = %(event_id)s;

-- name: update_event
UPDATE adverse_event SET seriousness = %(seriousness)s, symptoms = %(symptoms)s, reported_at = %(reported_at)s,
    causality = %(causality)s, conclusion = %(conclusion)s, concluded_at = %(concluded_at)s, closed_at = %(closed_at)s
WHERE person_id = %(person_id)s AND event_id = %(event_id)s;

-- name: open_events
SELECT e.person_id, e.event_id, e.onset_at, e.known_at, e.symptoms, e.seriousness, e.reported_at, e.causality,
       e.concluded_at, d.product, v.name AS product_name, d.lot_number, d.given_on, p.name, p.birth_date, s.name AS site_name
FROM adverse_event e JOIN dose d USING (person_id, dose_id) JOIN vaccine_product v USING (product)
JOIN person p USING (person_id) LEFT JOIN site s ON s.site_id = e.site_id
WHERE e.closed_at IS NULL ORDER BY e.known_at;

-- name: lot_events
SELECT * FROM vaccination_lot_events(%(product)s);

-- name: declared_doses
-- Declared by the person and not verified yet, the oldest first.
SELECT d.person_id, p.name, p.birth_date, u.name AS unit_name, d.dose_id, d.product, v.name AS product_name, d.lot_number,
       d.given_on, d.recorded_at
FROM dose d JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit JOIN vaccine_product v USING (product)
WHERE d.evidence = 'declared' AND d.status = 'completed' AND d.superseded_by IS NULL
ORDER BY d.recorded_at LIMIT %(most)s;
