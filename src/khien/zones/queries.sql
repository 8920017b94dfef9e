-- name: area_of_units
-- The subtrees of units as one multirange of ids.
SELECT coalesce(range_agg(int4range(unit_id, last_id, '[]')), '{}')::text FROM unit WHERE unit_id = ANY (%(ids)s);

-- name: within_reach
-- Whether an area with its smaller parts lies within the actor's.
SELECT %(area)s::int4multirange <@ khien_area()
    AND NOT EXISTS (SELECT FROM unnest(%(place_units)s::integer[]) AS p (unit_id) WHERE NOT p.unit_id <@ khien_area())
    AND NOT EXISTS (SELECT FROM unnest(%(households)s::bigint[]) AS p (id) LEFT JOIN household h ON h.household_id = p.id
                    WHERE h.unit_id IS NULL OR NOT h.unit_id <@ khien_area());

-- name: zones
-- Zones with the order that counts on a day, or, without one, the newest; those that touch an area (null: all). Orders
-- and proposals that were known by the day show before they hold.
SELECT DISTINCT ON (z.zone_id) z.zone_id, z.name, o.order_id, o.state, o.grade, o.regime, o.document, o.signed_by,
    lower(o.valid) AS from_day, upper(o.valid) AS until_day, o.area::text AS area,
    o.state NOT IN ('proposed', 'withdrawn') AND o.valid @> %(on)s::date AS in_force
FROM zone z JOIN zone_order o USING (zone_id)
WHERE (%(area)s::int4multirange IS NULL OR o.area && %(area)s::int4multirange
       OR EXISTS (SELECT FROM zone_order_place p WHERE p.order_id = o.order_id AND p.unit_id <@ %(area)s::int4multirange))
  AND (%(ended)s OR o.state IN ('proposed', 'in_force') AND o.recorded_on <= %(on)s::date
       OR o.state NOT IN ('proposed', 'withdrawn') AND o.valid @> %(on)s::date)
ORDER BY z.zone_id, (o.state NOT IN ('proposed', 'withdrawn') AND o.valid @> %(on)s::date) DESC, o.order_id DESC;

-- name: history
-- All orders of a zone, the newest first.
SELECT o.order_id, o.zone_id, z.name, o.state, o.grade, o.regime, o.area::text AS area, lower(o.valid) AS from_day,
    upper(o.valid) AS until_day, o.document, o.signed_by, o.end_document, o.end_signed_by, o.supersedes,
    o.superseded_by, o.recorded_on
FROM zone_order o JOIN zone z USING (zone_id) WHERE o.zone_id = %(zone_id)s ORDER BY o.order_id DESC;

-- name: lock_order
SELECT order_id, zone_id, state, grade, regime, area::text AS area, lower(valid) AS from_day, upper(valid) AS until_day
FROM zone_order WHERE order_id = %(order_id)s FOR UPDATE;

-- name: lock_current
-- The order of a zone that is in force, or the proposal where there is none yet.
SELECT order_id FROM zone_order WHERE zone_id = %(zone_id)s AND state IN ('in_force', 'proposed')
ORDER BY state = 'in_force' DESC, order_id DESC LIMIT 1;

-- name: places
SELECT unit_id, address, name FROM zone_order_place WHERE order_id = %(order_id)s ORDER BY unit_id, address;

-- name: households
SELECT household_id FROM zone_order_household WHERE order_id = %(order_id)s ORDER BY household_id;

-- name: units_of_area
-- The fewest units that make up an area, on a day where the units of that day do, with what followed abolished ones.
SELECT u.unit_id, u.code, u.name, u.level, u.system, u.valid @> %(on)s::date AS exists_then
FROM unit u LEFT JOIN unit p ON p.unit_id = u.parent_id
WHERE int4range(u.unit_id, u.last_id, '[]') <@ %(area)s::int4multirange
  AND (p.unit_id IS NULL OR NOT int4range(p.unit_id, p.last_id, '[]') <@ %(area)s::int4multirange)
ORDER BY u.unit_id;

-- name: add_zone
INSERT INTO zone (name) VALUES (%(name)s) RETURNING zone_id;

-- name: add_order
INSERT INTO zone_order (zone_id, state, grade, regime, area, valid, document, signed_by, supersedes, recorded_by, recorded_on)
VALUES (%(zone_id)s, %(state)s, %(grade)s, %(regime)s, %(area)s::int4multirange,
    daterange(%(from_day)s::date, %(until_day)s::date), %(document)s, %(signed_by)s, %(supersedes)s, %(account)s, %(today)s)
RETURNING order_id;

-- name: add_places
INSERT INTO zone_order_place (order_id, unit_id, address, name)
SELECT %(order_id)s, unit_id, khien_fold(name), min(name)
FROM unnest(%(units)s::integer[], %(names)s::text[]) AS t (unit_id, name) GROUP BY unit_id, khien_fold(name);

-- name: add_households
INSERT INTO zone_order_household (order_id, household_id) SELECT DISTINCT %(order_id)s, id FROM unnest(%(ids)s::bigint[]) AS t (id);

-- name: end_order
-- The order no longer holds from a day on; a superseded one may lose all its days.
UPDATE zone_order SET state = %(state)s, changed_at = clock_timestamp(),
    valid = CASE WHEN %(on)s::date IS NULL THEN valid ELSE valid * daterange(NULL, %(on)s::date) END,
    superseded_by = %(by_order)s, end_document = %(document)s, end_signed_by = %(signed_by)s
WHERE order_id = %(order_id)s;

-- name: link_orders
UPDATE zone_order SET superseded_by = %(by_order)s WHERE order_id = %(order_id)s;

-- name: put_in_force
UPDATE zone_order SET state = 'in_force', document = %(document)s, signed_by = %(signed_by)s,
    valid = daterange(%(from_day)s::date, upper(valid)), changed_at = clock_timestamp()
WHERE order_id = %(order_id)s;

-- name: unit_grades
-- The strictest order in each shown unit on a day: what holds in the whole unit, what holds in some part of it, and how
-- many orders touch it.
SELECT s.unit_id, max(o.grade) AS grade, max(o.grade) FILTER (WHERE int4range(s.unit_id, s.last_id, '[]') <@ o.area) AS whole,
    count(*) AS orders, array_agg(DISTINCT o.zone_id) AS zones, count(DISTINCT o.grade) > 1 AS mixed
FROM unit s JOIN zone_order o ON o.area && int4range(s.unit_id, s.last_id, '[]')::int4multirange
    OR EXISTS (SELECT FROM zone_order_place p WHERE p.order_id = o.order_id AND p.unit_id BETWEEN s.unit_id AND s.last_id)
WHERE s.unit_id = ANY (%(ids)s) AND o.valid @> %(on)s::date AND o.state NOT IN ('proposed', 'withdrawn')
GROUP BY s.unit_id ORDER BY s.unit_id;

-- name: grade_facts
-- Every commune of a day within an area, with the figures that a grade is proposed from; cases reported up to that day.
WITH cases AS (
    SELECT unit_id,
        sum(cases) FILTER (WHERE reported_on > %(on)s::date - %(days)s
            AND coalesce(reported_on - onset_on, 0) <= %(late_after)s) AS counted,
        sum(cases) FILTER (WHERE reported_on > %(on)s::date - %(days)s AND reported_on - onset_on > %(late_after)s) AS late,
        max(cases) FILTER (WHERE reported_on > %(on)s::date - %(days)s AND onset_on IS NULL) AS spike,
        sum(cases) FILTER (WHERE reported_on <= %(on)s::date - %(days)s AND onset_on IS NULL) / 28.0 AS usual
    FROM case_count
    WHERE reported_on > %(on)s::date - %(days)s - 28 AND reported_on <= %(on)s::date
    GROUP BY unit_id
), capacity AS (
    SELECT DISTINCT ON (unit_id) unit_id, sufficient FROM care_capacity
    WHERE reported_on <= %(on)s::date ORDER BY unit_id, reported_on DESC
), current AS (
    SELECT u.unit_id, max(o.grade) AS grade FROM zone_order o JOIN unit u ON u.level = 3 AND u.unit_id <@ o.area
    WHERE o.valid @> %(on)s::date AND o.state NOT IN ('proposed', 'withdrawn') GROUP BY u.unit_id
)
SELECT u.unit_id, u.code, u.name, coalesce(p.name, '') AS within, coalesce(v.people, 0) AS people,
    coalesce(v.adults, 0) AS adults, coalesce(v.adults_dosed, 0) AS adults_dosed, coalesce(v.old, 0) AS old,
    coalesce(v.old_complete, 0) AS old_complete, coalesce(c.counted, 0)::integer AS counted,
    coalesce(c.late, 0)::integer AS late, coalesce(c.spike, 0)::integer AS spike,
    coalesce(c.usual, 0)::double precision AS usual, k.sufficient AS capacity, o.grade AS current
FROM unit u LEFT JOIN unit p ON p.unit_id = u.parent_id
LEFT JOIN zone_coverage(%(on)s::date, %(adults_born)s, %(old_born)s, %(disease)s) v ON v.unit_id = u.unit_id
LEFT JOIN cases c ON c.unit_id = u.unit_id LEFT JOIN capacity k ON k.unit_id = u.unit_id
LEFT JOIN current o ON o.unit_id = u.unit_id
WHERE u.level = 3 AND u.valid @> %(on)s::date AND u.unit_id <@ %(area)s::int4multirange
ORDER BY u.unit_id;

-- name: load_cases
-- The newest report of a commune, day and onset counts; how many rows are new or changed.
INSERT INTO case_count AS c (unit_id, reported_on, onset_on, cases, source)
SELECT unit_id, reported_on, onset_on, cases, %(source)s
FROM unnest(%(units)s::integer[], %(reported)s::date[], %(onset)s::date[], %(cases)s::integer[])
    AS t (unit_id, reported_on, onset_on, cases)
ON CONFLICT (reported_on, unit_id, onset_on) DO UPDATE SET cases = excluded.cases, source = excluded.source
WHERE c.cases <> excluded.cases;

-- name: load_capacity
INSERT INTO care_capacity AS c (unit_id, reported_on, sufficient, note) VALUES (%(unit_id)s, %(on)s, %(sufficient)s, %(note)s)
ON CONFLICT (unit_id, reported_on) DO UPDATE SET sufficient = excluded.sufficient, note = excluded.note;

-- name: communes_by_code
-- Communes of a day by official code.
SELECT code, unit_id FROM unit WHERE level = 3 AND valid @> %(on)s::date;

-- name: members
SELECT person_id, list, unit_id, certainty, reason, since, moved, moved_on, other_unit
FROM zone_members(%(area)s::int4multirange, %(households)s::bigint[], %(place_units)s::integer[], %(place_words)s::text[],
    %(moment)s, %(days)s, %(hours)s);

-- name: people
SELECT * FROM zone_people(%(area)s::int4multirange, %(households)s::bigint[], %(place_units)s::integer[],
    %(place_words)s::text[], %(moment)s, %(days)s, %(hours)s, %(disease)s);

-- name: people_page
-- A page of one list, or of who moved one way, by place, household and age.
SELECT * FROM zone_people(%(area)s::int4multirange, %(households)s::bigint[], %(place_units)s::integer[],
    %(place_words)s::text[], %(moment)s, %(days)s, %(hours)s, %(disease)s)
WHERE list = %(only)s OR moved = %(only)s
ORDER BY household_unit, address, household_id, birth_date, person_id LIMIT %(page)s OFFSET %(skip)s;

-- name: sheets
-- The present people of some households, which are numbered from 1 in the order of their places.
SELECT * FROM (
    SELECT *, dense_rank() OVER (
        ORDER BY household_unit, address, household_id, CASE WHEN household_id IS NULL THEN person_id END) AS home
    FROM zone_people(%(area)s::int4multirange, %(households)s::bigint[], %(place_units)s::integer[],
        %(place_words)s::text[], %(moment)s, %(days)s, %(hours)s, %(disease)s)
    WHERE list IN ('resident_present', 'temporary_present')
) numbered WHERE home > %(skip)s AND home <= %(skip)s + %(page)s
ORDER BY home, birth_date, person_id;

-- name: first_day
-- The first day on which any order held.
SELECT min(lower(valid)) FROM zone_order WHERE state NOT IN ('proposed', 'withdrawn');

-- name: moved_border
-- The units that one of two areas has and the other has not.
SELECT ((%(a)s::int4multirange - %(b)s::int4multirange) + (%(b)s::int4multirange - %(a)s::int4multirange))::text;

-- name: difference
-- People whose list differs between two borders or two moments; null: not concerned.
SELECT person_id, a.list AS before, b.list AS after, coalesce(b.unit_id, a.unit_id) AS unit_id,
    coalesce(b.certainty, a.certainty) AS certainty
FROM zone_members(%(area_a)s::int4multirange, %(households_a)s::bigint[], %(place_units_a)s::integer[],
    %(place_words_a)s::text[], %(moment_a)s, %(days)s, %(hours)s, %(touching)s::int4multirange) a
FULL JOIN zone_members(%(area_b)s::int4multirange, %(households_b)s::bigint[], %(place_units_b)s::integer[],
    %(place_words_b)s::text[], %(moment_b)s, %(days)s, %(hours)s, %(touching)s::int4multirange) b USING (person_id)
WHERE a.list IS DISTINCT FROM b.list
ORDER BY a.list NULLS FIRST, b.list NULLS FIRST, person_id;

-- name: presence
SELECT * FROM zone_presence(ARRAY[%(person_id)s::bigint], %(moment)s, %(hours)s);

-- name: stale_presence
-- How many people's present unit is not what the register gives for a day.
SELECT count(*) FROM person p JOIN zone_register_place(NULL, ARRAY[%(on)s::date]) r USING (person_id)
WHERE r.unit_id IS NOT NULL AND r.unit_id <> p.present_unit;
