-- name: insert_lot
INSERT INTO lot (product, lot_number, arrived_on, expires_on, doses_per_vial, open_vial_hours)
VALUES (%(product)s, %(lot_number)s, %(arrived_on)s, %(expires_on)s, %(doses_per_vial)s, %(open_vial_hours)s)
ON CONFLICT (product, lot_number) DO NOTHING;

-- name: lock_message
-- Copies of one message stand in line, whatever they say. The first key keeps these apart from other advisory locks.
SELECT pg_advisory_xact_lock(8242, hashtext(%(client_id)s::uuid::text));

-- name: earlier_movement
SELECT m.kind, m.product, m.lot_number, s.code AS site, m.doses FROM stock_movement m JOIN site s USING (site_id)
WHERE m.client_id = %(client_id)s ORDER BY m.movement_id LIMIT 1;

-- name: lot
-- Shared lock: a lot is not blocked while a movement that saw it free is still being written.
SELECT product, lot_number, arrived_on, expires_on, blocked_on, block_reason, doses_per_vial, open_vial_hours FROM lot
WHERE product = %(product)s AND lot_number = %(lot_number)s FOR SHARE;

-- name: lot_to_change
SELECT product FROM lot WHERE product = %(product)s AND lot_number = %(lot_number)s FOR UPDATE;

-- name: site_by_code
SELECT site_id, code, name, unit_id, unit_id <@ %(area)s::int4multirange AS ours FROM site WHERE code = %(code)s;

-- name: ready_stock
-- A row to lock for each site.
INSERT INTO stock (product, lot_number, site_id)
SELECT %(product)s, %(lot_number)s, unnest(%(sites)s::int[]) ORDER BY 3 ON CONFLICT DO NOTHING;

-- name: lock_stock
-- In order of the site, so that two transfers in opposite directions cannot wait for each other in a ring.
SELECT site_id, doses FROM stock WHERE product = %(product)s AND lot_number = %(lot_number)s AND site_id = ANY (%(sites)s)
ORDER BY site_id FOR UPDATE;

-- name: insert_movements
-- The ledger's rows and the balances they change, in one statement.
WITH told AS (
    SELECT * FROM unnest(%(kind)s::text[], %(site_id)s::int[], %(other_site)s::int[]) AS t (kind, site_id, other_site)
), written AS (
    INSERT INTO stock_movement (client_id, kind, product, lot_number, site_id, doses, other_site, session_id, reason,
                                moved_at, recorded_by)
    SELECT %(client_id)s, kind, %(product)s, %(lot_number)s, site_id, %(doses)s, other_site, %(session_id)s, %(reason)s,
           %(now)s, %(by)s FROM told
    RETURNING site_id, change
)
UPDATE stock SET doses = stock.doses + written.change FROM written
WHERE stock.product = %(product)s AND stock.lot_number = %(lot_number)s AND stock.site_id = written.site_id
RETURNING stock.site_id, stock.doses;

-- name: block_lot
UPDATE lot SET blocked_on = %(on)s, block_reason = %(reason)s
WHERE product = %(product)s AND lot_number = %(lot_number)s AND blocked_on IS NULL;

-- name: release_lot
UPDATE lot SET blocked_on = NULL, block_reason = NULL
WHERE product = %(product)s AND lot_number = %(lot_number)s AND blocked_on IS NOT NULL;

-- name: recipients
-- Who got doses of a lot, newest first: those whose record the actor may see.
SELECT d.person_id, p.name, p.birth_date, u.name AS unit_name, d.dose_id, d.given_on, s.name AS site_name
FROM dose d JOIN person p USING (person_id) JOIN unit u ON u.unit_id = p.present_unit LEFT JOIN site s USING (site_id)
WHERE d.product = %(product)s AND d.lot_number = %(lot_number)s AND d.status = 'completed' AND d.superseded_by IS NULL
  AND (%(since)s::date IS NULL OR d.given_on >= %(since)s) AND (%(site)s::text IS NULL OR s.code = %(site)s)
ORDER BY d.given_on DESC, p.name_key;

-- name: balances
-- What is where within an area, those that expire first in front. A lot of which nothing is left is left out.
SELECT s.code AS site, s.name AS site_name, k.product, v.name AS product_name, k.lot_number, k.doses, l.expires_on,
       l.blocked_on, l.block_reason, l.expires_on < %(on)s AS expired
FROM stock k JOIN site s USING (site_id) JOIN lot l USING (product, lot_number) JOIN vaccine_product v USING (product)
WHERE s.unit_id <@ %(area)s::int4multirange AND k.doses > 0 AND (%(site)s::text IS NULL OR s.code = %(site)s)
ORDER BY s.name, l.expires_on, k.product, k.lot_number;

-- name: movements
SELECT m.moved_at, m.kind, m.product, v.name AS product_name, m.lot_number, s.code AS site, s.name AS site_name, m.doses,
    m.change, o.code AS other_site, o.name AS other_name, m.reason
FROM stock_movement m JOIN vaccine_product v USING (product) JOIN site s USING (site_id)
LEFT JOIN site o ON o.site_id = m.other_site
WHERE s.unit_id <@ %(area)s::int4multirange AND (%(site)s::text IS NULL OR s.code = %(site)s)
ORDER BY m.movement_id DESC LIMIT %(most)s;

-- name: insert_vial
INSERT INTO open_vial (client_id, product, lot_number, site_id, session_id, opened_at, discard_at)
VALUES (%(client_id)s, %(product)s, %(lot_number)s, %(site_id)s, %(session_id)s, %(now)s,
        %(now)s + make_interval(hours => %(hours)s::int)) ON CONFLICT DO NOTHING;

-- name: open_vials
-- Vials opened in the last day, those to be discarded first in front.
SELECT v.product, v.lot_number, v.opened_at, v.discard_at, v.discard_at <= %(now)s AS over
FROM open_vial v JOIN site s USING (site_id)
WHERE s.code = %(site)s AND v.opened_at > %(now)s - interval '24 hours' ORDER BY v.discard_at NULLS LAST;

-- name: lot_state
SELECT l.*, v.name AS product_name,
       coalesce((SELECT sum(k.doses) FROM stock k WHERE k.product = l.product AND k.lot_number = l.lot_number), 0) AS left_doses
FROM lot l JOIN vaccine_product v USING (product) WHERE l.product = %(product)s AND l.lot_number = %(lot_number)s;
