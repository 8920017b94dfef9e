-- What does not fit, with its evidence. All under the policies of whoever asks.

-- name: overlaps
-- Orders of different grades that hold in the same place: the strictest wins there, and both are shown.
SELECT a.zone_id AS strict_zone, za.name AS strict_name, a.grade AS strict_grade, a.document AS strict_document,
    b.zone_id AS other_zone, zb.name AS other_name, b.grade AS other_grade, b.document AS other_document,
    (a.area * b.area)::text AS area
FROM zone_order a JOIN zone_order b ON a.area && b.area AND a.grade > b.grade AND a.zone_id <> b.zone_id
JOIN zone za ON za.zone_id = a.zone_id JOIN zone zb ON zb.zone_id = b.zone_id
WHERE a.valid @> %(on)s::date AND b.valid @> %(on)s::date
  AND a.state NOT IN ('proposed', 'withdrawn') AND b.state NOT IN ('proposed', 'withdrawn')
  AND (%(zone_id)s::integer IS NULL OR %(zone_id)s::integer IN (a.zone_id, b.zone_id))
ORDER BY a.grade DESC, a.zone_id, b.zone_id;

-- name: past
-- Orders entered after their first day, and orders whose days are over though nobody lifted them.
SELECT o.zone_id, z.name, o.order_id, o.document, lower(o.valid) AS from_day, upper(o.valid) AS until_day, o.recorded_on,
    o.recorded_on > lower(o.valid) AS entered_late, o.state = 'in_force' AND upper(o.valid) <= %(on)s::date AS ran_out
FROM zone_order o JOIN zone z USING (zone_id)
WHERE o.state NOT IN ('proposed', 'withdrawn') AND NOT isempty(o.valid)
  AND (o.recorded_on > lower(o.valid) OR o.state = 'in_force' AND upper(o.valid) <= %(on)s::date)
  AND (o.valid @> %(on)s::date OR o.state = 'in_force' AND lower(o.valid) <= %(on)s::date)
  AND (%(zone_id)s::integer IS NULL OR o.zone_id = %(zone_id)s::integer)
ORDER BY o.order_id;

-- name: abolished
-- Units of orders in force that do not exist on the day: the largest of each, and the order's documents.
SELECT o.zone_id, z.name, o.document, u.unit_id, u.code, u.name AS unit_name, upper(u.valid) AS ended_on,
    ARRAY(SELECT c.unit_id FROM unit c WHERE c.unit_id BETWEEN u.unit_id AND u.last_id AND c.level = greatest(u.level, 3))
        AS communes
FROM zone_order o JOIN zone z USING (zone_id)
JOIN unit u ON u.unit_id <@ o.area AND int4range(u.unit_id, u.last_id, '[]') <@ o.area AND NOT u.valid @> %(on)s::date
LEFT JOIN unit p ON p.unit_id = u.parent_id
WHERE o.valid @> %(on)s::date AND o.state NOT IN ('proposed', 'withdrawn')
  AND (p.unit_id IS NULL OR NOT int4range(p.unit_id, p.last_id, '[]') <@ o.area)
  AND (%(zone_id)s::integer IS NULL OR o.zone_id = %(zone_id)s::integer)
ORDER BY o.zone_id, u.unit_id;

-- name: two_places
-- People whom a passage of the last hours shows elsewhere than where a stay of that day has them, or in a commune they are
-- registered as absent from; and two records of one person in different communes.
SELECT s.person_id, r.kind::text AS kind, r.unit_id AS register_unit, s.unit_id AS seen_unit, s.at
FROM sighting s JOIN residence r ON r.person_id = s.person_id
WHERE s.at > %(moment)s::timestamptz - make_interval(hours => %(hours)s) AND s.at <= %(moment)s
  AND r.valid @> (s.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
  AND (r.kind = 'stay' AND r.unit_id <> s.unit_id OR r.kind = 'absence' AND r.unit_id = s.unit_id)
UNION ALL
SELECT d.person_id, 'double', k.present_unit, d.present_unit, NULL
FROM person d JOIN person k ON k.person_id = d.merged_into
WHERE d.merged_into IS NOT NULL AND d.present_unit <> k.present_unit
ORDER BY 1, 5;

-- name: impossible_travel
-- Passages one after the other at checkpoints too far apart for the time between: kilometres on a sphere between the
-- middles of their communes, and the speed it would take.
WITH step AS (
    SELECT p.person_id, p.passed_at, p.unit_id,
        lag(p.passed_at) OVER w AS before_at, lag(p.unit_id) OVER w AS before_unit
    FROM passage p WHERE p.passed_at > %(moment)s::timestamptz - make_interval(days => %(days)s) AND p.passed_at <= %(moment)s
    WINDOW w AS (PARTITION BY p.person_id ORDER BY p.passed_at, p.client_id)
), measured AS (
    SELECT s.*, extract(epoch FROM s.passed_at - s.before_at) / 3600 AS hours,
        2 * 6371 * asin(sqrt(sin(radians(b.lat - a.lat) / 2) ^ 2
            + cos(radians(a.lat)) * cos(radians(b.lat)) * sin(radians(b.lon - a.lon) / 2) ^ 2)) AS kilometres
    FROM step s JOIN unit a ON a.unit_id = s.before_unit JOIN unit b ON b.unit_id = s.unit_id
    WHERE s.before_unit <> s.unit_id
)
SELECT person_id, before_at, before_unit, passed_at, unit_id, round(kilometres)::integer AS kilometres,
    CASE WHEN hours > 0 THEN round(kilometres / hours)::integer END AS speed
FROM measured
WHERE kilometres >= %(kilometres)s AND (hours = 0 OR kilometres / hours > %(speed)s)
ORDER BY person_id, passed_at;

-- name: late_notices
-- Stays of the last days that were notified after the time the law gives (art. 30): the morning after the first day.
SELECT c.person_id, s.unit_id, lower(s.valid) AS from_day, c.at
FROM register_change c
CROSS JOIN LATERAL jsonb_to_recordset(c.after) AS s (kind text, unit_id integer, valid daterange)
WHERE c.subject = 'residence' AND c.undone_at IS NULL AND s.kind = 'stay'
  AND c.at > %(moment)s::timestamptz - make_interval(days => %(days)s) AND c.at <= %(moment)s
  AND c.at > (lower(s.valid) + 1 + %(morning)s::time) AT TIME ZONE 'Asia/Ho_Chi_Minh'
  AND NOT EXISTS (SELECT FROM jsonb_to_recordset(c.before) AS b (kind text, valid daterange)
                  WHERE b.kind = 'stay' AND lower(b.valid) = lower(s.valid))
ORDER BY c.at, c.person_id;

-- name: late_passages
-- Passages that came in more than a day after they happened, by checkpoint and day.
SELECT k.code, k.name, k.unit_id, (p.passed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, count(*) AS passages,
    round(extract(epoch FROM max(p.recorded_at - p.passed_at)) / 3600)::integer AS hours
FROM passage p JOIN checkpoint k USING (checkpoint_id)
WHERE p.passed_at > %(moment)s::timestamptz - make_interval(days => %(days)s) AND p.passed_at <= %(moment)s
  AND p.recorded_at > p.passed_at + interval '1 day'
GROUP BY 1, 2, 3, 4 ORDER BY 4, 1;

-- name: double_passages
-- Passages of one person at one checkpoint the same way, so shortly one after the other that one was entered twice.
WITH step AS (
    SELECT p.person_id, p.checkpoint_id, p.direction, p.passed_at, p.checked, lag(p.passed_at) OVER w AS before_at,
        lag(p.checked) OVER w AS before_checked
    FROM passage p WHERE p.passed_at > %(moment)s::timestamptz - make_interval(days => %(days)s) AND p.passed_at <= %(moment)s
    WINDOW w AS (PARTITION BY p.person_id, p.checkpoint_id, p.direction ORDER BY p.passed_at, p.client_id)
)
SELECT s.person_id, k.code, k.name, s.direction, s.before_at, s.passed_at, s.before_checked, s.checked
FROM step s JOIN checkpoint k USING (checkpoint_id)
WHERE s.passed_at - s.before_at < make_interval(mins => %(minutes)s)
ORDER BY s.passed_at, s.person_id;
