-- name: facts_of_doses
-- What the register knows about each entry of a batch, in the order of the entries. Entries about people outside the
-- actor's scope simply have no row (absent and forbidden look the same).
SELECT e.n, p.birth_date, p.sex, p.died_on, v.product IS NOT NULL AS product_known, v.disease, v.licensed_on, s.site_id,
       l.product IS NOT NULL AS lot_known, l.arrived_on, l.expires_on, l.blocked_on, o.history, f.facts
FROM unnest(%(n)s::int[], %(person_id)s::bigint[], %(client_id)s::uuid[], %(product)s::text[], %(lot_number)s::text[],
            %(site)s::text[], %(given_on)s::date[], %(corrects)s::bigint[], %(area)s::text[])
     AS e (n, person_id, client_id, product, lot_number, site, given_on, corrects, area)
JOIN person p ON p.person_id = e.person_id AND p.merged_into IS NULL
    -- Among entries of several senders each reaches only people of its sender's own area.
    AND (e.area IS NULL OR p.home_unit <@ e.area::int4multirange OR p.present_unit <@ e.area::int4multirange)
LEFT JOIN vaccine_product v ON v.product = e.product
LEFT JOIN lot l ON l.product = e.product AND l.lot_number = e.lot_number
LEFT JOIN site s ON s.code = e.site
CROSS JOIN LATERAL (  -- the person's other doses that stand, those recorded of a double too
    SELECT json_agg(json_build_array(d.given_on, d.product, w.disease, d.substandard, d.evidence = 'declared')) AS history
    FROM dose d JOIN vaccine_product w USING (product)
    WHERE d.person_id = ANY (ARRAY(SELECT m.person_id FROM person m WHERE m.merged_into = e.person_id) || e.person_id)
      AND d.client_id <> e.client_id AND d.status = 'completed' AND d.superseded_by IS NULL
      AND d.dose_id IS DISTINCT FROM e.corrects) o
CROSS JOIN LATERAL (  -- what is known of the person's health on the day of the dose
    SELECT json_agg(json_build_array(h.code, lower(h.valid))) AS facts FROM health_fact h
    WHERE h.person_id = e.person_id AND h.valid @> e.given_on) f;

-- name: lock_people
-- One writer a person at a time, taken in order so that two batches cannot wait for each other in a ring.
-- The first key only keeps these locks apart from other uses of advisory locks.
SELECT pg_advisory_xact_lock(8241, id) FROM (
    SELECT DISTINCT hashint8(person_id) AS id FROM unnest(%(person_id)s::bigint[]) AS person_id ORDER BY 1) ordered;

-- name: insert_doses
-- One row an entry; an entry whose client_id the person already has inserts nothing and returns nothing.
INSERT INTO dose (person_id, client_id, product, lot_number, site_id, given_on, evidence, flags, counts, substandard,
                  status, supersedes, reason, recorded_by, recorded_at)
SELECT e.person_id, e.client_id, e.product, e.lot_number, e.site_id, e.given_on, e.evidence,
       coalesce(string_to_array(nullif(e.flags, ''), ' '), '{}'), e.counts, e.substandard, e.status, e.supersedes, e.reason,
       e.recorded_by, %(recorded_at)s
FROM unnest(%(person_id)s::bigint[], %(client_id)s::uuid[], %(product)s::text[], %(lot_number)s::text[], %(site_id)s::int[],
            %(given_on)s::date[], %(evidence)s::text[], %(flags)s::text[], %(counts)s::bool[], %(substandard)s::bool[],
            %(status)s::text[], %(supersedes)s::bigint[], %(reason)s::text[], %(recorded_by)s::bigint[])
     AS e (person_id, client_id, product, lot_number, site_id, given_on, evidence, flags, counts, substandard, status,
           supersedes, reason, recorded_by)
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

-- name: standing_doses
-- Everything that stands of some people, to be judged again after what came before it changed.
SELECT d.person_id, d.dose_id, d.client_id, d.product, d.given_on, d.flags, d.counts FROM dose d
WHERE d.person_id = ANY (%(people)s) AND d.status = 'completed' AND d.superseded_by IS NULL;

-- name: flag
UPDATE dose d SET flags = string_to_array(e.flags, ' '), counts = e.counts, changed_at = clock_timestamp()
FROM unnest(%(person_id)s::bigint[], %(dose_id)s::bigint[], %(flags)s::text[], %(counts)s::bool[])
     AS e (person_id, dose_id, flags, counts)
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
