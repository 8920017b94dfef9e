-- name: agencies
-- Agencies inside the actor's area, with how many posts in them have not ended.
SELECT g.id, g.code, g.name, g.kind, g.unit_id, unit_called(g.unit_id) AS unit, u.code AS unit_code,
    g.valid_until, g.previous,
    unit_called((g.previous ->> 'unit_id')::integer) AS previous_unit,
    coalesce(g.valid_until, 'infinity') >= %(today)s AS open,
    (SELECT count(*) FROM assignment a
     WHERE a.agency_id = g.id AND coalesce(a.valid_until, 'infinity') >= %(today)s) AS posts,
    count(*) OVER () AS total
FROM agency g LEFT JOIN unit u ON u.unit_id = g.unit_id
WHERE (khien_nation() OR int4range(u.unit_id, u.last_id, '[]') <@ khien_area())
  AND (%(agency)s::bigint IS NULL OR g.id = %(agency)s)
  AND (khien_fold(g.name) LIKE %(words)s OR khien_fold(g.code) LIKE %(words)s)
  AND (%(kind)s = '' OR g.kind = %(kind)s)
  AND (%(state)s = '' OR (coalesce(g.valid_until, 'infinity') >= %(today)s) = (%(state)s = 'open'))
  AND (%(unit)s::integer IS NULL
       OR g.unit_id BETWEEN %(unit)s AND (SELECT last_id FROM unit WHERE unit_id = %(unit)s))
ORDER BY g.name, g.id
LIMIT %(limit)s OFFSET %(offset)s;

-- name: agency_posts
-- Posts in an agency that have not ended, of accounts that the actor manages.
SELECT a.id, a.account_id, c.name, c.username, a.role, unit_called(a.unit_id) AS unit, a.valid_from, a.valid_until
FROM assignment a
JOIN account c ON c.id = a.account_id
WHERE a.agency_id = %(agency)s AND coalesce(a.valid_until, 'infinity') >= %(today)s
  AND access_manages(a.account_id, %(today)s)
ORDER BY c.username, a.id;

-- name: stand_in_line
-- Who closes an agency and who gives a post in it or changes its days stand in line: no post outlives its agency. The
-- first key keeps these locks apart from others.
SELECT pg_advisory_xact_lock(8243, %(agency)s::integer);

-- name: posts_after
-- How many posts in an agency go on after a day, and how many of them the actor does not manage.
SELECT count(*) AS posts, count(*) FILTER (WHERE NOT access_manages(account_id, %(today)s)) AS hidden FROM assignment
WHERE agency_id = %(agency)s AND coalesce(valid_until, 'infinity') > %(day)s;

-- name: keys
-- Keys of other systems whose account the actor manages, newest first. Their state is what whoever comes with one meets;
-- `serves` are the purposes of each role today, and a key without a purpose acts for any of its post.
SELECT k.id, k.name, k.assignment_id, k.purpose, k.valid_from, k.expires_on, k.last_used_on, k.revoked, k.created_at,
    a.account_id, a.role, a.purposes, c.name AS account, c.username, c.is_active, g.name AS agency,
    unit_called(a.unit_id) AS unit,
    held.state,
    count(*) OVER () AS total
FROM api_key k
JOIN assignment a ON a.id = k.assignment_id
JOIN account c ON c.id = a.account_id
LEFT JOIN agency g ON g.id = a.agency_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN k.revoked THEN 'revoked' WHEN k.expires_on < %(today)s THEN 'over'
                WHEN NOT c.is_active THEN 'suspended' WHEN k.valid_from > %(today)s THEN 'not-begun'
                WHEN a.valid_until < %(today)s OR a.valid_from > %(today)s THEN 'no-post'
                WHEN NOT EXISTS (
                    SELECT FROM jsonb_array_elements_text(%(serves)s::jsonb -> a.role) p (purpose)
                    WHERE (k.purpose = '' OR k.purpose = p.purpose)
                      AND (a.purposes = '[]' OR a.purposes ? p.purpose)) THEN 'no-purpose'
                ELSE 'open' END AS state
) held
WHERE access_manages(a.account_id, %(today)s)
  AND (%(key)s::bigint IS NULL OR k.id = %(key)s)
  AND (%(account)s::bigint IS NULL OR a.account_id = %(account)s)
  AND (khien_fold(k.name) LIKE %(words)s OR khien_fold(c.name) LIKE %(words)s OR khien_fold(c.username) LIKE %(words)s
       OR khien_fold(coalesce(g.name, '')) LIKE %(words)s)
  AND (%(state)s = '' OR held.state = %(state)s)
ORDER BY k.id DESC
LIMIT %(limit)s OFFSET %(offset)s;

-- name: key_used
-- The first use of a key on a day.
UPDATE api_key SET last_used_on = %(today)s
WHERE id = %(key)s AND last_used_on IS DISTINCT FROM %(today)s;
