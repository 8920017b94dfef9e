-- name: within
-- Whether a unit (null: the nation) lies inside the actor's area.
SELECT khien_nation() OR EXISTS (
    SELECT FROM unit WHERE unit_id = %(unit)s AND int4range(unit_id, last_id, '[]') <@ khien_area());

-- name: managed
SELECT access_manages(%(account)s, %(today)s);

-- name: accounts
-- Accounts that the actor manages (as in access_manages, here all at once), with what they serve as today.
WITH post AS (
    SELECT a.id, a.account_id, a.role, a.unit_id, g.name AS agency,
        nullif(concat_ws(', ', u.name, above.name), '') AS unit,  -- unit_called(), of every post there is at once
        coalesce(a.valid_until, 'infinity') >= %(today)s AS open,
        coalesce(a.valid_from, '-infinity') <= %(today)s AS begun,
        coalesce(int4range(u.unit_id, u.last_id, '[]') <@ khien_area(), false) AS inside
    FROM assignment a
    LEFT JOIN unit u ON u.unit_id = a.unit_id
    LEFT JOIN unit above ON above.unit_id = u.parent_id AND above.level > 0
    LEFT JOIN agency g ON g.id = a.agency_id
    WHERE %(account)s::bigint IS NULL OR a.account_id = %(account)s
)
SELECT c.id, c.username, c.name, c.email, c.language, c.is_active, c.last_login, c.one_time_password, c.created_at,
    EXISTS (SELECT FROM mfa_authenticator m WHERE m.user_id = c.id AND m.type IN ('totp', 'webauthn')) AS second_factor,
    coalesce(p.now, '[]') AS posts, count(*) OVER () AS total
FROM account c
LEFT JOIN (
    SELECT account_id, bool_or(inside) AND bool_and(inside OR NOT open) AS managed,
        jsonb_agg(jsonb_build_object('role', role, 'unit', unit, 'unit_id', unit_id, 'agency', agency) ORDER BY id)
            FILTER (WHERE open AND begun) AS now,
        bool_or(open AND begun AND role = %(role)s) AS has_role,
        bool_or(open AND begun AND unit_id BETWEEN %(unit)s AND (SELECT last_id FROM unit WHERE unit_id = %(unit)s))
            AS serves_there
    FROM post
    GROUP BY account_id
) p ON p.account_id = c.id
WHERE (khien_nation() OR p.managed)
  AND (%(account)s::bigint IS NULL OR c.id = %(account)s)
  AND (khien_fold(c.name) LIKE %(words)s OR khien_fold(c.username) LIKE %(words)s)
  AND (%(state)s = '' OR c.is_active = (%(state)s = 'active'))
  AND (%(role)s = '' OR p.has_role)
  AND (%(unit)s::integer IS NULL OR p.serves_there)
ORDER BY c.username
LIMIT %(limit)s OFFSET %(offset)s;

-- name: posts
-- All posts that an account had, has or will have, newest first.
SELECT a.id, a.role, unit_called(a.unit_id) AS unit, a.unit_id, g.name AS agency, a.purposes, a.valid_from, a.valid_until,
    coalesce(a.valid_until, 'infinity') >= %(today)s AS open, coalesce(a.valid_from, '-infinity') <= %(today)s AS begun,
    khien_nation() OR coalesce(int4range(u.unit_id, u.last_id, '[]') <@ khien_area(), false) AS inside
FROM assignment a
LEFT JOIN unit u ON u.unit_id = a.unit_id
LEFT JOIN agency g ON g.id = a.agency_id
WHERE a.account_id = %(account)s
ORDER BY a.id DESC;

-- name: password_chosen
UPDATE account SET one_time_password = false WHERE id = %(account)s AND one_time_password;
