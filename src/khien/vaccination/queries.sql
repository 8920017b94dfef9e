-- name: facts_of_doses
SELECT n, earlier, birth_date, sex, died_on, product_known, disease, licensed_on, site_id, lot_known, arrived_on, expires_on,
       blocked_on, history, facts
FROM dose_facts(%(entries)s::json);

-- name: lock_people
-- One writer a person at a time, taken in order so that two batches cannot wait for each other in a ring.
-- The first key only keeps these locks apart from other uses of advisory locks.
SELECT pg_advisory_xact_lock(8241, id) FROM (
    SELECT DISTINCT hashint8(person_id) AS id FROM unnest(%(person_id)s::bigint[]) AS person_id ORDER BY 1) ordered;

-- name: insert_doses
-- One row an entry; an entry whose client_id the person already has inserts nothing and returns nothing.
INSERT INTO dose (person_id, client_id, product, lot_number, site_id, given_on, evidence, flags, counts, substandard,
                  status, supersedes, reason, recorded_by, recorded_at)
SELECT e.person_id, e.client_id, e.product, e.lot_number, e.site_id, e.given_on, e.evidence, e.flags, e.counts,
       e.substandard, e.status, e.supersedes, e.reason, e.recorded_by, %(recorded_at)s
FROM json_to_recordset(%(rows)s::json) AS e (
    person_id bigint, client_id uuid, product text, lot_number text, site_id int, given_on date, evidence text, flags text[],
    counts bool, substandard bool, status text, supersedes bigint, reason text, recorded_by bigint)
ON CONFLICT (person_id, client_id) DO NOTHING
RETURNING person_id, client_id, dose_id;

-- name: replayed
-- Doses that earlier copies of the same messages made.
SELECT d.person_id, d.client_id, d.dose_id, d.product, d.lot_number, d.given_on, d.status, d.supersedes, d.flags
FROM unnest(%(person_id)s::bigint[], %(client_id)s::uuid[]) AS e (person_id, client_id)
JOIN dose d USING (person_id, client_id);

-- name: supersede
-- Mark a standing dose as corrected by another; touches nothing if somebody corrected it first.
UPDATE dose SET superseded_by = %(by_dose)s, changed_at = clock_timestamp()
WHERE person_id = %(person_id)s AND dose_id = %(dose_id)s AND superseded_by IS NULL AND status = 'completed';

-- name: flag
-- What the schedule says of some doses, after what came before them changed.
UPDATE dose d SET flags = e.flags, counts = e.counts, changed_at = clock_timestamp()
FROM json_to_recordset(%(rows)s::json) AS e (person_id bigint, dose_id bigint, flags text[], counts bool)
WHERE d.person_id = e.person_id AND d.dose_id = e.dose_id;

-- name: standing_dose
SELECT d.dose_id, d.product, d.lot_number, s.code AS site, d.given_on, d.evidence
FROM dose d LEFT JOIN site s USING (site_id)
WHERE d.person_id = %(person_id)s AND d.dose_id = %(dose_id)s AND d.superseded_by IS NULL AND d.status = 'completed';

-- name: doses_of_person
-- The whole history, corrections included, newest first; what was recorded of a double as well.
SELECT d.person_id, d.dose_id, d.product, v.name AS product_name, v.disease, d.lot_number, s.name AS site_name, d.given_on, d.status,
       d.evidence, d.flags, d.counts, d.supersedes, d.superseded_by, d.reason, d.recorded_at
FROM dose d JOIN vaccine_product v USING (product) LEFT JOIN site s USING (site_id)
WHERE d.person_id = ANY (ARRAY(SELECT m.person_id FROM person m WHERE m.merged_into = %(person_id)s) || %(person_id)s::bigint)
ORDER BY d.given_on DESC, d.dose_id DESC;

-- name: products
SELECT product, name, disease, primary_doses, licensed_on FROM vaccine_product
WHERE licensed_on IS NULL OR licensed_on <= %(on)s ORDER BY name;

-- name: usable_lots
-- Lots that may be given on a day.
SELECT product, lot_number, expires_on FROM lot
WHERE arrived_on <= %(on)s AND expires_on >= %(on)s AND blocked_on IS NULL
ORDER BY product, expires_on, lot_number;

-- name: sites_in_area
SELECT site_id, code, name FROM site WHERE unit_id <@ %(area)s::int4multirange ORDER BY name;

-- name: all_products
SELECT product, name, disease FROM vaccine_product ORDER BY disease, name;

-- name: all_sites
SELECT code, name FROM site ORDER BY name;

-- name: has_product
SELECT true FROM vaccine_product WHERE product = %(product)s;

-- name: upsert_product
INSERT INTO vaccine_product (product, name, disease, cvx, atc, eu_code, licensed_on, primary_doses)
VALUES (%(product)s, %(name)s, %(disease)s, %(cvx)s, %(atc)s, %(eu_code)s, %(licensed_on)s, %(primary_doses)s)
ON CONFLICT (product) DO UPDATE SET name = excluded.name, disease = excluded.disease, cvx = excluded.cvx, atc = excluded.atc,
    eu_code = excluded.eu_code, licensed_on = excluded.licensed_on, primary_doses = excluded.primary_doses;

-- name: upsert_sites
INSERT INTO site (code, name, unit_id, kind)
SELECT * FROM unnest(%(code)s::text[], %(name)s::text[], %(unit_id)s::int[], %(kind)s::text[])
ON CONFLICT (code) DO UPDATE SET name = excluded.name, unit_id = excluded.unit_id, kind = excluded.kind;

-- After a large batch, last: nothing else waits for a lock then.
-- name: dose_statistics
SELECT dose_statistics();
