-- name: unit
-- One unit with the name of the day (null: its last).
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate
FROM unit u LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE u.unit_id = %(unit_id)s

-- name: find
-- By official code, on a day (null: any day, the newest first); the higher level first where codes coincide.
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate
FROM unit u LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE u.code = %(code)s AND (%(on)s::date IS NULL OR u.valid @> %(on)s::date)
      AND (%(system)s::text IS NULL OR u.system = %(system)s)
ORDER BY lower(u.valid) DESC NULLS LAST, u.level, u.unit_id
LIMIT 1

-- name: children
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate
FROM unit u LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE u.parent_id = %(unit_id)s AND (%(on)s::date IS NULL OR u.valid @> %(on)s::date)
ORDER BY u.unit_id

-- name: ancestors
-- From the root down to the parent: a unit lies in the range of each of them.
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate
FROM unit below JOIN unit u ON u.system = below.system AND below.unit_id > u.unit_id AND below.unit_id <= u.last_id
LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE below.unit_id = %(unit_id)s AND u.level < below.level
ORDER BY u.unit_id

-- name: subtree
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate
FROM unit top JOIN unit u ON u.unit_id BETWEEN top.unit_id AND top.last_id
LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE top.unit_id = %(unit_id)s AND (%(level)s::int IS NULL OR u.level = %(level)s)
ORDER BY u.unit_id

-- name: names
-- Names and codes of many units at once, with the name of the commune's province.
SELECT u.unit_id, u.code, u.level, coalesce(n.name, u.name) AS name
FROM unit u LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE u.unit_id = ANY(%(ids)s)

-- name: names_then
-- What units were called on days, pair by pair, and what they lie in; the last name where a unit had none then.
SELECT w.unit_id, w.day, concat_ws(', ', coalesce(n.name, u.name), nullif(unit_within(u.unit_id), '')) AS name
FROM unnest(%(ids)s::integer[], %(days)s::date[]) w (unit_id, day) JOIN unit u USING (unit_id)
LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> w.day

-- name: within
SELECT unit_id, unit_within(unit_id) AS within FROM unit WHERE unit_id = ANY(%(ids)s)

-- name: area
-- The subtrees of some units as one multirange of unit ids.
SELECT coalesce(range_agg(int4range(unit_id, last_id, '[]')), '{}'::int4multirange)::text FROM unit
WHERE unit_id = ANY(%(ids)s)

-- name: roots
-- The country on a day.
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate
FROM unit u LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE u.level = 0 AND u.valid @> %(on)s::date
ORDER BY lower(u.valid) DESC NULLS LAST, u.unit_id

-- name: tops
-- Units of the day wholly within an area whose parent is not: where an account's area begins.
SELECT u.unit_id FROM unit u LEFT JOIN unit p ON p.unit_id = u.parent_id
WHERE u.valid @> %(on)s::date
      AND int4range(u.unit_id, u.last_id, '[]') <@ %(area)s::int4multirange
      AND (p.unit_id IS NULL OR NOT int4range(p.unit_id, p.last_id, '[]') <@ %(area)s::int4multirange)
ORDER BY u.unit_id

-- name: counts
-- How many units of each level and kind a day has, by system.
SELECT u.system, u.level, coalesce(n.kind, u.kind) AS kind, count(*) AS units
FROM unit u LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE u.valid @> %(on)s::date
GROUP BY 1, 2, 3
ORDER BY 1, 2, 4 DESC, 3

-- name: search
-- Names that hold all words, with or without accents: the whole name first, then the name without its kind, then
-- beginnings, then anywhere; with the exact accents before without; higher levels first.
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate,
       (SELECT string_agg(a.name, ', ' ORDER BY a.level DESC) FROM unit a
        WHERE a.system = u.system AND u.unit_id > a.unit_id AND u.unit_id <= a.last_id AND a.level > 0) AS within
FROM (SELECT unit_id, name, name_folded FROM unit UNION SELECT unit_id, name, name_folded FROM unit_name) hit
JOIN unit u USING (unit_id)
LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> %(on)s::date
WHERE hit.name_folded LIKE ALL (%(patterns)s::text[]) AND (%(on)s::date IS NULL OR u.valid @> %(on)s::date)
GROUP BY u.unit_id, n.kind, n.name
ORDER BY min(CASE WHEN hit.name_folded = %(folded)s THEN 0
                  WHEN hit.name_folded LIKE '%% ' || %(escaped)s
                       AND right(hit.name_folded, length(%(folded)s) + 1) = ' ' || %(folded)s THEN 1
                  WHEN hit.name_folded LIKE %(escaped)s || '%%' THEN 2
                  WHEN hit.name_folded LIKE '%% ' || %(escaped)s || '%%' THEN 3
                  ELSE 4 END
             + CASE WHEN position(lower(%(text)s) IN lower(hit.name)) > 0 THEN 0 ELSE 0.5 END),
         u.level, lower(u.valid) DESC NULLS LAST, u.unit_id
LIMIT %(limit)s

-- name: successors
-- What followed a unit.
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate, s.on_date, s.kind AS how, s.source
FROM unit_succession s JOIN unit u ON u.unit_id = s.to_id
LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> s.on_date
WHERE s.from_id = %(unit_id)s AND (%(by)s::date IS NULL OR s.on_date <= %(by)s::date)
ORDER BY u.unit_id

-- name: predecessors
-- What a unit came from, under the last name it had.
SELECT u.unit_id, u.last_id, u.system, u.code, u.level, coalesce(n.kind, u.kind) AS kind, coalesce(n.name, u.name) AS name,
       u.parent_id, lower(u.valid) AS valid_from, upper(u.valid) AS valid_to, u.lat, u.lon, u.area_km2, u.approximate, s.on_date, s.kind AS how, s.source
FROM unit_succession s JOIN unit u ON u.unit_id = s.from_id
LEFT JOIN unit_name n ON n.unit_id = u.unit_id AND n.valid @> (s.on_date - 1)
WHERE s.to_id = %(unit_id)s
ORDER BY u.unit_id

-- name: on_day
-- The units that a day's map has in the place of some units of any day: themselves, or what followed or preceded them.
WITH RECURSIVE asked AS (SELECT unnest(%(ids)s::int[]) AS unit_id),
later AS (
    SELECT unit_id AS origin, unit_id FROM asked
    UNION
    SELECT l.origin, s.to_id FROM later l JOIN unit_succession s ON s.from_id = l.unit_id AND s.on_date <= %(on)s::date
), earlier AS (
    SELECT unit_id AS origin, unit_id FROM asked
    UNION
    SELECT e.origin, s.from_id FROM earlier e JOIN unit_succession s ON s.to_id = e.unit_id AND s.on_date > %(on)s::date
)
SELECT DISTINCT origin, u.unit_id FROM (SELECT * FROM later UNION SELECT * FROM earlier) reached
JOIN unit u USING (unit_id)
WHERE u.valid @> %(on)s::date
ORDER BY origin, unit_id

-- name: not_of_day
-- The units that a day does not have, as ranges of ids.
SELECT lower(r) AS first_id, upper(r) - 1 AS last_id FROM (
    SELECT unnest(range_agg(int4range(unit_id, unit_id, '[]'))) AS r FROM unit WHERE NOT valid @> %(on)s::date) ranges

-- name: carried
SELECT unit_id, carried_to FROM unit_carried(%(ids)s::int[], %(on)s::date)

-- name: systems
SELECT system, country, first_id, source, version FROM unit_system ORDER BY first_id

-- name: system_of
SELECT s.system, s.country, s.first_id, s.source, s.version FROM unit_system s JOIN unit u USING (system)
WHERE u.unit_id = %(unit_id)s

-- name: for_map
-- All units of a system, as a map needs them.
SELECT unit_id, last_id, parent_id, level, code, kind, name, lat, lon FROM unit
WHERE system = %(system)s ORDER BY unit_id

-- name: boundaries
SELECT b.unit_id, b.geometry FROM unit_boundary b JOIN unit u USING (unit_id)
WHERE u.system = %(system)s ORDER BY unit_id

-- name: lock_units
-- One load at a time; readers are not held up.
LOCK TABLE unit_system, unit, unit_name, unit_succession, unit_boundary IN SHARE ROW EXCLUSIVE MODE

-- name: next_base
-- The first id of the next free block of a million.
SELECT coalesce(max(last_id) / 1000000 + 1, 3)::int FROM unit WHERE unit_id >= 3000000

-- name: stage
CREATE TEMP TABLE IF NOT EXISTS unit_staged (LIKE unit INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS unit_name_staged (LIKE unit_name) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS unit_succession_staged
    (before_system text, before_level int, before_code text, after_system text, after_level int, after_code text,
     on_date date, kind text, source text) ON COMMIT DROP;
TRUNCATE unit_staged, unit_name_staged, unit_succession_staged

-- name: moved
-- Units whose id would mean another unit after a load: ids stand in residences and areas and never change.
SELECT count(*) FROM unit u FULL JOIN unit_staged n USING (unit_id)
WHERE coalesce(u.system, n.system) = %(system)s AND EXISTS (SELECT FROM unit WHERE system = %(system)s)
      AND (u.system, u.code, u.level, u.parent_id, u.last_id)
          IS DISTINCT FROM (n.system, n.code, n.level, n.parent_id, n.last_id)

-- name: save_system
INSERT INTO unit_system AS s (system, country, first_id, source, version)
VALUES (%(system)s, %(country)s, %(first_id)s, %(source)s, '')
ON CONFLICT (system) DO UPDATE SET country = excluded.country, source = excluded.source
WHERE (s.country, s.source) IS DISTINCT FROM (excluded.country, excluded.source)

-- name: merge_units
MERGE INTO unit u USING unit_staged n ON u.unit_id = n.unit_id
WHEN MATCHED AND (u.kind, u.name, u.valid, u.lat, u.lon, u.area_km2, u.approximate)
                 IS DISTINCT FROM (n.kind, n.name, n.valid, n.lat, n.lon, n.area_km2, n.approximate) THEN
    UPDATE SET kind = n.kind, name = n.name, name_folded = n.name_folded, valid = n.valid, lat = n.lat, lon = n.lon,
               area_km2 = n.area_km2, approximate = n.approximate
WHEN NOT MATCHED THEN
    INSERT (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid, lat, lon, area_km2,
            approximate)
    VALUES (n.unit_id, n.last_id, n.system, n.code, n.level, n.kind, n.name, n.name_folded, n.parent_id, n.valid, n.lat,
            n.lon, n.area_km2, n.approximate)

-- name: merge_names
-- Names of the staged units become exactly the staged names.
WITH gone AS (
    DELETE FROM unit_name o USING unit_staged u
    WHERE o.unit_id = u.unit_id AND NOT EXISTS (
        SELECT FROM unit_name_staged n
        WHERE (n.unit_id, n.valid, n.kind, n.name) = (o.unit_id, o.valid, o.kind, o.name))
    RETURNING 1)
SELECT count(*)::int FROM gone

-- name: add_names
INSERT INTO unit_name (unit_id, valid, kind, name, name_folded)
SELECT unit_id, valid, kind, name, khien_fold(name) FROM unit_name_staged n
WHERE NOT EXISTS (SELECT FROM unit_name o WHERE o.unit_id = n.unit_id AND o.valid = n.valid)

-- name: merge_successions
INSERT INTO unit_succession AS s (from_id, to_id, on_date, kind, source)
SELECT b.unit_id, a.unit_id, n.on_date, n.kind, n.source
FROM unit_succession_staged n
JOIN unit b ON (b.system, b.level, b.code) = (n.before_system, n.before_level, n.before_code)
               AND (upper(b.valid) IS NULL OR upper(b.valid) >= n.on_date)
JOIN unit a ON (a.system, a.level, a.code) = (n.after_system, n.after_level, n.after_code) AND a.valid @> n.on_date
ON CONFLICT (from_id, to_id, on_date) DO UPDATE SET kind = excluded.kind, source = excluded.source
WHERE (s.kind, s.source) IS DISTINCT FROM (excluded.kind, excluded.source)

-- name: save_version
-- Digest of all that a map is drawn from.
UPDATE unit_system s SET version = d.version FROM (
    SELECT u.system, md5(string_agg(
        concat_ws('|', u.unit_id, u.last_id, u.code, u.kind, u.name, u.lat, u.lon, md5(b.geometry::text)), ';'
        ORDER BY u.unit_id)) AS version
    FROM unit u LEFT JOIN unit_boundary b USING (unit_id) GROUP BY u.system) d
WHERE d.system = s.system AND d.version <> s.version

-- name: codes_of_system
SELECT code, level, unit_id FROM unit WHERE system = %(system)s ORDER BY level, unit_id

-- name: save_boundaries
INSERT INTO unit_boundary AS b (unit_id, geometry, source)
SELECT unit_id, geometry::jsonb, %(source)s FROM unnest(%(ids)s::int[], %(geometries)s::text[]) AS t (unit_id, geometry)
ON CONFLICT (unit_id) DO UPDATE SET geometry = excluded.geometry, source = excluded.source
WHERE (b.geometry, b.source) IS DISTINCT FROM (excluded.geometry, excluded.source)
