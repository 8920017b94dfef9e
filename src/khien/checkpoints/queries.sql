-- name: identity_answers
-- One line a check, in order: verdict, name, birth date, notes. Logged by the function.
SELECT identity_answers(%(rules)s::jsonb, %(numbers)s::text[], %(names)s::text[], %(born_first)s::date[],
    %(born_last)s::date[], %(sexes)s::text[], %(cards)s::text[], %(cards_issued)s::date[], %(communes)s::text[]);

-- name: checkpoints
-- Checkpoints and how many devices of theirs may ask.
SELECT c.code, c.name, c.unit_id, u.name AS unit, c.road, lower(c.open) AS from_day, upper(c.open) AS until_day,
       count(d.device_id) FILTER (WHERE d.revoked_at IS NULL) AS devices
FROM checkpoint c JOIN unit u USING (unit_id) LEFT JOIN device d USING (checkpoint_id)
GROUP BY c.checkpoint_id, u.unit_id ORDER BY c.code;

-- name: checkpoint_by_code
SELECT checkpoint_id, code, name, unit_id, agency_id FROM checkpoint WHERE code = %(code)s;

-- name: add_checkpoint
INSERT INTO checkpoint (code, name, unit_id, road, agency_id)
VALUES (%(code)s, %(name)s, %(unit_id)s, %(road)s, %(agency_id)s)
ON CONFLICT (code) DO NOTHING RETURNING checkpoint_id;

-- name: devices
SELECT d.device_id, c.code AS checkpoint, d.label, encode(d.public_key, 'hex') AS public_key, d.added_at, d.revoked_at
FROM device d JOIN checkpoint c USING (checkpoint_id)
WHERE %(checkpoint)s::text IS NULL OR c.code = %(checkpoint)s
ORDER BY d.device_id;

-- name: add_device
INSERT INTO device (checkpoint_id, label, public_key, added_at)
VALUES (%(checkpoint_id)s, %(label)s, %(public_key)s, %(now)s)
ON CONFLICT (public_key) DO NOTHING RETURNING device_id;

-- name: revoke_device
-- Once: the first moment stands.
UPDATE device SET revoked_at = coalesce(revoked_at, %(now)s) WHERE device_id = %(device_id)s RETURNING device_id;
