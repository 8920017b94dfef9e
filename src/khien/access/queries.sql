-- name: assignments
-- What an account may serve as on the day of decisions, with the unit ids of its area and names to choose by.
SELECT a.id AS assignment_id, a.role, a.agency_id, g.name AS agency, a.unit_id, u.name AS unit,
    a.purposes, access_area(a.unit_id)::text AS area
FROM assignment a
JOIN account c ON c.id = a.account_id
LEFT JOIN agency g ON g.id = a.agency_id
LEFT JOIN unit u ON u.unit_id = a.unit_id
CROSS JOIN clock
WHERE a.account_id = %(account_id)s AND c.is_active
  AND coalesce(a.valid_from, '-infinity') <= coalesce(clock.demo_on, (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)
  AND coalesce(a.valid_until, 'infinity') >= coalesce(clock.demo_on, (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)
ORDER BY a.id;

-- name: looks_at_person
-- Who looked at one record, newest first. The policy decides whether this person is visible at all.
SELECT l.at, l.action, l.purpose, g.name AS agency,
    CASE WHEN %(by_name)s THEN a.name END AS account, l.account_id IS NULL AS machine, l.account_id = %(own)s AS own
FROM access_log l
LEFT JOIN agency g ON g.id = l.agency_id
LEFT JOIN account a ON a.id = l.account_id
WHERE l.person_id = %(person_id)s AND l.at < %(before)s
ORDER BY l.at DESC
LIMIT %(limit)s;

-- name: deeds_of_account
-- What one account did, newest first; how many people, not which.
SELECT l.at, l.action, l.purpose, g.name AS agency, count(l.person_id) AS persons
FROM access_log l
LEFT JOIN agency g ON g.id = l.agency_id
WHERE l.account_id = %(account_id)s AND l.at < %(before)s
GROUP BY l.at, l.lane, l.seq, l.action, l.purpose, g.name
ORDER BY l.at DESC
LIMIT %(limit)s;

-- name: person_visible
SELECT EXISTS (SELECT FROM person WHERE person_id = %(person_id)s);

-- name: open_by_card
SELECT access_open_by_card(%(number)s, %(named)s, %(born)s, %(hours)s, %(misses)s);

-- name: open_own_record
SELECT access_open_own(%(person_id)s, %(account_id)s);

-- name: own_record
-- The person whose record was opened to an account as its own.
SELECT person_id FROM access_grant
WHERE account_id = %(account_id)s AND purpose = 'own-record' ORDER BY person_id LIMIT 1;

-- name: verify
SELECT * FROM access_verify();

-- name: heads
SELECT * FROM access_heads();

-- name: links
-- Digests of the links that an anchor names.
SELECT a.lane, a.seq, encode(access_digest(a.lane, a.seq), 'hex') AS digest
FROM unnest(%(lanes)s::integer[], %(seqs)s::bigint[]) AS a (lane, seq);

-- name: retain
SELECT * FROM access_retain(%(before)s);

-- name: key_holder
-- The account and post behind a key's digest, while the key holds and the account may sign in.
SELECT k.id, k.assignment_id, a.account_id, c.name, nullif(k.purpose, '') AS purpose
FROM api_key k JOIN assignment a ON a.id = k.assignment_id JOIN account c ON c.id = a.account_id CROSS JOIN clock
WHERE k.digest = %(digest)s AND NOT k.revoked AND c.is_active
  AND coalesce(clock.demo_on, (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)
      BETWEEN coalesce(k.valid_from, '-infinity') AND k.expires_on;

-- name: has_account
SELECT EXISTS (SELECT FROM account WHERE username = %(username)s);
